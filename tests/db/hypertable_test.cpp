// Hypertables with their policies against a real TimescaleDB: what the catalog says is what a profile says,
// and the statements for a difference make it go away. On the community edition, and on the Apache edition as
// timescaledb.license = apache has it.
#include <random>

#include "base/text.hpp"
#include "core/profile_text.hpp"
#include "db/catalog.hpp"
#include "db/project.hpp"
#include "db/timescale.hpp"
#include "kinds/difference.hpp"
#include "support/cases.hpp"

namespace kdb::test::hypertable_test {

namespace {

const Live<Hypertable>& find(const LiveSchema& live, const ObjectName& name) {
  for (const auto& one : live.of<Hypertable>())
    if (one.value.name == name) return one;
  FAIL("no hypertable " << to_sql(name));
  return live.of<Hypertable>().front();
}

Declared<Hypertable> declare(const std::string& toml) {
  CAPTURE(toml);
  const auto desired = files::parse_profile(toml, "p.toml", no_environment).desired;
  REQUIRE(desired.of<Hypertable>().size() == 1);
  return desired.of<Hypertable>().front();
}

std::string text_of(const std::vector<FieldChange>& changes) {
  std::string text;
  for (const FieldChange& change : changes)
    text += change.field + ": " + change.live + " -> " + change.desired + "\n";
  return text;
}

std::vector<ChangeStep> all_steps(const Difference<Hypertable>& difference, const ServerFacts& facts) {
  std::vector<ChangeStep> all = steps(difference, facts);
  for (ChangeStep& step : steps_after_indexes(difference, facts)) all.push_back(std::move(step));
  return all;
}

/// In one transaction, as apply runs them.
void run_steps(Session& session, const std::vector<ChangeStep>& all) {
  session.exec("BEGIN");
  for (const ChangeStep& step : all) {
    CAPTURE(step.sql);
    CHECK(step.in_transaction);
    CHECK_FALSE(step.purpose.empty());
    try {
      session.exec(step.sql);
    } catch (const pg::ServerError& error) {
      FAIL_CHECK(error.message);
      session.exec("ROLLBACK");
      return;
    }
  }
  session.exec("COMMIT");
}

ServerFacts facts_of(const Database& database) {
  return database.in_session(
      [](Session& session) { return pg::read_facts(session.connection(), "public", "kdb"); });
}

/// What is declared comes true, in one go, and stays: the next difference is empty.
void converge(const Database& database, const std::string& toml, bool exists) {
  const ServerFacts facts = facts_of(database);
  const Declared<Hypertable> declared = available_part(declare(toml), facts);
  CAPTURE(toml);
  const LiveSchema before = catalog_of(database);
  Difference<Hypertable> difference{.desired = &declared.value};
  if (exists) {
    difference.action = Action::alter;
    difference.live = &find(before, declared.value.name);
    difference.fields = differing(declared, *difference.live);
    CHECK_FALSE(difference.fields.empty());
    CHECK(impossible(declared, difference.live, {}).empty());
  }
  database.in_session([&](Session& session) { run_steps(session, all_steps(difference, facts)); });
  const LiveSchema after = catalog_of(database);
  const Live<Hypertable>& live = find(after, declared.value.name);
  CHECK(text_of(differing(declared, live)).empty());
  CHECK(live.facts.unmanaged.empty());
}

constexpr const char* tables =
    "CREATE TABLE klaviyo_events (id bigint, \"timestamp\" timestamptz NOT NULL, metric_id text, value "
    "numeric);"
    "CREATE TABLE \"o.dd\".\"it's a \"\"t\" (\"T s\" timestamp, \"we,ird\" int, \"q\"\"\" int);"
    "CREATE INDEX \"I x\" ON \"o.dd\".\"it's a \"\"t\" (\"T s\"); CREATE INDEX i ON klaviyo_events "
    "(\"timestamp\");"
    "CREATE INDEX j ON klaviyo_events (metric_id, \"timestamp\");"
    "CREATE TABLE ticks (at bigint NOT NULL, device int);"
    "CREATE FUNCTION unix_now() RETURNS bigint STABLE LANGUAGE sql AS 'SELECT 1000000::bigint';"
    "CREATE FUNCTION other_now() RETURNS bigint STABLE LANGUAGE sql AS 'SELECT 2000000::bigint';"
    "CREATE FUNCTION part(text) RETURNS int IMMUTABLE LANGUAGE sql AS 'SELECT length($1)';"
    "CREATE TABLE days (day date, n int); INSERT INTO days SELECT '2026-01-01'::date + n, n FROM "
    "generate_series(1, 50) n;";

const std::string events = "[hypertables.klaviyo_events]\ntime_column = \"timestamp\"\n";

/// Declarations of hypertables that are made from tables.
const std::vector<std::string> creations = {
    events,
    events + R"(chunk_interval = "7 days"
dimensions = [{ column = "metric_id", partitions = 4 }]
columnstore = { segment_by = ["metric_id"], order_by = ["timestamp DESC"], compress_after = "90 days", schedule_interval = "12 hours", initial_start = "2099-01-01 00:00Z" }
retention = { drop_after = "2 years", initial_start = "2099-01-01T03:00:00+01:00", timezone = "Europe/Berlin" }
reorder = { index = "i", schedule_interval = "3 days", initial_start = "2099-01-01 00:00Z" })",
    events + R"(chunk_interval = "1 month"
dimensions = [{ column = "id", interval = 1000 }, { column = "metric_id", partitions = 2, function = "part" }]
columnstore = {}
chunk_skipping = ["id"])",
    events +
        R"(columnstore = { segment_by = [], order_by = ["value NULLS FIRST", "timestamp"], chunk_interval = "30 days", compress_created_before = "720 days", initial_start = "2099-01-01 00:00Z" }
retention = { drop_created_before = "P3Y", schedule_interval = "36:00:00", initial_start = "2099-01-01 00:00Z" })",
    events + "columnstore = { order_by = [\"metric_id DESC NULLS LAST\"] }",
    R"([hypertables.'"o.dd"."it''s a ""t"'])",
    R"([hypertables.ticks]
