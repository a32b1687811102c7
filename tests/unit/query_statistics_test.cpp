// What a server has counted, held against the declared queries and indexes: in words, and never a pass where
// nobody looked.
#include "core/query_statistics.hpp"

#include <string>

#include <doctest/doctest.h>

#include "core/query_report.hpp"

namespace kdb::test::query_statistics_test {

namespace {

QueryReportInput input_of(const std::vector<std::pair<std::string, std::string>>& queries) {
  QueryReportInput input;
  for (const auto& [name, sql] : queries) {
    ExplainedQuery explained;
    explained.query.name = name;
    explained.query.sql = sql;
    explained.plan = QueryPlan{};
    input.queries.push_back(explained);
  }
  input.statistics.emplace().indexes.emplace();
  input.statistics->statements.emplace();
  return input;
}

std::string warnings_of(const QueryReportInput& input) {
  std::string text;
  for (const Problem& one : report_queries(input).report.warnings) {
    text += one.message + "\n";
    if (!one.hint.empty()) text += "  " + one.hint + "\n";
  }
  return text;
}

const Table& statements_of(const QueryReport& report) {
  for (const Table& table : report.report.tables)
    if (table.key == "statements") return table;
  FAIL("no statements");
  return report.report.tables[0];
}

}  // namespace

TEST_CASE(
    "frequent statements that are not declared, slow ones, and declared ones that never ran are named") {
  QueryReportInput input =
      input_of({{"by_id", "SELECT * FROM t WHERE id = 5"}, {"by_kind", "SELECT * FROM t WHERE kind = 'a'"}});
  *input.statistics->statements = {{"1", "SELECT count(*)\n FROM t WHERE value > $1", 40, 60'000},
                                   {"2", "SELECT * FROM t WHERE id = $1", 10'000, 20'000},
                                   {"3", "INSERT INTO t VALUES ($1)", 5'000, 15'000},
                                   {"4", "SELECT relname FROM pg_catalog.pg_class", 9'000, 4'000},
                                   {"5", "SELECT seldom FROM t", 1, 1}};
  input.statistics->statements_since = "2025-01-01 00:00 UTC";
  CHECK(
      warnings_of(input) ==
      "declared, and not among the counted statements since 2025-01-01 00:00 UTC: by_kind\n"
      "  is the sql that of the application? Constants, parameters and white space may differ, names and "
      "aliases may not\n"
      "61 % of the time is of a frequent statement that no query declares, most of it of \"SELECT count(*) "
      "FROM t WHERE value > $1\"\n"
      "  [queries.NAME] declares one; --format json has their texts\n"
      "slow and repetitive: \"SELECT count(*) FROM t WHERE value > $1\": 40 calls of 1.5 s on average, 61 % "
      "of the time\n"
      "slow and repetitive: by_id: 10000 calls of 2 ms on average, 20 % of the time\n");
  const QueryReport report = report_queries(input);
  const Table& table = statements_of(report);
  REQUIRE(table.rows.size() == 2);
  CHECK(std::get<std::vector<std::string>>(table.rows[1][0]) == std::vector<std::string>{"by_id"});
  CHECK(std::get<std::string>(table.rows[0].back()) == "SELECT count(*)\n FROM t WHERE value > $1");
  input.chosen = true;
  CHECK(warnings_of(input).find("time") == std::string::npos);
}

TEST_CASE("a statement is slow and repetitive from its thresholds on") {
  struct Row {
    double calls;
    double total_ms;
    bool slow;
  };
  // Beside another one of 1000 s.
  const Row rows[] = {{10, 10'000, false},         {10, 10'001, true},         {9, 90'000, false},
                      {1'000'000, 249'999, false}, {1'000'000, 250'001, true}, {9, 990'000, false}};
  for (const Row& row : rows) {
    CAPTURE(row.total_ms);
    QueryReportInput input = input_of({{"rest", "SELECT 1"}});
    *input.statistics->statements = {{"1", "SELECT $1", 1e9, 1e6},
                                     {"2", "SELECT a FROM t", row.calls, row.total_ms}};
    CHECK((warnings_of(input).find("slow and repetitive: \"SELECT a") != std::string::npos) == row.slow);
  }
}

TEST_CASE("what was not looked at is said, and what never ran is then only supposed") {
  QueryReportInput input = input_of({{"by_id", "SELECT * FROM t WHERE id = 5"}});
  QueryStatistics& statistics = *input.statistics;
  statistics.hidden = 3;
  statistics.textless = 1;
  statistics.forgotten = 12;
  *statistics.statements = {{"1", "SELECT FROM WHERE", 1'000, 0}};
  statistics.replicas = 2;
  statistics.replica_names = {"a", "b"};
  CHECK(warnings_of(input) ==
        "2 replicas (a, b) count for themselves, and were not looked at\n"
        "  an index that nothing uses here may be what its queries live on: -d names the replica\n"
        "3 counted statements were not looked at: they are other roles', and this one may not see their "
        "texts\n"
        "  GRANT pg_read_all_stats to the role\n"
        "1 counted statements were not looked at: the server has lost their texts\n"
        "1 counted statements were not looked at: their texts are longer or newer than kdb's grammar takes\n"
        "declared, and not among the counted statements: by_id\n"
        "  they may have run: statements were thrown out 12 times for want of room (pg_stat_statements.max); "
        "some texts are hidden; some texts could not be compared; replicas count for themselves\n");
  statistics = {.why_no_indexes = "why", .why_no_statements = "because", .statements_hint = "do"};
  input.indexes = nullptr;
  CHECK(warnings_of(input) == "counted statements were not looked at: because\n  do\n");
}

TEST_CASE("an index that nothing has used is named with the time that its scans were counted") {
  std::vector<Declared<Index>> indexes;
  for (const char* name : {"idx_used", "idx_unused", "idx_unique", "idx_missing"}) {
    Declared<Index>& declared = indexes.emplace_back();
    declared.value.name = {"public", name};
    declared.value.unique = std::string(name) == "idx_unique";
  }
  QueryReportInput input = input_of({});
  input.indexes = &indexes;
  QueryStatistics& statistics = *input.statistics;
  *statistics.indexes = {{{"public", "idx_used"}, {7, "2025-02-01 00:00 UTC"}},
                         {{"public", "idx_unused"}, {}},
                         {{"public", "idx_unique"}, {}}};
  CHECK(warnings_of(input) ==
        "nothing has used the index idx_unused since it was made, or since the server counts\n"
        "  nobody knows how long that is: what runs once a week may not have run yet\n");
  statistics.server_start = "2025-01-31 00:00 UTC";
  statistics.indexes_age = 3 * 3600;
  CHECK(warnings_of(input) ==
        "nothing has used the index idx_unused since it was made, or since the server counts, at least since "
        "its start, 2025-01-31 00:00 UTC\n"
        "  that is at least 3 h 0 min: what runs once a week may not have run yet\n");
  statistics.indexes_age = 30 * 24 * 3600;
  CHECK(warnings_of(input).find("every write pays for it; of a new one, what runs once a week") !=
        std::string::npos);
  statistics.indexes_since = "2025-01-01 00:00 UTC";
  statistics.indexes_age = 3 * 3600;
  CHECK(warnings_of(input) ==
        "nothing has used the index idx_unused since it was made, or since 2025-01-01 00:00 UTC\n"
        "  that is 3 h 0 min: what runs once a week may not have run yet\n");
  const QueryReport report = report_queries(input);
  const Table& table = report.report.tables.at(2);
  CHECK(std::get<std::int64_t>(table.rows.at(0).at(4)) == 7);
  CHECK(std::holds_alternative<std::monostate>(table.rows.at(3).at(4)));
}

TEST_CASE("a statement of a stranger is shown on one line without its control characters") {
  QueryReportInput input = input_of({});
  *input.statistics->statements = {
      {"1", "SELECT \"\x1b[31m\xc3\xa4\",\n\t1 FROM t WHERE something_long = $1", 50, 100'000}};
  const QueryReport report = report_queries(input);
  const std::string shown = std::get<std::string>(statements_of(report).rows.at(0).at(4));
  CHECK(shown == "SELECT \"\\x1b[31m\xc3\xa4\", 1 FROM t WH\xe2\x80\xa6");
}

TEST_CASE("of what is no read and no change of rows only the command and its object are shown") {
  struct Row {
    const char* text;
    const char* shown;
  };
  const Row rows[] = {{"DO $$ BEGIN PERFORM pg_sleep(0.3); /* password=secret */ END $$", "DO"},
                      {"/* secret */ CALL app.charge('secret', $1)", "CALL app.charge"},
                      {"ALTER ROLE bob PASSWORD 'secret'", "ALTER ROLE bob"},
                      {"REFRESH MATERIALIZED VIEW CONCURRENTLY x", "REFRESH MATERIALIZED VIEW x"},
                      {"COPY t FROM PROGRAM 'secret'", "COPY t"},
                      {"SELECT 'secret' AS a INTO TEMP u", "SELECT INTO u"},
                      {"CREATE TABLE u AS SELECT 'secret'", "CREATE TABLE AS u"},
                      {"SET x = 'secret'", "SET"},
                      {"INSERT INTO t VALUES ($1)", "INSERT INTO t VALUES ($1)"},
                      {"/*controller='a'*/ -- b\n SELECT a FROM t", "SELECT a FROM t"}};
  for (const Row& row : rows) {
    CAPTURE(row.text);
    QueryReportInput input = input_of({});
    *input.statistics->statements = {{"1", row.text, 12, 60'000}};
    const QueryReport report = report_queries(input);
    const auto& cells = statements_of(report).rows.at(0);
    CHECK(std::get<std::string>(cells.at(4)) == row.shown);
    CHECK(std::get<std::string>(cells.back()) == row.shown);
    CHECK(warnings_of(input).find("secret") == std::string::npos);
  }
}

TEST_CASE("only what a profile can declare is called undeclared") {
  struct Row {
    const char* text;
    bool undeclared;
  };
  const Row rows[] = {{"SELECT a FROM t FOR UPDATE SKIP LOCKED", false},
                      {"WITH x AS (UPDATE t SET a = $1 RETURNING a) SELECT a FROM x", false},
                      {"SELECT nextval($1)", false},
                      {"SELECT $1", false},
                      {"SELECT extract(epoch FROM a), $1 IS DISTINCT FROM b", false},
                      {"SELECT pid, state FROM pg_stat_activity a, pg_locks ORDER BY state, pid", false},
                      {"WITH x AS (SELECT pid FROM pg_stat_activity) SELECT pid FROM x", false},
                      {"SELECT calls FROM \"s t\".pg_stat_statements", false},
                      {"SELECT hypertable_name FROM timescaledb_information.hypertables", false},
                      {"SELECT f FROM f($1)", false},
                      {"EXPLAIN SELECT a FROM t", false},
                      {"SELECT a FROM t", true},
                      {"TABLE t", true},
                      {"SELECT a FROM pg_class, ONLY t", true},
                      {"SELECT a FROM (SELECT a FROM app.t) x", true},
                      {"SELECT a FROM pg_class JOIN t ON oid = a", true},
                      {"WITH x AS (SELECT a FROM t) SELECT a FROM x", true}};
  for (const Row& row : rows) {
    CAPTURE(row.text);
    QueryReportInput input = input_of({});
    *input.statistics->statements = {{"1", row.text, 1'000, 60}, {"2", "UPDATE t SET a = $1", 1, 1'000}};
    CHECK((warnings_of(input).find("that no query declares") != std::string::npos) == row.undeclared);
  }
}

TEST_CASE("a declared query is known by all that it is, though it names pg_catalog") {
  QueryReportInput input = input_of({{"q", "SELECT pg_catalog.lower(a) FROM t WHERE a = 'x'"}});
  *input.statistics->statements = {{"1", "SELECT pg_catalog.lower(a) FROM t WHERE a = $1", 1'000, 60}};
  CHECK(warnings_of(input) == "slow and repetitive: q: 1000 calls of 0 ms on average, 100 % of the time\n");
}

TEST_CASE("what only asks for plans is no statement of the application") {
  QueryReportInput input = input_of({{"q", "SELECT a FROM t"}});
  *input.statistics->statements = {{"1", "EXPLAIN (FORMAT JSON, ANALYZE)\nSELECT a FROM t", 100, 900'000},
                                   {"2", "SELECT a FROM t", 10, 10},
                                   {"3", "UPDATE t SET a = $1", 10, 90}};
  CHECK(warnings_of(input) ==
        "slow and repetitive: \"UPDATE t SET a = $1\": 10 calls of 9 ms on average, 90 % of the time\n");
}

TEST_CASE("a change of rows that is too long to be compared leaves no doubt, and a read does") {
  QueryReportInput input = input_of({{"q", "SELECT a FROM t"}});
  *input.statistics->statements = {
      {.id = "1", .text = "INSERT INTO t VALUES ($1), (", .calls = 100, .total_ms = 1, .cut = true}};
  CHECK(warnings_of(input).find("were not looked at") == std::string::npos);
  CHECK(warnings_of(input).find("could not be compared") == std::string::npos);
  input.statistics->statements->at(0).text = "SELECT a FROM t WHERE a IN ($1, ";
  CHECK(warnings_of(input).find("1 counted statements were not looked at") != std::string::npos);
  CHECK(warnings_of(input).find("could not be compared") != std::string::npos);
}

TEST_CASE("of many slow statements the first ones are named") {
  QueryReportInput input = input_of({});
  for (int i = 0; i < 8; ++i)
    input.statistics->statements->push_back(
        {std::to_string(i), "UPDATE t" + std::to_string(i) + " SET a = $1", 10, 20'000});
  const std::string text = warnings_of(input);
  CHECK(text.find("UPDATE t4") != std::string::npos);
  CHECK(text.find("UPDATE t5") == std::string::npos);
  CHECK(text.ends_with("slow and repetitive: and 3 more\n"));
}

}  // namespace kdb::test::query_statistics_test
