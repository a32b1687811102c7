// The disk of a tablespace is full in the middle of an index's build.
#include <filesystem>

#include "db/project.hpp"
#include "host/server_user.hpp"
#include "support/skip.hpp"
#include "support/text.hpp"

namespace kdb::test::disk_full_test {

namespace {

/// A tablespace on a file system of its own, which only root can mount.
class SmallDisk {
 public:
  SmallDisk() {
    const host::ServerUser user = host::server_user();
    const Run mounted =
        run({"mount", "-t", "tmpfs", "-o", fmt::format("size=1m,mode=700,uid={},gid={}", user.uid, user.gid),
             "kdb", path()});
    if (mounted.exit != 0) {
      reason_ = "no file system can be mounted";
      return;
    }
    mounted_ = true;
    try {
      Session(server_url()).exec(fmt::format("CREATE TABLESPACE small LOCATION '{}'", path()));
      created_ = true;
    } catch (const pg::ServerError& error) {
      reason_ = error.message;  // a server elsewhere
    }
  }
  ~SmallDisk() {
    try {
      if (created_) Session(server_url()).exec("DROP TABLESPACE small");
    } catch (const std::exception& error) {
      CHECK_MESSAGE(false, error.what());
    }
    if (mounted_) CHECK(run({"umount", path()}).exit == 0);
  }
  SmallDisk(const SmallDisk&) = delete;
  SmallDisk& operator=(const SmallDisk&) = delete;

  /// Why there is none; empty if there is.
  const std::string& reason() const { return reason_; }
  std::string path() const { return folder_.path().string(); }
  void grow() const { REQUIRE(run({"mount", "-o", "remount,size=64m", path()}).exit == 0); }

 private:
  TempDir folder_;
  std::string reason_;
  bool mounted_ = false;
  bool created_ = false;
};

constexpr const char* index_there =
    "[indexes.first]\ntable = \"orders\"\ncolumns = [\"id\", \"kind\"]\n"
    "[indexes.orders_kind]\ntable = \"orders\"\ncolumns = [\"kind\"]\ntablespace = \"small\"\n";

constexpr const char* rows =
    "INSERT INTO orders SELECT i, 'kind ' || i FROM generate_series(1, 50000) i; ANALYZE orders;";

struct Case {
  const char* name;
  std::string before;
  bool clean;  // the failed run itself takes away what it made
};

const Case cases[] = {
    {"a new index", std::string("CREATE TABLE orders (id int, kind text);") + rows, true},
    {"one that replaces another",
     std::string("CREATE TABLE orders (id int, kind text); CREATE INDEX orders_kind ON orders (kind, id);") +
         rows,
     true},
    {"a partitioned table's",
     std::string("CREATE TABLE orders (id int, kind text) PARTITION BY RANGE (id);"
                 "CREATE TABLE orders_1 PARTITION OF orders FOR VALUES FROM (0) TO (1000);"
                 "CREATE TABLE orders_2 PARTITION OF orders FOR VALUES FROM (1000) TO (100000);") +
         rows,
     false},
};

constexpr const char* names =
    "SELECT coalesce(string_agg(c.relname || CASE WHEN indisvalid THEN '' ELSE ' INVALID' END, ', ' ORDER BY "
    "c.relname), '') FROM pg_index JOIN pg_class c ON c.oid = indexrelid WHERE c.relnamespace = "
    "'public'::regnamespace";

/// On the database, with that profile and no migrations.
Run kdb(const Database& database, const std::string& profile, std::vector<std::string> words) {
  const Project project;
  std::filesystem::create_directories(project.folder());
  const TempDir folder;
  words.insert(words.end(), {"-p", folder.write("p.toml", profile).string()});
  return run(project.command(database.url(), words));
}

}  // namespace

TEST_CASE("an index for which the disk has no room leaves nothing behind, and is made when there is") {
  const SmallDisk disk;
  if (!disk.reason().empty()) return skip(disk.reason());
  for (const Case& one : cases) {
    CAPTURE(std::string(one.name));
    REQUIRE(run({"mount", "-o", "remount,size=1m", disk.path()}).exit == 0);
    const Database database;
    database.exec(one.before);
    const std::string before = database.text(names);
    for (int attempt = 0; attempt < 2; ++attempt) {
      const Run failed = kdb(database, index_there, {"apply", "--allow", "INDEX_DROPPED"});
      CHECK_MESSAGE(failed.exit == 1, failed.err);
      CHECK_MESSAGE(has(failed.err, "index orders_kind failed: could not extend file"), failed.err);
      CHECK(has(failed.err, "No space left on device (53100)"));
      CHECK(has(failed.err, "hint: make room on the server's disk, and run again"));
      if (!one.clean) continue;
      CHECK(database.text(names) == (before.empty() ? "first" : "first, " + before));
    }

    disk.grow();
    const Run applied = kdb(database, index_there, {"apply", "--allow", "INDEX_DROPPED"});
    CHECK_MESSAGE(applied.exit == 0, applied.err);
    const Run plan = kdb(database, index_there, {"plan", "--exit-code"});
    CHECK_MESSAGE(plan.exit == 0, (plan.out + plan.err));
    const std::string after = database.text(names);
    CHECK_MESSAGE(!has(after, "INVALID"), after);
    CHECK_MESSAGE(!has(after, "kdb"), after);  // as what is built beside an index is called
  }
}

TEST_CASE("an index that will not fit into its tablespace is not begun") {
  const SmallDisk disk;
  if (!disk.reason().empty()) return skip(disk.reason());
  const Database database;
  // Large enough to be noticed, and to fit where the server has its data.
  database.exec(std::string("CREATE TABLE orders (id int, kind text);") + rows +
                "UPDATE pg_class SET reltuples = 4e6 WHERE oid = 'orders'::regclass");
  const Run refused = kdb(database, index_there, {"apply"});
  CHECK(refused.exit == 3);
  CHECK_MESSAGE(has(refused.err, " are free in tablespace small, " + disk.path()), refused.err);
  CHECK(has(refused.err, "`--allow DISK_SPACE` begins all the same"));
  CHECK(database.text(names).empty());
}

TEST_CASE("what indexes need in several tablespaces is added up where these are on one disk") {
  const SmallDisk disk;
  if (!disk.reason().empty()) return skip(disk.reason());
  const host::ServerUser user = host::server_user();
  const std::string beside = disk.path() + "/beside";
  REQUIRE(run({"install", "-d", "-m", "700", "-o", std::to_string(user.uid), "-g", std::to_string(user.gid),
               beside})
              .exit == 0);
  Session(server_url()).exec(fmt::format("CREATE TABLESPACE beside LOCATION '{}'", beside));
  {
    const Database database;
    // Of neither index alone anybody would take note.
    database.exec(std::string("CREATE TABLE orders (id int, kind text);") + rows +
                  "UPDATE pg_class SET reltuples = 13e5 WHERE oid = 'orders'::regclass");
    const std::string other =
        "[indexes.other]\ntable = \"orders\"\ncolumns = [\"kind DESC\"]\ntablespace = \"beside\"\n";
    const Run refused = kdb(database, index_there + other, {"apply"});
    CHECK(refused.exit == 3);
    CHECK_MESSAGE(has(refused.err, " are free in tablespace "), refused.err);
    CHECK(database.text(names).empty());
    CHECK(kdb(database, index_there, {"apply"}).exit == 1);  // is begun, and finds the disk full
  }
  Session(server_url()).exec("DROP TABLESPACE beside");
}

}  // namespace kdb::test::disk_full_test