time_column = "at"
chunk_interval = 86400
integer_now = "unix_now"
columnstore = { segment_by = ["device"], compress_after = 100000, initial_start = "2099-01-01 00:00Z" }
retention = { drop_after = 700000, initial_start = "2099-01-01 00:00Z" })",
    R"([hypertables.days]
time_column = "day"
chunk_interval = "14 days"
migrate_data = true)",
};

/// The odd name does not fit into a literal of TOML.
std::string odd_table() {
  return "[hypertables.\"\\\"o.dd\\\".\\\"it's a \\\"\\\"t\\\"\"]\n"
         "time_column = \"T s\"\nchunk_interval = \"12:00:00\"\ndimensions = [{ column = \"we,ird\", "
         "partitions = 3 }]\n"
         "columnstore = { segment_by = [\"we,ird\", \"q\\\"\"], order_by = [\"\\\"T s\\\" DESC\"] }\n"
         "reorder = { index = \"I x\", initial_start = \"2099-01-01 00:00Z\" }\n";
}

std::string creation(size_t i) {
  return creations[i].starts_with("[hypertables.'") ? odd_table() : creations[i];
}

}  // namespace

TEST_CASE("a declared hypertable is made of a table, and is then what was declared") {
  for (const bool apache : {false, true}) {
    CAPTURE(apache);
    const Timescale server(apache);
    if (!server.reason().empty()) return skip(server.reason());
    const TimescaleDatabase database(tables);
    for (size_t i = 0; i < creations.size(); ++i) {
      if (i > 0) database.start_again();
      converge(database, creation(i), false);
      const LiveSchema live = catalog_of(database);
      const std::string text = profile_text(live, "public");
      CAPTURE(text);
      const files::Profile profile = files::parse_profile(text, "p.toml", no_environment);
      REQUIRE(profile.desired.of<Hypertable>().size() == 1);
      const auto& declared = profile.desired.of<Hypertable>()[0];
      CHECK(declared.value ==
            as_written(live.of<Hypertable>()[0].value, live.of<Hypertable>()[0].facts, "public"));
      CHECK(text_of(differing(declared, live.of<Hypertable>()[0])).empty());
    }
  }
}

