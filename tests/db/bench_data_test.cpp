// `kdb bench data` on a server: everything or nothing of the reference data, and nothing of anybody else's.

#include <csignal>

#include "core/reference_data.hpp"
#include "core/reference_metrics.hpp"
#include "db/gate.hpp"
#include "support/json.hpp"
#include "support/text.hpp"

namespace kdb::test::bench_data_test {

namespace {

/// The reference database, migrated by kdb itself, and kdb run on it.
struct Reference {
  Reference() {
    const Run up = kdb({"migrate", "up"});
    REQUIRE_MESSAGE(up.exit == 0, up.err);
  }

  std::vector<std::string> command(std::vector<std::string> words) const {
    std::vector<std::string> all = {
        KDB_BINARY, "-d", database.url(), "--migrations", KDB_SOURCE_DIR "/migrations", "-p", profile};
    all.insert(all.end(), words.begin(), words.end());
    return all;
  }
  Run kdb(const std::vector<std::string>& words) const { return run(command(words)); }

  std::int64_t rows(const std::string& table) const {
    return database.exec("SELECT count(*) FROM " + table).integer(0, 0);
  }
  void check_empty() const {
    for (const ReferenceTable table : reference_tables()) CHECK(rows(std::string(to_string(table))) == 0);
  }

  TempDir folder;
  std::string profile = folder.write("empty.toml", "").string();
  Database database;
};

}  // namespace

TEST_CASE("20,000 events are loaded, analysed and reported; a second time is refused") {
  const Reference it;
  const Run first = it.kdb({"bench", "data", "--events", "20000", "--seed", "4", "--format", "json"});
  REQUIRE_MESSAGE(first.exit == 0, first.err);
  CHECK(has(first.err, "target: " + it.database.name() + " on "));
  CHECK(json_at(first.out, "/format_version") == "1");
  CHECK(json_at(first.out, "/seed") == "\"4\"");
  CHECK(json_at(first.out, "/tables/3/table") == "\"klaviyo_events\"");
  CHECK(json_at(first.out, "/tables/3/rows") == "20000");
  CHECK(it.rows("klaviyo_metrics") == 30);
  CHECK(it.rows("klaviyo_campaigns") == 400);
  CHECK(it.rows("klaviyo_profiles") == 1'000);
  CHECK(it.rows("klaviyo_events") == 20'000);
  CHECK(it.database.text("SELECT reltuples::int FROM pg_class WHERE relname = 'klaviyo_events'") == "20000");
  const std::int64_t bytes =
      it.database.exec("SELECT avg(pg_column_size(properties))::int FROM klaviyo_events").integer(0, 0);
  CHECK(bytes > 296);
  CHECK(bytes < 314);
  const Run second = it.kdb({"bench", "data", "--events", "20000"});
  CHECK(second.exit == 3);
  CHECK_MESSAGE(has(second.err, "klaviyo_metrics holds rows already"), second.err);
  CHECK_MESSAGE(has(second.err, "klaviyo_events holds rows already"), second.err);
  CHECK(it.rows("klaviyo_events") == 20'000);
}

TEST_CASE("queries find by literal ids, by containment and over joins what is promised") {
  const Reference it;
  REQUIRE(it.kdb({"bench", "data", "--events", "20000"}).exit == 0);
  const auto number = [&](const std::string& sql) { return it.database.exec(sql).integer(0, 0); };
  CHECK(number("SELECT count(*) FROM klaviyo_events WHERE id = '" + event_id(19'999) + "'") == 1);
  CHECK(number("SELECT count(*) FROM klaviyo_events WHERE metric_id = '" + metric_id(placed_order) + "'") >
        1'500);
  CHECK(number("SELECT count(*) FROM klaviyo_events WHERE profile_id = '" + profile_id(0) + "'") > 1'500);
  CHECK(number("SELECT count(*) FROM klaviyo_events WHERE properties @> '{\"$message\": \"" +
               campaign_id(300) + "\"}'") > 5);
  CHECK(number("SELECT count(DISTINCT c.id) FROM klaviyo_campaigns c JOIN klaviyo_events e ON c.id = "
               "e.properties->>'$message' WHERE e.value > 0") > 200);
  CHECK(
      number("SELECT count(*) FROM klaviyo_events WHERE metric_id NOT IN (SELECT id FROM klaviyo_metrics) OR "
             "profile_id NOT IN (SELECT id FROM klaviyo_profiles)") == 0);
  CHECK(number("SELECT count(*) FROM klaviyo_events WHERE pg_catalog.jsonb_typeof(properties->'$value') = "
               "'string' AND value IS NOT NULL") == 0);
  CHECK(number("SELECT count(*) FROM klaviyo_campaigns WHERE status IN ('Sending', 'Scheduled')") > 0);
}

TEST_CASE("a signal leaves nothing, and the next run loads everything") {
  const Reference it;
  const Gate gate(it.database.url());
  it.database.exec(
      "CREATE FUNCTION hold() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN PERFORM public.wait_at_gate(); "
      "RETURN NEW; END $$; "
      "CREATE TRIGGER hold BEFORE INSERT ON klaviyo_events FOR EACH ROW EXECUTE FUNCTION hold()");
  Child kdb(it.command({"bench", "data", "--events", "2000"}));
  REQUIRE(gate.is_reached());
  kdb.kill(SIGINT);
  const Run result = kdb.wait();
  CHECK_MESSAGE(result.exit == 130, result.err);
  CHECK_MESSAGE(has(result.err, "hint: nothing was loaded"), result.err);
  it.check_empty();
  gate.open();
  CHECK(it.kdb({"bench", "data", "--events", "2000"}).exit == 0);
  CHECK(it.rows("klaviyo_events") == 2'000);
}

TEST_CASE("a row that the table does not take is named, by its number, and nothing is left") {
  const Reference it;
  it.database.exec("ALTER TABLE klaviyo_events ADD CONSTRAINT no_such CHECK (id <> '" + event_id(50'122) +
                   "')");
  const Run result = it.kdb({"bench", "data", "--events", "50500"});
  CHECK(result.exit == 1);
  CHECK_MESSAGE(has(result.err,
                    "row 50123 of klaviyo_events: new row for relation \"klaviyo_events\" violates "
                    "check constraint \"no_such\" (23514)"),
                result.err);
  it.check_empty();
}

TEST_CASE("missing tables are named with the command that makes them, and nothing is loaded") {
  const Reference it;
  it.database.exec("DROP TABLE klaviyo_campaigns, klaviyo_events");
  const Run result = it.kdb({"bench", "data"});
  CHECK(result.exit == 3);
  CHECK_MESSAGE(has(result.err, "table klaviyo_campaigns is missing"), result.err);
  CHECK_MESSAGE(has(result.err, "table klaviyo_events is missing"), result.err);
  CHECK_MESSAGE(has(result.err, "hint: `kdb migrate up`"), result.err);
  CHECK(it.rows("klaviyo_metrics") == 0);
  CHECK(it.kdb({"bench", "data", "--only", "klaviyo_metrics"}).exit == 0);
  CHECK(it.rows("klaviyo_metrics") == 30);
}

TEST_CASE("somebody else who writes to the tables is waited for, and then it is exit 4") {
  const Reference it;
  Session other(it.database.url());
  other.exec("BEGIN; LOCK TABLE klaviyo_events IN ROW EXCLUSIVE MODE");
  const Run result = it.kdb({"bench", "data", "--events", "10", "--lock-timeout", "50ms"});
  CHECK_MESSAGE(result.exit == 4, result.err);
  other.exec("ROLLBACK");
  it.check_empty();
}

TEST_CASE("a partitioned table is filled like a plain one") {
  const Reference it;
  it.database.exec(
      "DROP TABLE klaviyo_events; "
      "CREATE TABLE klaviyo_events (id text, metric_id text, profile_id text, \"timestamp\" timestamptz, "
      "value "
      "numeric, properties jsonb, synced_at timestamptz) PARTITION BY RANGE (\"timestamp\"); "
      "CREATE TABLE early PARTITION OF klaviyo_events FOR VALUES FROM (MINVALUE) TO ('2025-01-01 "
      "00:00:00+00'); "
      "CREATE TABLE late PARTITION OF klaviyo_events FOR VALUES FROM ('2025-01-01 00:00:00+00') TO "
      "(MAXVALUE)");
  const Run result = it.kdb({"bench", "data", "--events", "3000"});
  REQUIRE_MESSAGE(result.exit == 0, result.err);
  CHECK(it.rows("early") + it.rows("late") == 3'000);
  CHECK(it.rows("early") > 900);
  CHECK(it.database.text("SELECT reltuples::int FROM pg_class WHERE relname = 'klaviyo_events'") == "3000");
}

TEST_CASE("analysed is said only of what the server has analysed, as the role that owns the tables") {
  const Reference it;
  const std::string owner = "owner_of_" + it.database.name();
  const std::string login = "loader_of_" + it.database.name();
  const std::string tables = "klaviyo_metrics, klaviyo_campaigns, klaviyo_profiles, klaviyo_events";
  it.database.exec("CREATE ROLE " + owner + "; CREATE ROLE " + login + " LOGIN NOINHERIT; GRANT " + owner +
                   " TO " + login + "; GRANT SELECT, INSERT, UPDATE, DELETE, TRUNCATE ON " + tables + " TO " +
                   login);
  for (const ReferenceTable table : reference_tables())
    it.database.exec("ALTER TABLE " + std::string(to_string(table)) + " OWNER TO " + owner);
  const std::string url = it.database.url();
  const auto load = [&](const std::vector<std::string>& more) {
    std::vector<std::string> words = {
        KDB_BINARY, "bench", "data",
        "--events", "1000",  "-p",
        it.profile, "-d",    url + (has(url, "?") ? "&" : "?") + "user=" + login};
    words.insert(words.end(), more.begin(), more.end());
    return run(words);
  };
  const Run passed_over = load({});
  CHECK_MESSAGE(passed_over.exit == 1, passed_over.err);
  CHECK_MESSAGE(has(passed_over.err, "ANALYZE: "), passed_over.err);
  CHECK_MESSAGE(has(passed_over.err, "hint: all rows are there"), passed_over.err);
  CHECK(it.rows("klaviyo_events") == 1'000);
  it.database.exec("TRUNCATE " + tables);
  const Run as_owner = load({"--role", owner});
  CHECK_MESSAGE(as_owner.exit == 0, as_owner.err);
  CHECK(it.database.text("SELECT reltuples::int FROM pg_class WHERE relname = 'klaviyo_events'") == "1000");
}

TEST_CASE("--stdout writes what a COPY of psql's reads, and asks no server") {
  const Run result =
      run({KDB_BINARY, "bench", "data", "--events", "50", "--stdout", "--only", "klaviyo_events"},
          {{"DATABASE_URL", "postgresql://nobody@127.0.0.1:1/nowhere"}});
  REQUIRE_MESSAGE(result.exit == 0, result.err);
  CHECK(result.out.starts_with("BEGIN;\nCOPY \"public\".\"klaviyo_events\" (id, "));
  CHECK(result.out.ends_with("\n\\.\nCOMMIT;\n"));
  CHECK(std::count(result.out.begin(), result.out.end(), '\n') == 50 + 4);
}

}  // namespace kdb::test::bench_data_test
