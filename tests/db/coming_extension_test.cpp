// An extension and what stands on it, declared together on a database that has neither.
#include <filesystem>

#include "db/project.hpp"
#include "db/timescale.hpp"
#include "support/json.hpp"
#include "support/skip.hpp"
#include "support/text.hpp"

namespace kdb::test::coming_extension_test {

namespace {

constexpr const char* table =
    "CREATE TABLE events (at timestamptz NOT NULL, kind text NOT NULL, n int);"
    "CREATE TABLE words (word text)";

constexpr const char* hypertable = R"toml(
[extensions.timescaledb]
[hypertables.events]
time_column = "at"
chunk_interval = "7 days"
dimensions = [{ column = "kind", partitions = 4 }]
columnstore = { segment_by = ["kind"], order_by = ["at DESC"], compress_after = "90 days" }
retention = { drop_after = "2 years" }
reorder = { index = "events_kind" }
[indexes.events_kind]
table = "events"
columns = ["kind", "at DESC"]
)toml";

constexpr const char* aggregate = R"toml(
[continuous_aggregates.events_by_day]
query = "SELECT time_bucket('1 day', at) AS day, kind, count(*) FROM events GROUP BY 1, 2"
[continuous_aggregates.events_by_day.refresh]
start_offset = "30 days"
end_offset = "1 day"
schedule_interval = "1 hour"
)toml";

struct Fresh {
  Database database;
  Project project;
  TempDir folder;
  std::string profile;

  explicit Fresh(const std::string& toml) : profile(folder.write("p.toml", toml).string()) {
    std::filesystem::create_directories(project.folder());
  }
  Run kdb(std::vector<std::string> words) const {
    words.insert(words.end(), {"-p", profile});
    return run(project.command(database.url(), words));
  }
  /// Changes as "create index events_kind; ", in their order.
  std::string planned() const {
    const Run plan = kdb({"plan", "--format", "json"});
    REQUIRE_MESSAGE(plan.exit == 0, (plan.out + plan.err));
    REQUIRE_FALSE(json_at(plan.out, "/changes").empty());
    std::string changes;
    for (int i = 0;; ++i) {
      const std::string change = "/changes/" + std::to_string(i);
      if (json_at(plan.out, change).empty()) return changes;
      const auto word = [&](const char* field) {
        const std::string quoted = json_at(plan.out, change + field);
        return quoted.substr(1, quoted.size() - 2);
      };
      changes += word("/action") + " " + word("/kind") + " " + word("/object") + "; ";
    }
  }
  std::string extensions() const {
    return database.text(
        "SELECT coalesce(string_agg(extname, ' ' ORDER BY extname), '') FROM pg_extension WHERE extname <> "
        "'plpgsql'");
  }
  /// From a fresh plan and from a saved one.
  void apply_both_ways() const {
    std::vector<std::string> apply = {"apply"};
    SUBCASE("from a fresh plan") {}
    SUBCASE("from a saved plan") {
      const std::string saved = (folder.path() / "plan.json").string();
      REQUIRE(kdb({"plan", "-q", "-o", saved}).exit == 0);
      apply.push_back(saved);
    }
    const Run applied = kdb(apply);
    CHECK_MESSAGE(applied.exit == 0, applied.err);
    check_done();
  }
  void check_done() const {
    const Run plan = kdb({"plan", "--exit-code"});
    CHECK_MESSAGE(plan.exit == 0, (plan.out + plan.err));
  }
};

constexpr const char* whole_plan =
    "create extension timescaledb; create hypertable events; create continuous aggregate events_by_day; "
    "create index events_kind; alter hypertable events; ";

}  // namespace

