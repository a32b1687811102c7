// `kdb tune apply`: what a server does not start with is never written, and what is written is taken back
// where the server does not take it.
#include <filesystem>
#include <fstream>

#include <fmt/format.h>
#include <unistd.h>

#include "db/tuned_server.hpp"

namespace kdb::test::tune_apply_test {

namespace {

/// Restarts a server as an administrator does, by pg_ctl; it runs on by itself then, and is stopped at the
/// end.
class Restarter {
 public:
  explicit Restarter(OwnServer& server) : data_(Session(server.url()).text("SHOW data_directory")) {
    const char* bin = std::getenv("KDB_SANDBOX_PG_BIN");
    const host::ServerUser user = host::server_user();
    if (user.differs)
      command_ = fmt::format("setpriv --reuid={} --regid={} --clear-groups ", user.uid, user.gid);
    command_ += fmt::format("{}/pg_ctl -D '{}' -w -t 30 -l '{}' ",
                            host::find_pg_bin(bin == nullptr ? "" : bin), data_, data_ + "/restart.log");
  }
  ~Restarter() { run({"sh", "-c", command_ + "-m immediate stop"}); }
  Restarter(const Restarter&) = delete;
  Restarter& operator=(const Restarter&) = delete;

  std::string command() const { return command_ + "-m fast restart >/dev/null 2>&1"; }

