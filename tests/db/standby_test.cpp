// A standby can be looked at, and nothing else.
#include <filesystem>

#include "db/own_server.hpp"
#include "support/json.hpp"
#include "support/text.hpp"

namespace kdb::test::standby_test {

namespace {

constexpr const char* one_index = "[indexes.orders_kind]\ntable = \"orders\"\ncolumns = [\"kind\"]\n";

/// A primary, what follows it, and a profile that both are as declared in, or not.
struct Pair {
  OwnServer primary;
  OwnServer standby{OwnServer::StandbyOf{primary}};
  Project project;
  TempDir folder;
  std::string profile = folder.write("p.toml", one_index).string();

  Pair() {
    project.migration("1_orders", "CREATE TABLE orders (id int PRIMARY KEY, kind text);",
                      "DROP TABLE orders;");
    const Run applied = kdb(primary, {"migrate", "up"});
    REQUIRE_MESSAGE(applied.exit == 0, applied.err);
    REQUIRE(follows());
  }

  Run kdb(const OwnServer& server, std::vector<std::string> words) const {
    words.insert(words.end(), {"-p", profile});
    return run(project.command(server.url(), words));
  }

  /// Whether the standby comes to have all that the primary has.
  bool follows() const {
    const std::string written = Session(primary.url()).text("SELECT pg_current_wal_flush_lsn()");
    return soon([&] {
      return Session(standby.url()).text("SELECT pg_last_wal_replay_lsn() >= '" + written + "'") == "t";
    });
  }

  std::string runs() const { return Session(primary.url()).text("SELECT count(*) FROM kdb.runs"); }
};

}  // namespace

TEST_CASE("a standby is planned, as what it is, and changed by nothing") {
  const Pair it;
  const Run undecided = it.kdb(it.standby, {"plan", "--exit-code"});
  CHECK_MESSAGE(undecided.exit == 2, undecided.err);
  CHECK_MESSAGE(has(undecided.out, ", standby)"), undecided.out);
  CHECK(has(undecided.out + undecided.err, "index orders_kind is undecided: the server is a standby"));
  CHECK(json_at(it.kdb(it.standby, {"plan", "--format", "json"}).out, "/standby") == "true");
  CHECK(json_at(it.kdb(it.primary, {"plan", "--format", "json"}).out, "/standby").empty());

  for (const std::vector<std::string>& words : std::vector<std::vector<std::string>>{
           {"apply"}, {"apply", "--yes"}, {"migrate", "up"}, {"migrate", "down", "--yes"}}) {
    const Run refused = it.kdb(it.standby, words);
    CAPTURE(words.back());
    CHECK_MESSAGE(refused.exit == 3, refused.err);
    CHECK_MESSAGE(has(refused.err, ", standby) cannot be written to"), refused.err);
    CHECK(has(refused.err, "hint: connect to the primary"));
  }
  const Run dry = it.kdb(it.standby, {"migrate", "up", "--dry-run"});
  CHECK_MESSAGE(dry.exit == 0, dry.err);

  CHECK(it.runs() == "1");
}

TEST_CASE("a standby of a database that is as declared has an empty plan") {
  const Pair it;
  const Run applied = it.kdb(it.primary, {"apply"});
  REQUIRE_MESSAGE(applied.exit == 0, applied.err);
  REQUIRE(it.follows());
  const Run plan = it.kdb(it.standby, {"plan", "--exit-code"});
  CHECK_MESSAGE(plan.exit == 0, (plan.out + plan.err));
  // Also where there is nothing to do: it may not be so on the primary, which this one lags behind.
  CHECK(it.kdb(it.standby, {"apply"}).exit == 3);
  CHECK(it.kdb(it.standby, {"migrate", "up"}).exit == 3);
}

}  // namespace kdb::test::standby_test