TEST_CASE("every field of a hypertable can be changed, and is then what was declared") {
  const std::string start = "initial_start = \"2099-01-01 00:00Z\"";
  const std::vector<std::pair<std::string, std::string>> rows = {
      {"chunk_interval = \"7 days\"", "chunk_interval = \"36 hours\""},
      {"chunk_interval = \"7 days\"", "dimensions = [{ column = \"metric_id\", partitions = 4 }]"},
      {"dimensions = [{ column = \"metric_id\", partitions = 4 }]",
       "dimensions = [{ column = \"metric_id\", partitions = 8 }]"},
      {"dimensions = [{ column = \"id\", interval = 10 }]",
       "dimensions = [{ column = \"metric_id\", partitions = 8 }, { column = \"id\", interval = 50 }]"},
      {"chunk_interval = \"7 days\"", "chunk_skipping = [\"id\"]"},
      {"chunk_skipping = [\"id\"]", "chunk_skipping = [\"timestamp\"]"},
      {"chunk_skipping = [\"id\"]", "chunk_skipping = []"},
      {"chunk_interval = \"7 days\"", "tablespaces = [\"kdb test\"]"},
      {"tablespaces = [\"kdb test\"]", "tablespaces = []"},
      {"chunk_interval = \"7 days\"", "columnstore = {}"},
      {"columnstore = {}", "columnstore = false"},
      {"columnstore = { compress_after = \"1 day\", " + start + " }", "columnstore = false"},
      {"columnstore = {}", "columnstore = { segment_by = [\"metric_id\"] }"},
      {"columnstore = { segment_by = [\"metric_id\"] }", "columnstore = { segment_by = [] }"},
      {"columnstore = { segment_by = [\"metric_id\"] }", "columnstore = { order_by = [\"value\"] }"},
      {"columnstore = {}", "columnstore = { chunk_interval = \"30 days\" }"},
      {"columnstore = {}", "columnstore = { compress_after = \"1 day\", " + start + " }"},
      {"columnstore = { compress_after = \"1 day\", " + start + " }",
       "columnstore = { compress_after = \"2 days\" }"},
      {"columnstore = { compress_after = \"1 day\", " + start + " }",
       "columnstore = { compress_after = \"1 day\", schedule_interval = \"1 hour\" }"},
      {"columnstore = { compress_after = \"1 day\", " + start + " }",
       "columnstore = { compress_created_before = \"1 day\", " + start + " }"},
      {"chunk_interval = \"7 days\"", "retention = { drop_after = \"1 year\", " + start + " }"},
      {"retention = { drop_after = \"1 year\", " + start + " }", "retention = { drop_after = \"2 years\" }"},
      {"retention = { drop_after = \"1 year\", " + start + " }",
       "retention = { drop_after = \"1 year\", schedule_interval = \"1 hour\" }"},
      {"retention = { drop_after = \"1 year\", " + start + " }",
       "retention = { drop_after = \"1 year\", timezone = \"Asia/Tokyo\" }"},
      {"retention = { drop_after = \"1 year\", " + start + " }",
       "retention = { drop_after = \"1 year\", initial_start = \"2098-01-01 00:00Z\" }"},
      {"retention = { drop_after = \"1 year\", " + start + " }",
       "retention = { drop_created_before = \"1 year\", " + start + " }"},
      {"retention = { drop_after = \"1 year\", " + start + " }", "retention = false"},
      {"chunk_interval = \"7 days\"", "reorder = { index = \"i\", " + start + " }"},
      {"reorder = { index = \"i\", " + start + " }", "reorder = { index = \"j\" }"},
      {"reorder = { index = \"i\", " + start + " }",
       "reorder = { index = \"i\", schedule_interval = \"9 days\" }"},
      {"reorder = { index = \"i\", " + start + " }",
       "reorder = { index = \"i\", timezone = \"Asia/Tokyo\" }"},
      {"reorder = { index = \"i\", " + start + " }", "reorder = false"},
  };
  const Timescale server(false);
  if (!server.reason().empty()) return skip(server.reason());
  server.make_tablespace("kdb test");
  const TimescaleDatabase database(tables);
  for (const auto& row : rows) {
    const auto& before = row.first;
    const auto& after = row.second;
    CAPTURE(before);
    CAPTURE(after);
    database.start_again();
    converge(database, events + before, false);
    database.exec(
        "INSERT INTO klaviyo_events SELECT n, '2020-01-01'::timestamptz + n * '1 day'::interval, 'm' || n, n "
        "FROM generate_series(1, 30) n");
    converge(database, events + after, true);
    CHECK(database.text("SELECT count(*) FROM klaviyo_events") == "30");
    const Live<Hypertable> live = find(catalog_of(database), {"public", "klaviyo_events"});
    // Nothing was left to run at once, and no time was moved.
    for (const auto& job : {live.facts.compression, live.facts.retention, live.facts.reorder})
      if (job)
        CHECK_MESSAGE((job->next_start.starts_with("2099") || job->next_start.starts_with("2098")),
                      job->next_start);
  }
}

