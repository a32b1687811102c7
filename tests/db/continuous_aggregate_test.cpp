// Continuous aggregates with their policies and indexes against a real TimescaleDB.

#include <filesystem>

#include <fmt/format.h>

#include "base/text.hpp"
#include "core/profile_text.hpp"
#include "db/catalog.hpp"
#include "db/project.hpp"
#include "db/timescale.hpp"
#include "kinds/difference.hpp"
#include "support/json.hpp"

namespace kdb::test::continuous_aggregate_test {

namespace {

constexpr const char* source =
    "CREATE EXTENSION timescaledb; CREATE SCHEMA \"o.dd\";"
    "CREATE TABLE events (\"timestamp\" timestamptz NOT NULL, metric_id text, value numeric);"
    "SELECT create_hypertable('events', 'timestamp');";

constexpr const char* daily =
    "CREATE MATERIALIZED VIEW \"o.dd\".\"da\"\"ily\" WITH (timescaledb.continuous, "
    "timescaledb.materialized_only = "
    "false) AS SELECT time_bucket('1 day', \"timestamp\") AS day, metric_id, sum(value) AS \"S um\" FROM "
    "events WHERE "
    "metric_id <> '${X}' GROUP BY 1, 2 WITH NO DATA";

std::string text_of(const std::vector<FieldChange>& changes) {
  std::string text;
  for (const FieldChange& change : changes)
    text += change.field + ": " + change.live + " -> " + change.desired + "\n";
  return text;
}

/// As the server prints it, which differs between its versions: in PostgreSQL 15 with the table before each
/// column.
std::string server_form(const Database& database, const std::string& query) {
  Session session(database.url());
  session.exec("SET search_path TO pg_catalog, public; CREATE TEMP VIEW v AS " + query);
  const std::string printed = session.text("SELECT pg_catalog.pg_get_viewdef('v'::regclass)");
  return printed.substr(1, printed.size() - 2);
}

/// A profile without the value that is printed otherwise by each version, but with its first words.
std::string without_query(std::string text) {
  const size_t query = text.find("query = '''\nSELECT time_bucket('1 day'::interval, ");
  REQUIRE(query != std::string::npos);
  const size_t end = text.find("'''\n", query + 12);
  CHECK(text.substr(query, end - query).find("'$${X}'::text") != std::string::npos);
  return text.erase(query, end + 4 - query);
}

Declared<ContinuousAggregate> declare(const std::string& toml) {
  const auto desired = files::parse_profile(toml, "p.toml", no_environment).desired;
  REQUIRE(desired.of<ContinuousAggregate>().size() == 1);
  return desired.of<ContinuousAggregate>().front();
}

ServerFacts facts_of(const Database& database) {
  return database.in_session(
      [](Session& session) { return pg::read_facts(session.connection(), "public", "kdb"); });
}

void run_steps(const Database& database, const Difference<ContinuousAggregate>& difference) {
  const std::vector<ChangeStep> all = steps(difference, facts_of(database));
  database.in_session([&](Session& session) {
    session.exec("BEGIN");
    for (const ChangeStep& step : all) {
      CAPTURE(step.sql);
      CHECK(step.in_transaction);
      session.exec(step.sql);
    }
    session.exec("COMMIT");
  });
}

/// What is declared comes true, and the next difference is empty.
void converge(const Database& database, const std::string& toml, bool exists) {
  CAPTURE(toml);
  const Declared<ContinuousAggregate> declared = declare(toml);
  const LiveSchema before = catalog_of(database);
  Difference<ContinuousAggregate> difference{.desired = &declared.value};
  if (exists) {
    difference.live = &before.of<ContinuousAggregate>().front();
    difference.fields = differing(declared, *difference.live);
    CHECK_FALSE(difference.fields.empty());
    difference.action = action_of(declared.value, difference.fields);
  }
  run_steps(database, difference);
  const LiveSchema after = catalog_of(database);
  REQUIRE(after.of<ContinuousAggregate>().size() == 1);
  CHECK(text_of(differing(declared, after.of<ContinuousAggregate>().front())) == "");
}

/// kdb with a profile, and no migrations.
class WithProfile {
 public:
  WithProfile() { std::filesystem::create_directories(project_.folder()); }

  Run operator()(const Database& database, std::vector<std::string> words, const std::string& profile) const {
    words.insert(words.end(), {"-p", folder_.write("p.toml", profile).string()});
    return run(project_.command(database.url(), words));
  }

