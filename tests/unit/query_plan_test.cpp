// What is read from EXPLAIN's JSON, what is made of a plan, and how expectations are judged by it. The plans
// are what PostgreSQL 15.20 and TimescaleDB 2.28 printed, without keys that are 0 or of no interest here.
#include <string>

#include <doctest/doctest.h>

#include "core/expectation.hpp"
#include "core/plan_summary.hpp"
#include "core/plan_tree.hpp"
#include "core/query_report.hpp"
#include "pg/explain.hpp"
#include "support/json.hpp"
#include "support/problems.hpp"

namespace kdb::query_plan_test {

namespace {

using test::problems_of;

/// SELECT * FROM events WHERE id = 77, run: the index of each of three partitions.
constexpr const char* lookup = R"json([{"Plan": {"Node Type": "Append", "Total Cost": 24.92, "Plan Rows": 3,
"Actual Total Time": 0.376, "Actual Rows": 1, "Actual Loops": 1, "Shared Hit Blocks": 1, "Shared Read Blocks": 6,
"Subplans Removed": 0, "Plans": [
{"Node Type": "Index Scan", "Parent Relationship": "Member", "Scan Direction": "Forward", "Index Name":
 "events_1_id_idx", "Relation Name": "events_1", "Schema": "public", "Alias": "events_1", "Total Cost": 8.3,
 "Plan Rows": 1, "Actual Rows": 0, "Actual Loops": 1, "Index Cond": "(events_1.id = 77)", "Shared Read Blocks": 2},
{"Node Type": "Index Scan", "Parent Relationship": "Member", "Scan Direction": "Forward", "Index Name":
 "events_2_id_idx", "Relation Name": "events_2", "Schema": "public", "Alias": "events_2", "Total Cost": 8.3,
 "Plan Rows": 1, "Actual Rows": 0, "Actual Loops": 1, "Index Cond": "(events_2.id = 77)", "Shared Read Blocks": 2},
{"Node Type": "Index Scan", "Parent Relationship": "Member", "Scan Direction": "Forward", "Index Name":
 "events_3_id_idx", "Relation Name": "events_3", "Schema": "public", "Alias": "events_3", "Total Cost": 8.3,
 "Plan Rows": 1, "Actual Rows": 1, "Actual Loops": 1, "Index Cond": "(events_3.id = 77)", "Shared Hit Blocks": 1,
 "Shared Read Blocks": 2}]}, "Settings": {"max_parallel_workers_per_gather": "0"}, "Planning": {"Shared Hit Blocks":
59, "Shared Read Blocks": 1}, "Planning Time": 0.478, "Execution Time": 0.483}])json";

/// Two of the partitions by a seq scan and a sort that does not fit into work_mem, run; one of them is
/// estimated wrongly.
constexpr const char* sorted = R"json([{"Plan": {"Node Type": "Sort", "Total Cost": 561.22, "Plan Rows": 1998,
"Actual Total Time": 3.703, "Actual Rows": 1998, "Actual Loops": 1, "Sort Key": ["events.value DESC"], "Sort Method":
"external merge", "Sort Space Used": 64, "Sort Space Type": "Disk", "Shared Hit Blocks": 107, "Temp Read Blocks": 8,
"Temp Written Blocks": 10, "Plans": [{"Node Type": "Append", "Parent Relationship": "Outer", "Total Cost": 411.69,
"Plan Rows": 1998, "Actual Rows": 1998, "Actual Loops": 1, "Shared Hit Blocks": 107, "Subplans Removed": 0, "Plans": [
{"Node Type": "Seq Scan", "Parent Relationship": "Member", "Relation Name": "events_2", "Schema": "public", "Alias":
 "events_1", "Total Cost": 190.86, "Plan Rows": 20, "Actual Rows": 999, "Actual Loops": 1, "Filter":
 "((events_1.at >= '2025-02-01'::date) AND (events_1.kind = 'k3'::text))", "Rows Removed by Filter": 8325,
 "Shared Hit Blocks": 51},
{"Node Type": "Seq Scan", "Parent Relationship": "Member", "Relation Name": "events_3", "Schema": "public", "Alias":
 "events_2", "Total Cost": 210.84, "Plan Rows": 999, "Actual Rows": 999, "Actual Loops": 1, "Filter":
 "((events_2.at >= '2025-02-01'::date) AND (events_2.kind = 'k3'::text))", "Rows Removed by Filter": 9324,
 "Shared Hit Blocks": 56}]}]}, "Settings": {"work_mem": "64kB"}, "Planning Time": 0.285, "Execution Time": 4.086}])json";

