// The statements for hypertables, for servers that no test can reach.
#include <doctest/doctest.h>

#include "files/profile.hpp"
#include "kinds/difference.hpp"

namespace kdb::hypertable_steps_test {

namespace {

ServerFacts server(int number, bool community = true) {
  ServerFacts facts;
  facts.timescale = TimescaleFacts{.schema = "tsx", .version = "x", .number = number, .community = community};
  return facts;
}

Declared<Hypertable> declare(const std::string& toml) {
  const auto none = [](const std::string&) { return std::optional<std::string>(); };
  return files::parse_profile("[hypertables.events]\ntime_column = \"at\"\n" + toml, "p.toml", none)
      .desired.of<Hypertable>()
      .front();
}

std::string text_of(const std::vector<ChangeStep>& steps) {
  std::string text;
  for (const ChangeStep& step : steps) {
    text += step.sql + "\n";
    for (const Hazard& hazard : step.hazards) text += "  ! " + hazard.id + ": " + hazard.reason + "\n";
  }
  return text;
}

std::string alter(const std::string& toml, const Live<Hypertable>& live, int number) {
  const Declared<Hypertable> declared = declare(toml);
  const Difference<Hypertable> difference{.action = Action::alter,
                                          .desired = &declared.value,
                                          .live = &live,
                                          .fields = differing(declared, live)};
  return text_of(steps(difference, server(number)));
}

Live<Hypertable> with_policies() {
  Hypertable table{.name = {"public", "events"}};
  table.time_column = "at";
  table.retention =
      Retention{.drop_after = {"1 year"}, .schedule = {.interval = {"1 day"}, .timezone = "UTC"}};
  table.columnstore = Columnstore{};
  table.columnstore->compress_after = {"7 days"};
  Live<Hypertable> live{.value = table, .facts = {}};
  live.facts.retention = JobFacts{.id = 1000, .fixed = true};
  live.facts.compression = JobFacts{.id = 1001};
  live.facts.compressed = 3;
  live.facts.chunks = 5;
  return live;
}

}  // namespace

TEST_CASE("the reference hypertable's statements, in the order in which the server takes them") {
  const Declared<Hypertable> declared = declare(R"(
chunk_interval = "7 days"
dimensions = [{ column = "metric_id", partitions = 4 }]
columnstore = { segment_by = ["metric_id"], order_by = ["at DESC"], compress_after = "90 days" }
retention = { drop_after = "2 years" }
reorder = { index = "i" }
migrate_data = true
)");
  CHECK(
      text_of(steps({.desired = &declared.value}, server(22803))) ==
      R"(SELECT "tsx".create_hypertable(relation => '"public"."events"'::pg_catalog.regclass, time_column_name => 'at', chunk_time_interval => INTERVAL '7 days', create_default_indexes => false, migrate_data => true)
  ! TABLE_REWRITE: writes every row again, into chunks
  ! ACQUIRES_ACCESS_EXCLUSIVE_LOCK: nobody can read or write it until all rows are moved
SELECT "tsx".add_dimension(hypertable => '"public"."events"'::pg_catalog.regclass, column_name => 'metric_id', number_partitions => 4)
  ! IRREVERSIBLE: a dimension cannot be taken away; chunks that are there span all of its values
ALTER TABLE "public"."events" SET (timescaledb.compress, timescaledb.compress_segmentby = '"metric_id"', timescaledb.compress_orderby = '"at" DESC NULLS FIRST')
SELECT "tsx".add_compression_policy(hypertable => '"public"."events"'::pg_catalog.regclass, compress_after => INTERVAL '90 days')
SELECT "tsx".add_retention_policy(relation => '"public"."events"'::pg_catalog.regclass, drop_after => INTERVAL '2 years')
  ! DELETES_DATA: drops every chunk older than 2 years
)");
  CHECK(text_of(steps_after_indexes({.desired = &declared.value}, server(22803))) ==
        "SELECT \"tsx\".add_reorder_policy(hypertable => '\"public\".\"events\"'::pg_catalog.regclass, "
        "index_name => "
        "'i')\n");
}

TEST_CASE("a job keeps its time zone and its next start in every version") {
  const Live<Hypertable> live = with_policies();
  CHECK(
      alter("retention = { drop_after = \"3 years\" }", live, 22803) ==
      R"(SELECT "tsx".alter_job(job_id => j.job_id, config => pg_catalog.jsonb_set(j.config, '{drop_after}', pg_catalog.to_jsonb(INTERVAL '3 years'::text)), next_start => coalesce(NULLIF(j.next_start, '-infinity'), j.initial_start), initial_start => j.initial_start, timezone => b.timezone) FROM timescaledb_information.jobs j JOIN _timescaledb_catalog.bgw_job b ON b.id = j.job_id WHERE j.job_id = 1000
)");
  CHECK(
      alter("retention = { drop_after = \"1 year\", schedule_interval = \"2 days\" }", live, 21102) ==
      R"(SELECT "tsx".alter_job(job_id => j.job_id, schedule_interval => INTERVAL '2 days', next_start => coalesce(NULLIF(j.next_start, '-infinity'), j.initial_start)) FROM timescaledb_information.jobs j JOIN _timescaledb_config.bgw_job b ON b.id = j.job_id WHERE j.job_id = 1000
)");
  // Its alter_job() cannot change a time zone.
  CHECK(alter("retention = { drop_after = \"1 year\", timezone = \"Asia/Tokyo\" }", live, 21102) ==
        R"(SELECT "tsx".remove_retention_policy(relation => '"public"."events"'::pg_catalog.regclass)
SELECT "tsx".add_retention_policy(relation => '"public"."events"'::pg_catalog.regclass, drop_after => INTERVAL '1 year', schedule_interval => INTERVAL '1 day', timezone => 'Asia/Tokyo')
  ! DELETES_DATA: drops every chunk older than 1 year
)");
  CHECK(alter("columnstore = { compress_after = \"P1W\" }\nretention = { drop_after = \"360 days\" }", live,
              22803)
            .find("compress") == std::string::npos);
}

TEST_CASE("what older versions and other editions cannot do is a finding and no statement") {
  const Declared<Hypertable> declared = declare(
      "columnstore = { compress_created_before = \"7 days\" }\nretention = { drop_after = \"1 year\" "
      "}\nchunk_skipping "
      "= [\"n\"]\n");
  const auto findings = [&](const ServerFacts& facts) {
    std::string text;
    for (const Problem& problem : unavailable(declared, facts)) text += problem.message + "\n";
    return text;
  };
  CHECK(
      findings(server(21102)) ==
      "[hypertables.events] columnstore.compress_created_before needs TimescaleDB 2.13; this database has x\n"
      "[hypertables.events] chunk_skipping needs TimescaleDB 2.16; this database has x\n");
  CHECK(findings(ServerFacts{}) ==
        "[hypertables.events] needs TimescaleDB, which this database does not have\n");
  CHECK(findings(server(22803)).empty());
  const Declared<Hypertable> rest = available_part(declared, server(22803, false));
  CHECK_FALSE(rest.sets("columnstore"));
  CHECK_FALSE(rest.sets("retention.drop_after"));
  CHECK(rest.sets("chunk_skipping"));
  CHECK(steps({.desired = &declared.value}, ServerFacts{}).empty());
}

TEST_CASE("what no statement can do is said with what to do instead") {
  Live<Hypertable> live = with_policies();
  live.value.dimensions = {{.column = "a", .partitions = 2}};
  const auto problems = [&](const std::string& toml) {
    const Declared<Hypertable> declared = declare(toml);
    std::string text;
    for (const Problem& problem : impossible(declared, &live, {})) text += problem.message + "\n";
    return text;
  };
  CHECK(problems("dimensions = []\ncolumnstore = false") ==
        "[hypertables.events] dimensions leave out a: a dimension cannot be taken away\n"
        "[hypertables.events] columnstore cannot be turned off while 3 chunks are compressed\n");
  CHECK(problems("state = \"absent\"") ==
        "[hypertables.events] is to be absent: a hypertable cannot become a plain table again\n");
  live.value.time_column = "then";
  CHECK(problems("") == "[hypertables.events] time_column is then and cannot become at\n");
}

TEST_CASE("settings of the columnstore leave compressed chunks as they are, and say so") {
  const Live<Hypertable> live = with_policies();
  const Declared<Hypertable> declared =
      declare("columnstore = { segment_by = [\"a\"], compress_after = \"7 days\" }");
  const Difference<Hypertable> difference{.action = Action::alter,
                                          .desired = &declared.value,
                                          .live = &live,
                                          .fields = differing(declared, live)};
  const auto all = steps(difference, server(22803));
  REQUIRE(all.size() == 1);
  CHECK(all[0].sql ==
        "ALTER TABLE \"public\".\"events\" SET (timescaledb.compress, timescaledb.compress_segmentby = "
        "'\"a\"')");
  CHECK(all[0].purpose == "for chunks that are compressed from now on; 3 compressed ones stay as they are");
  CHECK(all[0].lock == Lock{LockMode::access_exclusive, "events"});
  // A policy goes before what it needs.
  CHECK(alter("columnstore = false", live, 22803) ==
        R"(SELECT "tsx".remove_compression_policy(hypertable => '"public"."events"'::pg_catalog.regclass)
ALTER TABLE "public"."events" SET (timescaledb.compress = false)
)");
}

}  // namespace kdb::hypertable_steps_test