TEST_CASE("TimescaleDB and all that stands on it is one plan and one apply") {
  const Timescale server(false);
  if (!server.reason().empty()) return skip(server.reason());
  const Fresh it(std::string(hypertable) + aggregate);
  it.database.exec(table);
  CHECK(it.planned() == whole_plan);
  const Run text = it.kdb({"plan"});
  CHECK_MESSAGE(has(text.out, "the community edition"), text.out);
  CHECK(has(text.out, "segmentby"));
  CHECK(has(text.out, "add_retention_policy"));
  CHECK(has(text.out, "add_reorder_policy"));
  CHECK(it.extensions() == "");

  it.apply_both_ways();
  CHECK(it.database.text("SELECT string_agg(proc_name, ' ' ORDER BY proc_name) FROM "
                         "timescaledb_information.jobs WHERE hypertable_name IS NOT NULL") ==
        "policy_compression policy_refresh_continuous_aggregate policy_reorder policy_retention");
  CHECK(it.database.text("SELECT string_agg(outcome, ' ') FROM kdb.runs") == "done");
}

TEST_CASE("a pending migration may make TimescaleDB for what the profile declares") {
  const Timescale server(false);
  if (!server.reason().empty()) return skip(server.reason());
  Fresh it(std::string(hypertable).substr(std::string(hypertable).find("[hypertables")));
  it.project.migration("1_start", std::string("CREATE EXTENSION timescaledb;\n") + table + ";");
  CHECK(
      it.planned() ==
      "run migration 1 start; create hypertable events; create index events_kind; alter hypertable events; ");
  // The migration may fill the table: nobody knows yet that the policy has nothing to drop.
  const Run applied = it.kdb({"apply", "--allow", "DELETES_DATA:events"});
  CHECK_MESSAGE(applied.exit == 0, applied.err);
  it.check_done();
}

TEST_CASE("of an Apache edition that is yet to be made the rest is one finding each") {
  const Timescale server(true);
  if (!server.reason().empty()) return skip(server.reason());
  const Fresh it(hypertable);
  it.database.exec(table);
  const bool says_so =
      it.database.text(
          "SELECT coalesce(current_setting('timescaledb.license', true) = 'apache', comment ~ 'Apache') "
          "FROM pg_available_extensions WHERE name = 'timescaledb'") == "t";
  const Run refused = it.kdb({"apply"});
  CHECK(refused.exit == 1);
  for (const char* part : {"columnstore", "retention", "reorder"})
    CHECK_MESSAGE(has(refused.err,
                      std::string("[hypertables.events] ") + part + " needs TimescaleDB's community edition"),
                  refused.err);
  // Nothing is begun, unless nobody but the extension itself can tell its edition.
  CHECK(it.extensions() == (says_so ? "" : "timescaledb"));
  CHECK(it.database.text("SELECT count(*) FROM pg_class WHERE relname = 'events_kind'") == "0");
}

TEST_CASE("TimescaleDB that the server cannot make is said before anything begins") {
  const Fresh it("[extensions.timescaledb]\nversion = \"0.0.1\"\n" +
                 std::string(hypertable).substr(std::string(hypertable).find("[hypertables")));
  it.database.exec(table);
  const Run refused = it.kdb({"apply"});
  CHECK(refused.exit == 1);
  CHECK_MESSAGE(has(refused.err, "[hypertables.events] needs TimescaleDB, which this database does not have"),
                refused.err);
  CHECK(it.extensions() == "");
}

TEST_CASE("an index may need an operator class of an extension that the same plan makes") {
  const Fresh it(
      "[extensions.pg_trgm]\n[indexes.words_word]\ntable = \"words\"\nmethod = \"gin\"\n"
      "columns = [\"word gin_trgm_ops\"]\n[indexes.words_like]\ntable = \"words\"\nmethod = \"gist\"\n"
      "columns = [\"lower(word) gist_trgm_ops\"]\n");
  it.database.exec(table);
  if (it.database.text("SELECT count(*) FROM pg_available_extensions WHERE name = 'pg_trgm'") == "0")
    return skip("the server has no pg_trgm");
  CHECK(it.planned() == "create extension pg_trgm; create index words_like; create index words_word; ");
  it.apply_both_ways();
}

}  // namespace kdb::test::coming_extension_test