/// The index by a bitmap, not run: the bitmap index scans name no table.
constexpr const char* bitmap =
    R"json([{"Plan": {"Node Type": "Bitmap Heap Scan", "Relation Name": "events_1", "Schema":
"public", "Alias": "events_1", "Total Cost": 68.77, "Plan Rows": 150, "Recheck Cond": "(a OR b)", "Plans": [
{"Node Type": "BitmapOr", "Parent Relationship": "Outer", "Total Cost": 10.14, "Plan Rows": 150, "Plans": [
{"Node Type": "Bitmap Index Scan", "Parent Relationship": "Member", "Index Name": "events_1_id_idx", "Total Cost":
 5.78, "Plan Rows": 149, "Index Cond": "((events_1.id >= 1000) AND (events_1.id <= 1400))"},
{"Node Type": "Bitmap Index Scan", "Parent Relationship": "Member", "Index Name": "events_1_id_idx", "Total Cost":
 4.29, "Plan Rows": 1, "Index Cond": "(events_1.id = 5)"}]}]}}])json";

/// Two chunks of a hypertable below TimescaleDB's own nodes, run: the columnstore of the one by a condition
/// on its batches, that of the other by its index; and a third chunk, to which the run did not come.
constexpr const char* columns =
    R"json([{"Plan": {"Node Type": "Custom Scan", "Custom Plan Provider": "ChunkAppend",
"Relation Name": "ev", "Schema": "public", "Alias": "ev", "Total Cost": 10, "Plan Rows": 100, "Actual Rows": 90,
"Actual Loops": 1, "Shared Hit Blocks": 9, "Chunks excluded during startup": 2, "Plans": [
{"Node Type": "Custom Scan", "Parent Relationship": "Member", "Custom Plan Provider": "ColumnarScan", "Relation Name":
 "_hyper_1_1_chunk", "Schema": "_timescaledb_internal", "Alias": "ev", "Total Cost": 5, "Plan Rows": 50,
 "Actual Rows": 45, "Actual Loops": 1, "Rows Removed by Filter": 7, "Plans": [{"Node Type": "Seq Scan",
 "Parent Relationship": "child", "Relation Name": "compress_hyper_2_22_chunk", "Schema": "_timescaledb_internal",
 "Alias": "compress_hyper_2_22_chunk", "Total Cost": 1.12, "Plan Rows": 1, "Actual Rows": 1, "Actual Loops": 1,
 "Filter": "(compress_hyper_2_22_chunk.metric_id = 'm1'::text)", "Rows Removed by Filter": 9}]},
{"Node Type": "Custom Scan", "Parent Relationship": "Member", "Custom Plan Provider": "ColumnarScan", "Relation Name":
 "_hyper_1_2_chunk", "Schema": "_timescaledb_internal", "Alias": "ev", "Total Cost": 5, "Plan Rows": 50,
 "Actual Rows": 45, "Actual Loops": 1, "Plans": [{"Node Type": "Index Scan", "Parent Relationship": "child",
 "Relation Name": "compress_hyper_2_23_chunk", "Schema": "_timescaledb_internal", "Alias":
 "compress_hyper_2_23_chunk", "Total Cost": 1.12, "Plan Rows": 1, "Actual Rows": 1, "Actual Loops": 1,
 "Index Name": "compress_hyper_2_23_chunk_metric_id_idx"}]},
{"Node Type": "Index Scan", "Parent Relationship": "Member", "Index Name": "_hyper_1_3_chunk_idx_m", "Relation Name":
 "_hyper_1_3_chunk", "Schema": "_timescaledb_internal", "Alias": "ev", "Total Cost": 5, "Plan Rows": 50,
 "Actual Rows": 0, "Actual Loops": 0}]}, "Planning Time": 1, "Execution Time": 2,
"JIT": {"Functions": 7, "Timing": {"Generation": 1, "Total": 12.5}}}])json";

ObjectName internal(const std::string& name) { return {"_timescaledb_internal", name}; }