TEST_CASE("changing a policy leaves the time zone, the start and the next start of its job as they are") {
  const Timescale server(false);
  if (!server.reason().empty()) return skip(server.reason());
  const TimescaleDatabase database(tables);
  const std::string policy =
      "retention = { drop_after = \"1 year\", timezone = \"Europe/Berlin\", initial_start = "
      "\"2099-01-01 00:00Z\" }\n";
  converge(database, events + policy, false);
  const std::string job =
      "SELECT schedule_interval || ' ' || timezone || ' ' || initial_start::text || ' ' || (SELECT "
      "next_start FROM "
      "timescaledb_information.jobs j WHERE j.job_id = b.id)::text || ' ' || config FROM "
      "_timescaledb_config.bgw_job b "
      "WHERE proc_name = 'policy_retention'";
  database.exec("SET timezone TO 'UTC'");
  const auto read = [&] { return database.text("SET timezone TO 'UTC'; " + job); };
  CHECK(read() ==
        "1 day Europe/Berlin 2099-01-01 00:00:00+00 2099-01-01 00:00:00+00 {\"drop_after\": \"1 year\", "
        "\"hypertable_id\": 1}");
  converge(database, events + "retention = { drop_after = \"700 days\", schedule_interval = \"1 hour\" }",
           true);
  CHECK(read() ==
        "01:00:00 Europe/Berlin 2099-01-01 00:00:00+00 2099-01-01 00:00:00+00 {\"drop_after\": \"700 days\", "
        "\"hypertable_id\": 1}");
}

TEST_CASE("what the Apache edition refuses is one finding each, and all else is planned") {
  const Timescale server(true);
  if (!server.reason().empty()) return skip(server.reason());
  const Database database;
  database.exec("CREATE EXTENSION timescaledb");
  const Declared<Hypertable> declared = declare(creation(1));
  const auto problems = unavailable(declared, facts_of(database));
  REQUIRE(problems.size() == 3);
  CHECK(problems[0].message ==
        "[hypertables.klaviyo_events] columnstore needs TimescaleDB's community edition; timescaledb.license "
        "of this "
        "server is apache");
  CHECK(problems[0].where.line == 5);
  CHECK(problems[2].message.find("] reorder needs") != std::string::npos);
}

