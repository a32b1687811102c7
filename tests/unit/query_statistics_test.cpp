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
        "nothing has used the index idx_unused since the server counts\n  every write pays for it\n");
  statistics.indexes_since = "2025-01-01 00:00 UTC";
  statistics.indexes_age = 3 * 3600;
  CHECK(warnings_of(input) ==
        "nothing has used the index idx_unused since 2025-01-01 00:00 UTC\n"
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

}  // namespace kdb::test::query_statistics_test