PlanFacts facts() {
  PlanFacts facts;
  const ObjectName events{"public", "events"};
  const ObjectName ev{"public", "ev"};
  for (const char* number : {"1", "2", "3"}) {
    const ObjectName part{"public", std::string("events_") + number};
    facts.relations[part] = {events, part, false};
    facts.indexes[{"public", part.name + "_id_idx"}] = {"public", "idx_events_id"};
    const ObjectName chunk = internal(std::string("_hyper_1_") + number + "_chunk");
    facts.relations[chunk] = {ev, chunk, false};
  }
  facts.roots[events] = {3, 30'000};
  facts.roots[ev] = {20, 20'000};
  facts.relations[internal("compress_hyper_2_22_chunk")] = {ev, internal("_hyper_1_1_chunk"), true};
  facts.relations[internal("compress_hyper_2_23_chunk")] = {ev, internal("_hyper_1_2_chunk"), true};
  facts.indexes[internal("_hyper_1_3_chunk_idx_m")] = {"public", "idx_m"};
  facts.declared[{"public", "idx_other"}] = true;
  facts.declared[{"public", "idx_broken"}] = false;
  return facts;
}

std::string replaced(std::string text, const std::string& from, const std::string& to) {
  for (size_t at = text.find(from); at != std::string::npos; at = text.find(from, at + to.size()))
    text.replace(at, from.size(), to);
  return text;
}

PlanSummary summary_of(const std::string& json) { return summarize(pg::parse_plan_json(json), facts()); }

std::string verdict_of(const std::string& json, const std::string& expectation) {
  Expectation parsed;
  REQUIRE_FALSE(parse_expectation(expectation, "public", parsed));
  const JudgedExpectation judgement = judge(parsed, summary_of(json), facts(), "public");
  return std::string(to_string(judgement.verdict)) + ": " + judgement.reason;
}

DeclaredQuery query_named(const std::string& name, const std::vector<std::string>& expects) {
  DeclaredQuery query;
  query.name = name;
  query.where = {"p.toml", 1, 1};
  for (const std::string& text : expects) {
    Expectation one;
    REQUIRE_FALSE(parse_expectation(text, "public", one));
    one.where = {"p.toml", 2, 3};
    query.expects.push_back(one);
  }
  return query;
}

}  // namespace

TEST_CASE("a plan is read with all that a run says of it") {
  const QueryPlan plan = pg::parse_plan_json(sorted);
  CHECK(plan.executed);
  CHECK(plan.planning_ms == 0.285);
  CHECK(plan.execution_ms == 4.086);
  CHECK(plan.settings.at("work_mem") == "64kB");
  CHECK(plan.root.type == "Sort");
  CHECK(plan.root.sort_method == "external merge");
  CHECK(plan.root.sort_kb == 64);
  CHECK(plan.root.sort_on_disk);
  CHECK(plan.root.buffers.hit == 107);
  CHECK(plan.root.buffers.temp_written == 10);
  CHECK(plan.root.others.at("Sort Key") == "[\"events.value DESC\"]");
  const PlanNode& scan = plan.root.children.at(0).children.at(1);
  CHECK(scan.relation == ObjectName{"public", "events_3"});
  CHECK(scan.relationship == "Member");
  CHECK(scan.estimated_rows == 999);
  CHECK(scan.rows == 999);
  CHECK(scan.removed_by_filter == 9324);
  CHECK(scan.filter.find("k3") != std::string::npos);
  CHECK_FALSE(pg::parse_plan_json(bitmap).executed);
  const QueryPlan compiled = pg::parse_plan_json(columns);
  CHECK(compiled.jit_functions == 7);
  CHECK(compiled.jit_ms == 12.5);
  CHECK(compiled.root.provider == "ChunkAppend");
  CHECK(compiled.root.others.at("Chunks excluded during startup") == "2");
}

TEST_CASE("an index has the schema of the table above it") {
  const PlanNode root = pg::parse_plan_json(bitmap).root;
  CHECK(root.children.at(0).children.at(1).index == ObjectName{"public", "events_1_id_idx"});
}

TEST_CASE("what is no plan is refused, and what kdb does not know of one is kept") {
  struct Case {
    std::string json;
    std::string problem;  // behind the colon; empty: a plan
  };
  std::string deep;
  for (int i = 0; i < 2000; ++i) deep += "{\"Plans\": [";
  std::string nested = "[{\"Plan\": ";
  for (int i = 0; i < 600; ++i) nested += "{\"Node Type\": \"A\", \"Plans\": [";
  for (int i = 0; i < 600; ++i) nested += "]}";
  const Case cases[] = {
      {"", "it is no JSON"},
      {"[{\"Plan\": ", "it is no JSON"},
      {"{}", "it has no plan"},
      {"[]", "it has no plan"},
      {"[1]", "it has no plan"},
      {"[{\"Plan\": []}]", "a node is no object"},
      {"[{\"Plan\": {}}]", "a node has no type"},
      {"[{\"Plan\": {\"Node Type\": \"A\", \"Plans\": 1}}]", "the nodes below one are no array"},
      {"[{\"Plan\": {\"Node Type\": \"A\", \"Plans\": [1]}}]", "a node is no object"},
      {"[{\"Plan\": " + deep, "it is nested too deeply"},
      {nested + "}]", "it is nested too deeply"},
      {R"([{"Plan": {"Node Type": "Quantum Scan", "Plan Rows": "many", "Actual Rows": 1e300, "New": {"a": [1]}}}])",
       ""},
      {R"([{"Plan": {"Node Type": "\"{[", "Sort Space Type": 5}, "JIT": 1, "Settings": [], "Planning": 0}])",
       ""},
  };
  for (const Case& row : cases) {
    CAPTURE(row.json.substr(0, 100));
    const std::string expected =
        row.problem.empty() ? "" : "exit 1: the server's EXPLAIN is not what kdb knows: " + row.problem;
    CHECK(problems_of([&] { pg::parse_plan_json(row.json); }) == expected);
  }
}