 private:
  Project project_;
  TempDir folder_;
};

}  // namespace

TEST_CASE("a continuous aggregate is read, written as a profile, read back and made again the same") {
  const Timescale server(false);
  if (!server.reason().empty()) return skip(server.reason());
  const Database database;
  database.exec(source);
  database.exec(daily);
  database.exec(
      "ALTER MATERIALIZED VIEW \"o.dd\".\"da\"\"ily\" SET (timescaledb.compress);"
      "SELECT add_continuous_aggregate_policy('\"o.dd\".\"da\"\"ily\"', '1 month', '1 hour', '30 min', "
      "initial_start => "
      "'2099-01-01', timezone => 'Europe/Berlin');"
      "SELECT add_compression_policy('\"o.dd\".\"da\"\"ily\"', interval '60 days', initial_start => "
      "'2099-01-01');"
      "SELECT add_retention_policy('\"o.dd\".\"da\"\"ily\"', interval '2 years', initial_start => "
      "'2099-01-01');"
      "CREATE INDEX by_sum ON \"o.dd\".\"da\"\"ily\" (\"S um\" DESC)");
  const Run run = Project().kdb(database.url(), {"inspect"});
  CHECK_MESSAGE(run.exit == 0, run.err);
  const LiveSchema live = catalog_of(database);
  const std::string text = profile_text(live, "public");
  CHECK(run.out.find(text) != std::string::npos);
  CHECK(without_query(text.substr(text.find("[continuous"))) == R"([continuous_aggregates.'"o.dd"."da""ily"']
materialized_only = false
refresh.start_offset = "1 month"
refresh.end_offset = "1 hour"
refresh.schedule_interval = "30 minutes"
refresh.initial_start = "2099-01-01 00:00:00+00"
refresh.timezone = "Europe/Berlin"
columnstore.order_by = ["day", "metric_id"]
columnstore.compress_after = "60 days"
columnstore.schedule_interval = "12 hours"
columnstore.initial_start = "2099-01-01 00:00:00+00"
retention = { drop_after = "2 years", initial_start = "2099-01-01 00:00:00+00" }

[indexes.'"o.dd".by_sum']
table = '"o.dd"."da""ily"'
columns = ['"S um" DESC']

[indexes.events_timestamp_idx]
table = "events"
columns = ['"timestamp" DESC']
)");
  const DesiredSchema desired = files::parse_profile(text, "p.toml", no_environment).desired;
  REQUIRE(desired.of<ContinuousAggregate>().size() == 1);
  const auto& declared = desired.of<ContinuousAggregate>().front();
  const auto& there = live.of<ContinuousAggregate>().front();
  CHECK(declared.value == as_written(there.value, there.facts, "public"));
  CHECK(text_of(differing(declared, there)) == "");
  CHECK(there.facts.unmanaged.empty());

  const Database again;
  again.exec(source);
  run_steps(again, {.desired = &declared.value});
  const auto& index = desired.of<Index>().front().value;
  again.exec(create_sql(index, quote_ident(index.name.name), to_sql(index.table), false));
  CHECK(profile_text(catalog_of(again), "public") == text);
  const LiveSchema made = catalog_of(again);
  CHECK(made.of<Index>().front().facts.schema == "_timescaledb_internal");
  CHECK(made.of<Index>().front().value.name == ObjectName{"o.dd", "by_sum"});
}

TEST_CASE("every field of a continuous aggregate can be changed, and is then what was declared") {
  const Timescale server(false);
  if (!server.reason().empty()) return skip(server.reason());
  const Database database;
  database.exec(source);
  const auto aggregate = [&](const std::string& width) {
    return "[continuous_aggregates.daily]\nquery = '''" +
           server_form(database, "SELECT time_bucket('" + width +
                                     "', \"timestamp\") AS day, count(*) AS n FROM events "
                                     "GROUP BY 1") +
           "'''\n";
  };
  const std::string head = aggregate("1 day");
  const std::string other = aggregate("2 days");
  const std::string start = "initial_start = \"2099-01-01 00:00Z\"";
  const std::string refresh =
      "refresh = { start_offset = \"1 month\", end_offset = \"1 hour\", schedule_interval = "
      "\"1 hour\", " +
      start + " }";
  const std::vector<std::pair<std::string, std::string>> rows = {
      {head, other},
      {head + "materialized_only = true", head + "materialized_only = false"},
      {head, head + refresh},
      {head, head + "refresh = { schedule_interval = \"1 hour\", " + start + " }"},
      {head + refresh,
       head + "refresh = { start_offset = \"90 days\", end_offset = \"2 hours\", schedule_interval = \"1 "
              "hour\" }"},
      {head + refresh, head + "refresh = { schedule_interval = \"2 hours\" }"},
      {head + refresh, head + "refresh = { schedule_interval = \"1 hour\", timezone = \"Asia/Tokyo\" }"},
      {head + refresh, head + "refresh = false"},
      {head, head + "columnstore = { compress_after = \"60 days\", " + start + " }"},
      {head + "columnstore = { compress_after = \"60 days\", " + start + " }", head + "columnstore = false"},
      {head + "columnstore = { compress_after = \"60 days\", " + start + " }",
       head + "columnstore = { compress_after = \"50 days\" }"},
      {head, head + "retention = { drop_after = \"1 year\", " + start + " }"},
      {head + "retention = { drop_after = \"1 year\", " + start + " }",
       head + "retention = { drop_after = \"2 years\" }"},
      {head + "retention = { drop_after = \"1 year\", " + start + " }", head + "retention = false"},
  };
  for (const auto& [before, after] : rows) {
    converge(database, before, false);
    converge(database, after, true);
    database.exec("DROP MATERIALIZED VIEW daily");
  }
}

TEST_CASE("another query of a continuous aggregate, and its end, are said to delete its rows") {
  const Timescale server(false);
  if (!server.reason().empty()) return skip(server.reason());
  const Database database;
  database.exec(source);
  database.exec(daily);
  database.exec("INSERT INTO events VALUES ('2026-01-01', 'a', 1)");
  database.exec("CALL refresh_continuous_aggregate('\"o.dd\".\"da\"\"ily\"', NULL, NULL)");
  const LiveSchema live = catalog_of(database);
  const auto& there = live.of<ContinuousAggregate>().front();
  CHECK(there.facts.chunks == 1);
  const std::vector<ChangeStep> drop = steps({.action = Action::drop, .live = &there}, facts_of(database));
  REQUIRE(drop.size() == 1);
  CHECK(drop[0].sql == "DROP MATERIALIZED VIEW \"o.dd\".\"da\"\"ily\"");
  CHECK(drop[0].lock == Lock{LockMode::access_exclusive, "events"});
  REQUIRE(drop[0].hazards.size() == 1);
  CHECK(drop[0].hazards[0].id == "DELETES_DATA");
  CHECK(drop[0].hazards[0].blocks);
  database.exec(drop[0].sql);
  CHECK(catalog_of(database).of<ContinuousAggregate>().empty());
}

TEST_CASE("a query is compared by what it means, however it is spelled") {
  const Timescale server(false);
  if (!server.reason().empty()) return skip(server.reason());
  const Database database;
  database.exec(source);
  const WithProfile with_profile;
  const auto kdb = [&](std::vector<std::string> words, const std::string& query) {
    return with_profile(database, std::move(words),
                        "[continuous_aggregates.daily]\nquery = '''" + query + "'''\n");
  };
  const std::string query =
      "select time_bucket('1 day', \"timestamp\") as day, count( * ) n from Events where value>5 group by 1";
  const Run applied = kdb({"apply"}, query);
  REQUIRE_MESSAGE(applied.exit == 0, applied.err);
  const Run planned = kdb({"plan", "--exit-code"}, query);
  CHECK_MESSAGE(planned.exit == 0, (planned.out + planned.err));
  const Run spaced =
      kdb({"plan", "--exit-code"},
          "SELECT time_bucket(interval '1 day', events.\"timestamp\") AS day,\n  count(*) AS n\n"
          "FROM public.events WHERE (events.value > 5::numeric) GROUP BY time_bucket(interval '1 day', "
          "events.\"timestamp\")");
  CHECK_MESSAGE(spaced.exit == 0, (spaced.out + spaced.err));
  database.exec("INSERT INTO events VALUES ('2026-01-01', 'a', 7)");
  database.exec("CALL refresh_continuous_aggregate('daily', NULL, NULL)");
  const std::string other =
      "SELECT time_bucket('2 days', \"timestamp\") AS day, count(*) AS n FROM events WHERE value > 5 GROUP "
      "BY 1";
  const Run refused = kdb({"apply"}, other);
  CHECK(refused.exit == 3);
  CHECK_MESSAGE(refused.err.find("--allow 'DELETES_DATA:daily'") != std::string::npos, refused.err);
  CHECK(database.text("SELECT n FROM daily") == "1");
  const Run replaced = kdb({"apply", "--allow", "DELETES_DATA:daily"}, other);
  CHECK_MESSAGE(replaced.exit == 0, replaced.err);
  const Run wrong = kdb({"plan"}, "SELECT time_bucket('1 day', nope) FROM events GROUP BY 1");
  CHECK(wrong.exit == 1);
  CHECK_MESSAGE(
      wrong.out.find("p.toml:2:9: [continuous_aggregates.daily] query: column \"nope\" does not exist") !=
          std::string::npos,
      (wrong.out + wrong.err));
}

TEST_CASE("an aggregate of another schema reads the tables of that one") {
  const Timescale server(false);
  if (!server.reason().empty()) return skip(server.reason());
  const Database database;
  database.exec(
      "CREATE EXTENSION timescaledb; CREATE SCHEMA app; CREATE TABLE public.events (at timestamptz NOT NULL);"
      "CREATE TABLE app.events (at timestamptz NOT NULL); SELECT create_hypertable('public.events', 'at');"
      "SELECT create_hypertable('app.events', 'at');");
  const WithProfile with_profile;
  const auto kdb = [&](std::vector<std::string> words, const std::string& table) {
    return with_profile(database, std::move(words),
                        "[database]\nschema = \"app\"\n[continuous_aggregates.daily]\nquery = \"SELECT "
                        "public.time_bucket('1 day', at) AS day, count(*) FROM " +
                            table + " GROUP BY 1\"\n");
  };
  const Run unknown = kdb({"apply"}, "app.evnts");
  CHECK(unknown.exit == 1);
  CHECK_MESSAGE(unknown.err.find("query: relation \"app.evnts\" does not exist") != std::string::npos,
                unknown.err);
  const Run applied = kdb({"apply"}, "app.events");
  CHECK_MESSAGE(applied.exit == 0, applied.err);
  CHECK(catalog_of(database).of<ContinuousAggregate>().at(0).facts.source == ObjectName{"app", "events"});
  CHECK(kdb({"plan", "--exit-code"}, "events").exit == 0);
}

TEST_CASE("aggregates that stand on each other, and their indexes, are one plan and one apply") {
  const Timescale server(false);
  if (!server.reason().empty()) return skip(server.reason());
  const WithProfile kdb;
  const auto profile_with = [](const std::string& by_month) {
    return "[continuous_aggregates.by_month]\nquery = \"" + by_month +
           "\"\n[continuous_aggregates.daily]\nquery = \"SELECT time_bucket('1 day', hour) "
           "AS day, sum(n) AS n FROM hourly GROUP BY 1\"\n"
           "[continuous_aggregates.hourly]\nquery = '''SELECT time_bucket('1 hour', "
           "\"timestamp\") AS hour, count(*) AS n FROM events GROUP BY 1'''\n"
           "[indexes.daily_n]\ntable = \"daily\"\ncolumns = [\"n DESC\"]\n";
  };
  for (const std::string daily_name : {"daily", "public.daily"}) {
    CAPTURE(daily_name);
    const Database database;
    database.exec(source);
    const std::string profile = profile_with(
        "SELECT time_bucket('1 month', day) AS month, sum(n) AS n FROM " + daily_name + " GROUP BY 1");
    const Run applied = kdb(database, {"apply"}, profile);
    REQUIRE_MESSAGE(applied.exit == 0, (applied.out + applied.err));
    const Run planned = kdb(database, {"plan", "--exit-code"}, profile);
    CHECK_MESSAGE(planned.exit == 0, (planned.out + planned.err));
    CHECK(catalog_of(database).of<ContinuousAggregate>().size() == 3);
  }
  const Database database;
  database.exec(source);
  const Run wrong =
      kdb(database, {"apply"},
          profile_with("SELECT time_bucket('1 month', day) AS month, sum(nope) AS n FROM daily GROUP BY 1"));
  CHECK(wrong.exit == 1);
  CHECK_MESSAGE(wrong.err.find("[continuous_aggregates.by_month] query: column \"nope\" does not exist") !=
                    std::string::npos,
                wrong.err);
  CHECK(catalog_of(database).of<ContinuousAggregate>().empty());
}

TEST_CASE("an index of an aggregate that is there is compared by what it means, and can be added") {
  const Timescale server(false);
  if (!server.reason().empty()) return skip(server.reason());
  const Database database;
  database.exec(source);
  const WithProfile with_profile;
  const auto kdb = [&](std::vector<std::string> words, const std::string& indexes) {
    return with_profile(
        database, std::move(words),
        "[continuous_aggregates.h]\nquery = '''SELECT time_bucket('1 hour', \"timestamp\") AS "
        "hour, count(*) AS n FROM events GROUP BY 1'''\n" +
            indexes);
  };
  const std::string first = "[indexes.h_n]\ntable = 'h'\ncolumns = ['n desc']\nwhere = 'n>5'\n";
  const Run applied = kdb({"apply"}, first);
  CHECK_MESSAGE(applied.exit == 0, (applied.out + applied.err));
  const Run planned = kdb({"plan", "--exit-code"}, first);
  CHECK_MESSAGE(planned.exit == 0, (planned.out + planned.err));
  const std::string both = first + "[indexes.h_more]\ntable = 'h'\ncolumns = ['n asc', 'Hour']\n";
  const Run more = kdb({"plan", "--exit-code", "--format", "json"}, both);
  CHECK_MESSAGE(more.exit == 2, (more.out + more.err));
  CHECK(json_at(more.out, "/changes/0/object") == "\"h_more\"");
  CHECK(json_at(more.out, "/changes/1").empty());
  const Run added = kdb({"apply"}, both);
  CHECK_MESSAGE(added.exit == 0, (added.out + added.err));
  CHECK(kdb({"plan", "--exit-code"}, both).exit == 0);
  // What is a view and nothing else has no indexes.
  database.exec("CREATE VIEW v AS SELECT 1 AS n");
  const Run view = kdb({"plan"}, both + "[indexes.v_n]\ntable = 'v'\ncolumns = ['n']\n");
  CHECK(view.exit == 1);
  CHECK((view.out + view.err).find("is not a table") != std::string::npos);
}

TEST_CASE("an index of an aggregate goes by its view's schema, and is told from one of that name there") {
  const Timescale server(false);
  if (!server.reason().empty()) return skip(server.reason());
  const Database database;
  database.exec(source);
  database.exec("CREATE TABLE z (n int)");
  const WithProfile with_profile;
  const auto kdb = [&](std::vector<std::string> words, const std::string& profile) {
    return with_profile(database, std::move(words), profile);
  };
  const auto converges = [&](const std::string& profile) {
    const Run applied = kdb({"apply"}, profile);
    CHECK_MESSAGE(applied.exit == 0, (applied.out + applied.err));
    const Run planned = kdb({"plan", "--exit-code"}, profile);
    CHECK_MESSAGE(planned.exit == 0, (planned.out + planned.err));
  };
  const std::string aggregate =
      "[continuous_aggregates.h]\nquery = \"SELECT time_bucket('1 hour', \\\"timestamp\\\") AS hour, "
      "count(*) AS "
      "n FROM events GROUP BY 1\"\n";
  const auto of_h = [](const std::string& key, const std::string& comment) {
    return fmt::format(
        "[indexes.{}]\ntable = 'h'\ncolumns = ['(n + 1)']\ncomment = '{}'\nstatistics = {{ 1 = 300 }}\n", key,
        comment);
  };
  const std::string of_z = "[indexes.k]\ntable = 'z'\ncolumns = ['n']\n";
  converges(aggregate + of_h("k", "made with it"));
  converges(aggregate + of_h("k", "made after it"));
  database.exec("DROP INDEX _timescaledb_internal.k");
  converges(aggregate + of_h("k", "on one that was there"));

  // Declared for the table, too: neither is taken for the other one.
  const Run planned = kdb({"plan", "--exit-code"}, aggregate + of_z);
  CHECK(planned.exit == 2);
  CHECK_MESSAGE(planned.out.find("create   index k on z") != std::string::npos, planned.out);
  CHECK_MESSAGE(planned.out.find("_timescaledb_internal.k  h") != std::string::npos, planned.out);
  CHECK(planned.out.find("drop ") == std::string::npos);
  converges(aggregate + of_z + of_h("'_timescaledb_internal.k'", "beside it"));
  const Run inspected = run({KDB_BINARY, "inspect", "-d", database.url()});
  CHECK(inspected.out.find("[indexes.k]\ntable = \"z\"") != std::string::npos);
  CHECK(inspected.out.find("[indexes.\"_timescaledb_internal.k\"]\ntable = \"h\"") != std::string::npos);
  CHECK(kdb({"plan", "--exit-code"}, inspected.out).exit == 0);
  converges(inspected.out);
  database.exec("DROP INDEX k");
  CHECK(kdb({"plan", "--exit-code"}, aggregate + of_h("'_timescaledb_internal.k'", "beside it")).exit == 0);

  database.exec("CREATE TABLE _timescaledb_internal.taken ()");
  const Run taken = kdb({"plan"}, aggregate + of_h("taken", ""));
  CHECK(taken.exit == 1);
  CHECK_MESSAGE(taken.out.find("index taken: the name is that of a table") != std::string::npos, taken.out);
}

TEST_CASE("an aggregate that is replaced or dropped takes its indexes along, and the plan knows it") {
  const Timescale server(false);
  if (!server.reason().empty()) return skip(server.reason());
  const Database database;
  database.exec(source);
  database.exec("CREATE TABLE z (n int); CREATE SCHEMA a; CREATE SCHEMA b; CREATE INDEX kk ON z (n DESC)");
  const WithProfile with_profile;
  const auto kdb = [&](std::vector<std::string> words, const std::string& profile) {
    return with_profile(database, std::move(words), profile);
  };
  const auto converges = [&](const std::string& profile) {
    const Run applied = kdb({"apply", "--allow", "all,DELETES_DATA,IRREVERSIBLE"}, profile);
    CHECK_MESSAGE(applied.exit == 0, (applied.out + applied.err));
    const Run planned = kdb({"plan", "--exit-code"}, profile);
    CHECK_MESSAGE(planned.exit == 0, (planned.out + planned.err));
  };
  const auto aggregate = [](const std::string& name, const std::string& width) {
    return fmt::format(
        "[continuous_aggregates.'{}']\nquery = '''SELECT time_bucket('{}', \"timestamp\") AS hour, "
        "count(*) AS n FROM events GROUP BY 1'''\n",
        name, width);
  };
  const auto index = [](const std::string& key, const std::string& table, const std::string& columns) {
    return fmt::format("[indexes.'{}']\ntable = '{}'\ncolumns = ['{}']\n", key, table, columns);
  };
  converges(aggregate("h", "1 hour") + index("k", "h", "n"));
  converges(aggregate("h", "2 hours") + index("k", "h", "n"));
  converges(aggregate("h", "3 hours") + index("k", "h", "n desc"));
  const Run lost = kdb({"plan"}, aggregate("h", "4 hours"));
  CHECK_MESSAGE(lost.out.find("goes with its continuous aggregate") != std::string::npos, lost.out);
  converges(aggregate("g", "1 hour") + "[continuous_aggregates.h]\nstate = 'absent'\n" +
            index("k", "g", "n"));
  converges("[continuous_aggregates.g]\nstate = 'absent'\n" + index("g", "z", "n"));

  // One that the profile does not know is no table's of that name.
  converges(aggregate("public.h", "1 hour") + index("kk", "h", "n"));
  CHECK(database.text("SELECT count(*) FROM pg_class WHERE relname = 'kk'") == "2");
  const auto refused = [&](const std::string& profile, const std::string& text) {
    const Run planned = kdb({"plan"}, profile);
    CHECK(planned.exit == 1);
    CHECK_MESSAGE(planned.out.find(text) != std::string::npos, planned.out);
  };
  refused(aggregate("b.h", "1 hour") + index("b.kk", "b.h", "n"),
          "index b.kk: the name is that of an index of h");
  refused(aggregate("a.new", "1 hour") + aggregate("b.new", "1 hour") + index("a.l", "a.new", "n") +
              index("b.l", "b.new", "n"),
          "index b.l: the name is that of an index that is declared, too");
  refused(aggregate("h", "5 hours") + index("h", "z", "(n + 1)"), "index h: the name is that of a view");
  // A rename is one beside an index of that name, too; and an absent one needs no table.
  converges(index("kk", "z", "n desc") + index("kk_new", "h", "n"));
  CHECK(database.text("SELECT count(*) FROM pg_class WHERE relname ~ '^kk'") == "2");
  converges("[indexes.kk_new]\nstate = 'absent'\n");
  CHECK(database.text("SELECT to_regclass('_timescaledb_internal.kk_new') IS NULL") == "t");
  refused(aggregate("new", "1 hour") + index("new", "z", "(n + 1)"),
          "index new: the name is that of a continuous aggregate that is declared");
}

TEST_CASE("aggregates that stand on each other end from above, and one that is read is not replaced") {
  const Timescale server(false);
  if (!server.reason().empty()) return skip(server.reason());
  const Database database;
  database.exec(source);
  const WithProfile with_profile;
  const auto kdb = [&](std::vector<std::string> words, const std::string& profile) {
    return with_profile(database, std::move(words), profile);
  };
  const auto hourly = [](const std::string& width) {
    return "[continuous_aggregates.b_hourly]\nquery = '''SELECT time_bucket('" + width +
           "', \"timestamp\") AS hour, count(*) AS n FROM events GROUP BY 1'''\n";
  };
  const std::string daily_one =
      "[continuous_aggregates.c_daily]\nquery = \"SELECT time_bucket('1 day', hour) AS day, sum(n) AS n FROM "
      "b_hourly GROUP BY 1\"\n";
  const std::string no_hourly = "[continuous_aggregates.b_hourly]\nstate = 'absent'\n";
  const std::string no_daily = "[continuous_aggregates.c_daily]\nstate = 'absent'\n";
  const Run made = kdb({"apply"}, hourly("1 hour") + daily_one);
  REQUIRE_MESSAGE(made.exit == 0, (made.out + made.err));
  for (const std::string& rest : {daily_one, std::string()}) {
    const Run other = kdb({"plan"}, hourly("2 hours") + rest);
    CHECK(other.exit == 1);
    CHECK_MESSAGE(
        (other.out + other.err)
                .find("continuous aggregate b_hourly: it cannot be replaced while c_daily reads it") !=
            std::string::npos,
        (other.out + other.err));
    const Run gone = kdb({"plan"}, no_hourly + rest);
    CHECK_MESSAGE(
        (gone.out + gone.err).find("it cannot be dropped while c_daily reads it") != std::string::npos,
        (gone.out + gone.err));
  }
  // What is read is replaced once nothing reads it, and both end in one apply.
  const Run replaced = kdb({"apply", "--allow", "DELETES_DATA"}, hourly("2 hours") + no_daily);
  CHECK_MESSAGE(replaced.exit == 0, (replaced.out + replaced.err));
  REQUIRE(kdb({"apply"}, hourly("2 hours") + daily_one).exit == 0);
  const Run dropped = kdb({"apply", "--allow", "DELETES_DATA"}, no_hourly + no_daily);
  CHECK_MESSAGE(dropped.exit == 0, (dropped.out + dropped.err));
  CHECK(catalog_of(database).of<ContinuousAggregate>().empty());
}

TEST_CASE("of several refresh policies the first is managed, and the others are said") {
  const Timescale server(false);
  if (!server.reason().empty()) return skip(server.reason());
  const Database database;
  database.exec(source);
  database.exec(daily);
  if (facts_of(database).timescale->number < 22200) return skip("this TimescaleDB allows one only");
  for (const std::string offsets : {"'10 days', '1 hour'", "'90 days', '20 days'"})
    database.exec("SELECT add_continuous_aggregate_policy('\"o.dd\".\"da\"\"ily\"', " + offsets +
                  ", '30 min', initial_start => '2099-01-01')");
  const LiveSchema live = catalog_of(database);
  REQUIRE(live.of<ContinuousAggregate>().size() == 1);
  const auto& there = live.of<ContinuousAggregate>().front();
  CHECK(there.value.refresh->start_offset.text == "10 days");
  CHECK(there.facts.unmanaged == std::vector<std::string>{"1 more refresh policies"});
}

TEST_CASE("a continuous aggregate on the Apache edition is one finding and no statement") {
  const Timescale server(true);
  if (!server.reason().empty()) return skip(server.reason());
  const Database database;
  database.exec("CREATE EXTENSION timescaledb");
  const Declared<ContinuousAggregate> declared = declare("[continuous_aggregates.a]\nquery = \"SELECT 1\"\n");
  const ServerFacts facts = facts_of(database);
  const auto problems = unavailable(declared, facts);
  REQUIRE(problems.size() == 1);
  CHECK(problems[0].message ==
        "[continuous_aggregates.a] needs TimescaleDB's community edition; timescaledb.license of this server "
        "is apache");
  CHECK(steps({.desired = &declared.value}, facts).empty());
}

}  // namespace kdb::test::continuous_aggregate_test