TEST_CASE("a retention policy says what it would delete now") {
  const Timescale server(false);
  if (!server.reason().empty()) return skip(server.reason());
  const TimescaleDatabase database(tables);
  converge(database, events + "chunk_interval = \"1 day\"", false);
  database.exec(
      "INSERT INTO klaviyo_events SELECT n, now() - n * '1 day'::interval, 'm' || n, n FROM "
      "generate_series(0, 9) n");
  const LiveSchema catalog = catalog_of(database);
  const Live<Hypertable> live = find(catalog, {"public", "klaviyo_events"});
  CHECK(live.facts.chunks == 10);
  const auto hazards = [&](const std::string& toml, const Live<Hypertable>& there) {
    const Declared<Hypertable> declared = declare(events + toml);
    const Difference<Hypertable> difference{.action = Action::alter,
                                            .desired = &declared.value,
                                            .live = &there,
                                            .fields = differing(declared, there)};
    std::string text;
    for (const ChangeStep& step : steps(difference, facts_of(database)))
      for (const Hazard& hazard : step.hazards)
        text += hazard.id + ":" + hazard.object + (hazard.blocks ? " blocks: " : ": ") + hazard.reason + "\n";
    return text;
  };
  CHECK(hazards("retention = { drop_after = \"5 days\" }", live) ==
        "DELETES_DATA:klaviyo_events blocks: drops every chunk older than 5 days: 4 of 10 now\n");
  CHECK(hazards("dimensions = [{ column = \"metric_id\", partitions = 2 }]", live) ==
        "IRREVERSIBLE:klaviyo_events blocks: a dimension cannot be taken away; chunks that are there span "
        "all of its "
        "values\n");
  Live<Hypertable> kept = live;
  kept.value.retention = Retention{.drop_after = {"1 year"}};
  kept.facts.retention = JobFacts{.id = 1};
  CHECK(hazards("retention = { drop_after = \"2 years\" }", kept).empty());
  CHECK(hazards("retention = { drop_after = \"3 days\" }", kept) ==
        "DELETES_DATA:klaviyo_events blocks: drops every chunk older than 3 days: 6 of 10 now\n");
}

TEST_CASE("a table with rows becomes no hypertable by chance") {
  const Timescale server(false);
  if (!server.reason().empty()) return skip(server.reason());
  const Declared<Hypertable> declared = declare("[hypertables.days]\ntime_column = \"day\"");
  CHECK(impossible(declared, nullptr, {.rows = 0, .bytes = 0}).empty());
  const auto problems = impossible(declared, nullptr, {.rows = 50, .bytes = 8192});
  REQUIRE(problems.size() == 1);
  CHECK(problems[0].message ==
        "[hypertables.days] migrate_data is needed where the table has rows (about 50): they are moved into "
        "chunks "
        "under a lock that keeps everybody out");
  const TimescaleDatabase database(tables);
  const Difference<Hypertable> difference{.desired = &declared.value};
  Session session(database.url());
  for (const ChangeStep& step : steps(difference, facts_of(database)))
    CHECK(failure_of(session.connection(), step.sql).sqlstate == "0A000");
}

TEST_CASE("the queries for older versions read the same, as far as these had it") {
  const Timescale server(false);
  if (!server.reason().empty()) return skip(server.reason());
  const TimescaleDatabase database(tables);
  converge(database, creation(1), false);
  Session session(database.url());
  ServerFacts facts = pg::read_facts(session.connection(), "public", "kdb");
  const auto read = [&](int number) {
    facts.timescale->number = number;
    return find(pg::read_catalog(session.connection(), facts, std::chrono::seconds(3)),
                {"public", "klaviyo_events"});
  };
  const Live<Hypertable> now = read(facts.timescale->number);
  for (const int number : {21102, 21300, 21400, 21702, 22201, 22400, 22500}) {
    CAPTURE(number);
    const Live<Hypertable> older = read(number);
    CHECK(older.value == now.value);
    CHECK(older.facts.retention == now.facts.retention);
    CHECK(older.facts.unmanaged == now.facts.unmanaged);
  }
}

namespace {

/// Random hypertables, made by TimescaleDB's own functions.
class Generator {
 public:
  explicit Generator(unsigned seed) : random_(seed) {}