TEST_CASE("expectations are judged by plans and runs, in words") {
  struct Case {
    const char* json;
    const char* expectation;
    const char* verdict;
  };
  const Case cases[] = {
      {lookup, "index:idx_events_id", "holds: it is used in 3 of 3 partitions"},
      {lookup, "index:events_1_id_idx", "fails: there is no index events_1_id_idx"},
      {lookup, "index:idx_other",
       "fails: it is not used: events is read by idx_events_id in 3 of 3 partitions"},
      {lookup, "index:idx_broken", "fails: the index idx_broken is invalid: the server does not use it"},
      {lookup, "index:other.idx_events_id", "fails: there is no index other.idx_events_id"},
      {lookup, "no seq scan on events", "holds: events is read by idx_events_id in 3 of 3 partitions"},
      {lookup, "no seq scan on other", "fails: the query does not read other"},
      {lookup, "no sort", "holds: nothing is sorted"},
      {lookup, "no temp files", "holds: there are none"},
      {lookup, "buffers < 8", "holds: 7 pages were looked at"},
      {lookup, "buffers < 7", "fails: 7 pages were looked at"},
      {lookup, "chunks < 4", "holds: 3 are touched"},
      {lookup, "chunks < 3", "fails: 3 are touched"},
      {lookup, "rows removed by filter < 1", "holds: 0 rows were read and thrown away by a filter"},
      {sorted, "index:idx_nothing", "fails: there is no index idx_nothing"},
      {sorted, "index:idx_other", "fails: it is not used: events is read by a seq scan in 2 of 3 partitions"},
      {sorted, "no seq scan on events",
       "fails: events is read from one end to the other in 2 of 3 partitions"},
      {sorted, "no sort", "fails: rows are sorted"},
      {sorted, "no temp files", "fails: 18 pages of temporary files were read and written"},
      {sorted, "rows removed by filter < 17649", "fails: 17649 rows were read and thrown away by a filter"},
      {sorted, "rows removed by filter < 17650", "holds: 17649 rows were read and thrown away by a filter"},
      {bitmap, "index:idx_events_id", "holds: it is used in 1 of 3 partitions"},
      {bitmap, "no seq scan on events", "holds: events is read by idx_events_id in 1 of 3 partitions"},
      {bitmap, "no sort", "holds: nothing is sorted"},
      {bitmap, "buffers < 1000000", "not checked: only a run can tell"},
      {bitmap, "rows removed by filter < 1000000", "not checked: only a run can tell"},
      {bitmap, "no temp files", "not checked: only a run can tell"},
      {bitmap, "chunks < 2", "holds: 1 are in the plan"},
      {bitmap, "chunks < 1", "not checked: 1 are in the plan, and a run may touch fewer"},
      // A condition picks batches of the one columnstore, an index those of the other.
      {columns, "no seq scan on ev",
       "holds: ev is read by its columnstore's index and idx_m in 2 of 20 chunks"},
      {columns, "index:idx_m", "holds: it is used in 1 of 20 chunks"},
      {columns, "chunks < 3", "holds: 2 are touched"},
      {columns, "rows removed by filter < 8", "holds: 7 rows were read and thrown away by a filter"},
      {R"([{"Plan": {"Node Type": "Result"}}])", "index:idx_m",
       "not checked: no table is read: the server knows without looking that no row can be meant"},
      {R"([{"Plan": {"Node Type": "Result"}}])", "no seq scan on ev",
       "not checked: no table is read: the server knows without looking that no row can be meant"},
  };
  for (const Case& row : cases) {
    CAPTURE(row.expectation);
    CHECK(verdict_of(row.json, row.expectation) == row.verdict);
  }
}