 private:
  std::string data_;
  std::string command_;
};

}  // namespace

TEST_CASE("a file is written once, read by the server and proved; nothing is left to change but a restart") {
  TunedServer it("work_mem = \"7MB\"\nmax_connections = 60\ncpu_tuple_cost = 0.02\n");
  const Run tried = it.apply("none");
  CHECK_MESSAGE(tried.exit == 0, tried.err);
  CHECK(has(tried.out, "a throwaway server starts with these settings"));
  CHECK(has(tried.out, "nothing was changed"));
  CHECK(!std::filesystem::exists(it.data("kdb-tune.conf")));

  const Run applied = it.apply("conf.d");
  REQUIRE_MESSAGE(applied.exit == 0, applied.err);
  CHECK(has(applied.out, "RESTART_REQUIRED: "));
  CHECK(it.show("work_mem") == "7MB");
  CHECK(it.show("max_connections") == "100");
  CHECK(has(bytes_of(it.data("postgresql.conf")), "include_if_exists = 'kdb-tune.conf'"));
  const std::string files = it.files();
  CHECK(it.diff().exit == 0);
  // It was not written now, and nothing could be put back.
  CHECK(it.apply("conf.d", {"--restart-command", "false"}).exit == 3);

  const Run again = it.apply("conf.d");
  CHECK(again.exit == 0);
  CHECK(has(again.out, "nothing to do"));
  CHECK(it.files() == files);
  it.server().restart(SIGINT);
  CHECK(it.show("max_connections") == "60");
  CHECK(it.apply("conf.d").exit == 0);
  CHECK(it.files() == files);

  // What is no longer declared is not left behind, and said to wait where it does.
  it.declare("work_mem = \"7MB\"\n");
  CHECK(has(bytes_of(it.data("kdb-tune.conf")), "cpu_tuple_cost"));
  CHECK(it.apply("conf.d").exit == 0);
  CHECK(!has(bytes_of(it.data("kdb-tune.conf")), "cpu_tuple_cost"));
  CHECK(it.show("cpu_tuple_cost") == "0.01");
  // The other way finds nothing left to do either.
  const Run other = it.apply("alter-system");
  CHECK(has(other.out, "nothing to do"));
}

TEST_CASE("ALTER SYSTEM brings it about through the journal, and again changes nothing") {
  TunedServer it("work_mem = \"7MB\"\n");
  const Run applied = it.apply("alter-system");
  REQUIRE_MESSAGE(applied.exit == 0, applied.err);
  CHECK(it.show("work_mem") == "7MB");
  CHECK(Session(it.server().url()).text("SELECT count(*) > 3 FROM kdb.steps WHERE state = 'done'") == "t");
  const std::string files = it.files();
  CHECK(has(it.apply("alter-system").out, "nothing to do"));
  CHECK(it.files() == files);
  CHECK(it.diff().exit == 0);
  // A file would lose against postgresql.auto.conf.
  it.declare("work_mem = \"9MB\"\n");
  const Run refused = it.apply("conf.d");
  CHECK(refused.exit == 3);
  CHECK(has(refused.err, "ALTER SYSTEM RESET work_mem"));
  CHECK(it.files() == files);
}

TEST_CASE("what no server starts with is never written") {
  TunedServer it("");
  const std::string files = it.files();
  struct Fatal {
    const char* settings;
    int exit;
    const char* says;
  };
  int number = 0;
  // Names, words, bounds and units are the profile's faults; the rest a throwaway server says.
  for (const Fatal& fatal : std::vector<Fatal>{
           {"shared_bufers = \"1GB\"\n", 64, "shared_bufers"},
           {"work_mem = \"1kB\"\n", 64, "work_mem"},
           {"shared_buffers = \"900GB\"\n", 3, "shared memory"},
           {"huge_pages = \"on\"\n", 3, "huge pages"},
           {"shared_preload_libraries = \"no_such_library\"\n", 3, "no_such_library"},
           {"session_preload_libraries = \"no_such_library\"\n", 3, "no_such_library"},
           {"max_locks_per_transaction = 100000000\n", 64, "locks"},
           {"timezone = \"Mars/Olympus\"\n", 3, "TimeZone"},
           {"jit = false\ndefault_tablespace = \"nowhere\"\n", 3, "default_tablespace"},
           {"primary_conninfo = \"password=x\"\n", 64, "may hold a password"},
           {"ssl = \"on\"\nssl_cert_file = \"no.crt\"\n", 3, "no.crt"},
       }) {
    CAPTURE(fatal.settings);
    it.declare(fatal.settings);
    const Run refused = it.apply(++number % 4 == 0 ? "alter-system" : "conf.d");
    CHECK_MESSAGE(refused.exit == fatal.exit, (refused.err + refused.out));
    CHECK_MESSAGE(has(refused.err, fatal.says), refused.err);
    CHECK(it.files() == files);
    CHECK(it.show("jit") == "on");
  }
}

TEST_CASE("the command line's settings are refused, and what the server's files have wrong") {
  TunedServer it("fsync = \"on\"\n");
  const Run refused = it.apply("conf.d");
  CHECK(refused.exit == 3);
  CHECK(has(refused.err, "the server's command line says it"));
  it.declare("work_mem = \"7MB\"\n");
  std::ofstream(it.data("postgresql.conf"), std::ios::app) << "jit = 'perhaps'\n";
  const std::string files = it.files();
  const Run broken = it.apply("conf.d");
  CHECK(broken.exit == 1);
  CHECK(has(broken.err, "jit"));
  CHECK(it.files() == files);
}

TEST_CASE("no file is written that is somebody else's, and none where somebody leads root to") {
  TunedServer it("work_mem = \"7MB\"\n");
  std::ofstream(it.data("kdb-tune.conf")) << "jit = off\n";
  const Run refused = it.apply("conf.d");
  CHECK(refused.exit == 3);
  CHECK(has(refused.err, "is there and not of kdb's making"));
  CHECK(bytes_of(it.data("kdb-tune.conf")) == "jit = off\n");
  std::filesystem::remove(it.data("kdb-tune.conf"));
  if (geteuid() != 0) return;
  REQUIRE(chown(it.data("postgresql.conf").c_str(), 0, 0) == 0);
  std::filesystem::permissions(it.data("postgresql.conf"), std::filesystem::perms::others_read,
                               std::filesystem::perm_options::add);
  const Run led = it.apply("conf.d");
  CHECK(led.exit == 3);
  CHECK_MESSAGE(has(led.err, "does not belong to the user that the server runs as"), led.err);
  CHECK(!std::filesystem::exists(it.data("kdb-tune.conf")));
}

TEST_CASE("a line that wins over kdb's file is named, and the file is taken back") {
  TunedServer it("work_mem = \"7MB\"\n");
  std::filesystem::create_directory(it.data("conf.d"));
  std::filesystem::permissions(it.data("conf.d"), std::filesystem::perms::all);
  std::ofstream(it.data("conf.d/zz.conf")) << "work_mem = '5MB'\n";
  std::ofstream(it.data("postgresql.conf"), std::ios::app) << "include_dir 'conf.d'\n";
  const std::string files = it.files();
  const Run applied = it.apply("conf.d");
  CHECK(applied.exit == 1);
  CHECK(has(applied.err, "work_mem is still '5MB' and not '7MB'"));
  CHECK(has(applied.err, "zz.conf:1"));
  CHECK(it.files() == files);
  CHECK(!std::filesystem::exists(it.data("conf.d/kdb-tune.conf")));
  CHECK(it.show("work_mem") == "5MB");
}

TEST_CASE("a restart that fails ends with the server running on what it had") {
  TunedServer it("work_mem = \"7MB\"\nmax_connections = 60\n");
  const Restarter restarter(it.server());
  const Run restarted = it.apply("conf.d", {"--restart-command", restarter.command()});
  CHECK_MESSAGE(restarted.exit == 0, restarted.err);
  CHECK(has(restarted.out, "the server was restarted"));
  CHECK(it.show("max_connections") == "60");
  const std::string files = it.files();

  // A throwaway server has a file of its own in its place.
  it.declare("work_mem = \"7MB\"\nmax_connections = 70\nhba_file = \"/no/such/hba\"\n");
  for (const char* method : {"conf.d", "alter-system"}) {
    CAPTURE(method);
    const Run failed = it.apply(method, {"--restart-command", restarter.command()});
    CHECK(failed.exit == 1);
    CHECK_MESSAGE(has(failed.err, "the server runs again"), failed.err);
    CHECK(it.show("max_connections") == "60");
    CHECK(it.files() == files);
  }
  // It was never stopped, and has again what it had.
  it.declare("work_mem = \"8MB\"\nmax_connections = 70\n");
  const Run unchanged = it.apply("conf.d", {"--restart-command", "true"});
  CHECK(has(unchanged.err, "the server was never stopped"));
  CHECK(eventually([&] { return it.show("work_mem") == "7MB"; }));
  CHECK(unchanged.exit == 1);
  CHECK(has(unchanged.err, "the server was not restarted"));
  CHECK(it.files() == files);
}

TEST_CASE("a standby is changed first where it must have as much as its primary") {
  OwnServer primary;
  OwnServer standby(OwnServer::StandbyOf{primary});
  TempDir folder;
  Project project;
  std::filesystem::create_directories(project.folder());
  const auto apply = [&](const OwnServer& server, int connections, std::vector<std::string> more = {}) {
    const std::string profile =
        folder.write("p.toml", fmt::format("[server]\nmemory = \"512MB\"\ncpus = 2\n[server.settings]\n"
                                           "max_connections = {}\n",
                                           connections));
    std::vector<std::string> words = {"tune", "apply", "--method", "conf.d", "-p", profile};
    words.insert(words.end(), more.begin(), more.end());
    return project.kdb(server.url(), words);
  };
  REQUIRE(eventually(
      [&] { return Session(primary.url()).text("SELECT count(*) FROM pg_stat_replication") == "1"; }));
  const Run early = apply(primary, 120);
  CHECK(early.exit == 3);
  CHECK(has(early.err, "max_connections = 120 (now 100): its standby must have that much first"));
  const Run less = apply(standby, 60);
  CHECK(less.exit == 3);
  CHECK(has(less.err, "max_connections = 60: the primary has 100"));
  const Run first = apply(standby, 120);
  CHECK_MESSAGE(first.exit == 0, first.err);
  const Run then = apply(primary, 120, {"--standbys-follow"});
  CHECK_MESSAGE(then.exit == 0, then.err);
}

}  // namespace kdb::test::tune_apply_test