  std::vector<std::string> table(int number) {
    const std::string name =
        one_of({"public", "\"o.dd\""}) + "." +
        quote_ident("t" + std::to_string(number) + one_of({"", ".x", " \"q\"", ";--", "ł"}));
    const std::string table = quote_literal(name);
    const bool integer = chance(25);
    const std::string type =
        integer ? one_of({"int", "bigint"}) : one_of({"timestamptz", "timestamp", "date"});
    const std::string age =
        integer ? "500" : "interval " + quote_literal(one_of({"90 days", "2 years", "1 mon 2 days"}));
    std::vector<std::string> sql = {
        "CREATE TABLE " + name + " (\"T s\" " + type + " NOT NULL, a int, \"b,\"\"\" text, c bigint)",
        "CREATE INDEX " + quote_ident("i" + std::to_string(number)) + " ON " + name + " (\"T s\", a)",
        "SELECT create_hypertable(" + table + ", 'T s', chunk_time_interval => " +
            (integer ? "1000" : "interval " + quote_literal(one_of({"7 days", "1 month", "2 days"}))) +
            ", create_default_indexes => false)"};
    if (chance(40))
      sql.push_back("SELECT add_dimension(" + table + ", " + one_of({"'a'", "'b,\"'"}) + ", 3)");
    if (integer) sql.push_back("SELECT set_integer_now_func(" + table + ", 'now_" + type + "')");
    if (chance(50)) {
      sql.push_back(
          "ALTER TABLE " + name + " SET (timescaledb.compress" +
          one_of({"", ", timescaledb.compress_segmentby = 'a'",
                  ", timescaledb.compress_segmentby = '\"b,\"\"\",a', timescaledb.compress_orderby = 'c "
                  "desc nulls last,\"T s\"'"}) +
          ")");
      if (chance(60)) sql.push_back("SELECT add_compression_policy(" + table + ", " + age + schedule() + ")");
    }
    if (chance(50)) sql.push_back("SELECT add_retention_policy(" + table + ", " + age + schedule() + ")");
    if (chance(25))
      sql.push_back("SELECT add_reorder_policy(" + table + ", 'i" + std::to_string(number) +
                    "', initial_start => '2099-01-01')");
    return sql;
  }

 private:
  size_t pick(size_t count) { return std::uniform_int_distribution<size_t>(0, count - 1)(random_); }
  bool chance(size_t percent) { return pick(100) < percent; }
  std::string one_of(std::vector<std::string> words) { return words[pick(words.size())]; }
  std::string schedule() {
    return ", initial_start => '2099-01-01'" + one_of({"", ", schedule_interval => interval '1 day 06:00'"}) +
           one_of({"", ", timezone => 'Europe/Berlin'"});
  }

  std::mt19937 random_;
};

}  // namespace

TEST_CASE("hypertables are read from the catalog, written as a profile, read back and made again the same") {
  const Timescale server(false);
  if (!server.reason().empty()) return skip(server.reason());
  const unsigned first_seed = seed();
  CAPTURE(first_seed);
  Generator generator(first_seed);
  const std::string setup =
      "CREATE SCHEMA \"o.dd\"; CREATE FUNCTION now_int() RETURNS int STABLE LANGUAGE sql AS 'SELECT 5';"
      "CREATE FUNCTION now_bigint() RETURNS bigint STABLE LANGUAGE sql AS 'SELECT 5::bigint'";
  const Database database;
  const Database again;
  for (const Database* one : {&database, &again}) one->exec("CREATE EXTENSION timescaledb");
  for (const Database* one : {&database, &again}) one->exec(setup);
  Session session(database.url());
  Session other(again.url());
  for (int i = 0; i < cases() / 4; ++i) {
    const std::vector<std::string> sql = generator.table(i);
    for (const std::string& statement : sql) {
      CAPTURE(statement);
      session.exec("SET IntervalStyle TO " + std::string(i % 2 == 0 ? "iso_8601" : "postgres_verbose"));
      session.exec(statement);
    }
    other.exec(sql[0]);
    other.exec(sql[1]);
  }
  const LiveSchema live = catalog_of(database);
  CHECK(static_cast<int>(live.of<Hypertable>().size()) == cases() / 4);
  const std::string text = profile_text(live, "public");
  const DesiredSchema desired = files::parse_profile(text, "p.toml", no_environment).desired;
  REQUIRE(desired.of<Hypertable>().size() == live.of<Hypertable>().size());
  const ServerFacts facts = facts_of(again);
  for (const auto& declared : desired.of<Hypertable>()) {
    const Live<Hypertable>& one = find(live, declared.value.name);
    CAPTURE(declared.key);
    CHECK(declared.value == as_written(one.value, one.facts, "public"));
    CHECK(text_of(differing(declared, one)).empty());
    run_steps(other, all_steps({.desired = &declared.value}, facts));
  }
  CHECK(profile_text(catalog_of(again), "public") == text);
}

}  // namespace kdb::test::hypertable_test