TEST_CASE("a columnstore that is decompressed without a condition is read from one end to the other") {
  const std::string without =
      replaced(columns, "\"Filter\": \"(compress_hyper_2_22_chunk.metric_id = 'm1'::text)\",", "");
  CHECK(verdict_of(without, "no seq scan on ev") ==
        "fails: ev is read from one end to the other in 1 of 20 chunks");
}

TEST_CASE("the worst estimate is found in either direction, and not where a LIMIT ended the reading") {
  const PlanSummary summary = summary_of(sorted);
  REQUIRE(summary.worst_estimate);
  CHECK(summary.worst_estimate->node == "Seq Scan on events");
  CHECK(summary.worst_estimate->estimated == 20);
  CHECK(summary.worst_estimate->actual == 999);
  const std::string less =
      replaced(replaced(sorted, "\"Plan Rows\": 20,", "\"Plan Rows\": 999000,"), "x", "x");
  CHECK(summary_of(less).worst_estimate->factor == 1000);
  const std::string limited = R"([{"Plan": {"Node Type": "Limit", "Plan Rows": 50, "Actual Rows": 50,
    "Actual Loops": 1, "Plans": [{"Node Type": "Seq Scan", "Relation Name": "t", "Schema": "s", "Plan Rows": 100000,
    "Actual Rows": 50, "Actual Loops": 1}]}}])";
  CHECK(summary_of(limited).worst_estimate->factor == 1);
  const std::string below_sort = replaced(limited, "\"Seq Scan\"", "\"Sort\"");
  CHECK(summary_of(below_sort).worst_estimate->factor == 1);
  CHECK_FALSE(summary_of(bitmap).worst_estimate);
}

TEST_CASE("a plan's shape is the same whatever it costs, and another where it does something else") {
  const std::string shape = summary_of(lookup).shape;
  CHECK(shape.size() == 12);
  struct Case {
    const char* from;
    const char* to;
    bool same;
  };
  const Case cases[] = {
      {"\"Plan Rows\": 1,", "\"Plan Rows\": 99,", true},
      {"\"Total Cost\": 8.3", "\"Total Cost\": 4000", true},
      {"= 77", "= 78", true},
      {"\"Alias\": \"events_3\"", "\"Alias\": \"e\"", true},
      // One partition less is read like the others.
      {R"("events_3_id_idx", "Relation Name": "events_3")",
       R"("events_2_id_idx", "Relation Name": "events_2")", true},
      {"\"Index Scan\"", "\"Index Only Scan\"", false},
      {"\"Append\"", "\"Merge Append\"", false},
      {"events_3_id_idx", "events_3_other_idx", false},
      {"\"Relation Name\": \"events_3\"", "\"Relation Name\": \"elsewhere\"", false},
      {"\"Index Cond\": \"(events_3.id = 77)\",", "", false},
  };
  for (const Case& row : cases) {
    CAPTURE(row.from);
    const std::string changed = replaced(lookup, row.from, row.to);
    REQUIRE(changed != lookup);
    CHECK((summary_of(changed).shape == shape) == row.same);
  }
}

TEST_CASE("the workers of all of a plan are counted, and whether it is compiled") {
  const std::string parallel = R"([{"Plan": {"Node Type": "Append", "Plans": [
    {"Node Type": "Gather", "Workers Planned": 2}, {"Node Type": "Gather Merge", "Workers Planned": 1}]},
    "JIT": {"Functions": 4}}])";
  CHECK(summary_of(parallel).workers == 3);
  CHECK(summary_of(parallel).jit);
  CHECK(summary_of(lookup).workers == 0);
  CHECK_FALSE(summary_of(lookup).jit);
}

TEST_CASE("a plan is shown with parts that are read alike in one line") {
  CHECK(plan_tree(pg::parse_plan_json(lookup), facts(), "public") ==
        "  Append  [rows 3 → 1, buffers 7]\n"
        "    Index Scan by idx_events_id on events  [rows 3 → 1, buffers 7, 3 times]\n");
  CHECK(plan_tree(pg::parse_plan_json(sorted), facts(), "public") ==
        "  Sort  [rows 1998 → 1998, buffers 107]\n"
        "    Append  [rows 1998 → 1998, buffers 107]\n"
        "      Seq Scan on events  [rows 1019 → 1998, buffers 107, removed 17649, 2 times]\n");
}

TEST_CASE(
    "a report has a verdict for each query, what fails with its place, and never passes what nobody "
    "checked") {
  QueryReportInput input;
  input.facts = facts();
  const auto add = [&](const char* name, const char* json, const std::vector<std::string>& expects) {
    input.queries.push_back(
        {.query = query_named(name, expects), .plan = pg::parse_plan_json(json), .failure = {}});
  };
  add("good", lookup, {"index:idx_events_id"});
  add("bad", sorted, {"no sort", "no seq scan on events"});
  add("unknown", bitmap, {"index:idx_events_id", "buffers < 5", "no temp files"});
  add("free", lookup, {});
  input.queries.push_back(
      {.query = query_named("gone", {"no sort"}),
       .plan = {},
       .failure = Problem{.message = "gone cannot be explained: why", .where = {}, .hint = {}}});
  const QueryReport result = report_queries(input);
  CHECK(result.failed);
  CHECK(result.fails);
  CHECK(result.unchecked);
  CHECK(
      result.report.summary ==
      "5 queries: 1 as expected, 1 not as expected, 1 not checked, 1 without a plan, 1 without expectations");
  std::vector<std::string> verdicts;
  for (const auto& row : result.report.tables.at(0).rows) {
    CHECK(row.size() == result.report.tables.at(0).columns.size());
    verdicts.push_back(std::get<std::string>(row.at(1)));
  }
  CHECK(verdicts == std::vector<std::string>{"ok", "fails", "unchecked", "-", "error"});
  std::string problems;
  for (const Problem& one : result.report.problems)
    problems += to_string(one.where) + ": " + one.message + "\n";
  CHECK(
      problems ==
      "p.toml:2:3: bad expects \"no sort\": rows are sorted\n"
      "p.toml:2:3: bad expects \"no seq scan on events\": events is read from one end to the other in 2 of 3 "
      "partitions\n"
      ": gone cannot be explained: why\n");
  REQUIRE(result.report.warnings.size() == 2);
  CHECK(result.report.warnings[0].message ==
        "unknown: not checked: \"buffers < 5\": only a run can tell; \"no temp files\": only a run can tell");
  CHECK(result.report.warnings[1].message ==
        "bad: no index serves it: events is read by a seq scan in 2 of 3 partitions");
}

TEST_CASE("a bound on the time is judged by a run") {
  DeclaredQuery query = query_named("slow", {});
  query.max_latency = std::chrono::milliseconds(4);
  query.latency_where = {"p.toml", 7, 1};
  QueryReportInput input;
  input.queries.push_back({.query = query, .plan = pg::parse_plan_json(sorted), .failure = {}});
  QueryReport result = report_queries(input);
  CHECK(result.fails);
  REQUIRE(result.report.problems.size() == 1);
  CHECK(result.report.problems[0].message == "slow has a max_latency of 4ms and took 4.4 ms");
  CHECK(to_string(result.report.problems[0].where) == "p.toml:7:1");
  input.queries[0].query.max_latency = std::chrono::milliseconds(5);
  CHECK_FALSE(report_queries(input).fails);
}

TEST_CASE("with what is planned, a query that fails when it is run is still said to") {
  const auto query = [](const char* name, int limit) {
    DeclaredQuery made = query_named(name, {});
    if (limit > 0) made.max_latency = std::chrono::milliseconds(limit);
    return made;
  };
  const Problem why{.message = "broken cannot be explained: division by zero", .where = {}, .hint = {}};
  QueryReportInput input;
  input.queries = {{.query = query("broken", 0), .plan = {}, .failure = why},
                   {.query = query("late", 5), .plan = pg::parse_plan_json(lookup), .failure = {}},
                   {.query = query("same", 5), .plan = pg::parse_plan_json(sorted), .failure = {}}};
  PlannedQueries& planned = input.planned.emplace();
  for (const ExplainedQuery& one : input.queries)  // the second by another plan
    planned.queries.push_back({.query = one.query,
                               .plan = pg::parse_plan_json(one.query.name == "same" ? sorted : bitmap),
                               .failure = {}});
  planned.queries[2].plan->executed = false;
  const QueryReport result = report_queries(input);
  CHECK(result.failed);
  REQUIRE(result.report.problems.size() == 1);
  CHECK(result.report.problems[0].message == why.message);
  CHECK(result.unchecked);
  REQUIRE(result.report.warnings.size() == 1);
  CHECK(result.report.warnings[0].message ==
        "late: not checked: a max_latency of 5ms: what is planned cannot be run yet");
  std::vector<std::string> verdicts;
  for (const auto& row : result.report.tables.at(1).rows)
    verdicts.push_back(std::get<std::string>(row.at(1)));
  CHECK(verdicts == std::vector<std::string>{"-", "unchecked", "-"});
}

TEST_CASE(
    "declared indexes that no query uses are named, but for those that forbid something or are not there") {
  std::vector<Declared<Index>> indexes;
  for (const char* name : {"idx_events_id", "idx_other", "idx_unique", "idx_future"}) {
    Declared<Index> declared;
    declared.value.name = {"public", name};
    declared.value.unique = std::string(name) == "idx_unique";
    indexes.push_back(declared);
  }
  QueryReportInput input;
  input.facts = facts();
  input.facts.declared[{"public", "idx_unique"}] = true;
  input.indexes = &indexes;
  input.queries.push_back(
      {.query = query_named("q", {}), .plan = pg::parse_plan_json(lookup), .failure = {}});
  const QueryReport result = report_queries(input);
  REQUIRE(result.report.warnings.size() == 1);
  CHECK(result.report.warnings[0].message == "no declared query uses the index idx_other");
  const Table& table = result.report.tables.at(2);
  REQUIRE(table.rows.size() == 4);
  CHECK(std::get<std::vector<std::string>>(table.rows[0].at(2)) == std::vector<std::string>{"q"});
  CHECK(std::get<std::string>(table.rows[3].at(1)) == "not built");
  input.chosen = true;
  CHECK(report_queries(input).report.warnings.empty());
}

TEST_CASE("a lookup for which all parts are searched is named") {
  QueryReportInput input;
  input.facts = facts();
  input.facts.roots[{"public", "events"}] = {3, 30'000};
  input.queries.push_back(
      {.query = query_named("q", {}), .plan = pg::parse_plan_json(lookup), .failure = {}});
  CHECK(report_queries(input).report.warnings.empty());  // three are few
  PlanFacts& facts = input.facts;
  QueryPlan& plan = *input.queries[0].plan;
  for (const char* name : {"events_4", "events_5"}) {
    PlanNode more = plan.root.children[0];
    more.relation.name = name;
    facts.relations[more.relation] = {{"public", "events"}, more.relation, false};
    plan.root.children.push_back(more);
  }
  facts.roots[{"public", "events"}] = {5, 30'000};
  const QueryReport result = report_queries(input);
  REQUIRE(result.report.warnings.size() == 1);
  CHECK(result.report.warnings[0].message == "q: looks into all 5 partitions of events for 1 row");
  facts.roots[{"public", "events"}] = {6, 30'000};
  CHECK(report_queries(input).report.warnings.empty());
}

}  // namespace kdb::query_plan_test
