// What `kdb explain` says of columnstores with few rows in a batch, and of chunks by the hundred.
#include "core/columnstore_remarks.hpp"

#include <string>
#include <vector>

#include <doctest/doctest.h>

namespace kdb::columnstore_remarks_test {

namespace {

const ObjectName events{"public", "ev"};

/// `chunks` in the plan, each read from its columnstore or, if `rowstore`, by a seq scan.
ExplainedQuery explained(const std::string& name, int chunks, bool rowstore = false) {
  ExplainedQuery result;
  result.query.name = name;
  QueryPlan& plan = result.plan.emplace();
  plan.root.type = "Append";
  plan.executed = true;
  plan.planning_ms = 95.4;
  for (int n = 0; n < chunks; ++n) {
    PlanNode node;
    node.type = rowstore ? "Seq Scan" : "Custom Scan";
    node.provider = rowstore ? "" : "ColumnarScan";
    node.relation = {"_timescaledb_internal", "c" + std::to_string(n)};
    node.loops = 1;
    node.rows = n == 0 ? 1 : 0;
    plan.root.children.push_back(node);
  }
  return result;
}

QueryReportInput input_of(std::vector<ExplainedQuery> queries, int parts,
                          const ColumnstoreFacts& columnstore) {
  QueryReportInput input;
  input.queries = std::move(queries);
  for (int n = 0; n < parts; ++n) {
    const ObjectName chunk{"_timescaledb_internal", "c" + std::to_string(n)};
    input.facts.relations[chunk] = {events, chunk, false};
  }
  input.facts.roots[events] = {parts, 5'000};
  add_columnstores({{events, columnstore}, {{"public", "unread"}, columnstore}}, input.facts);
  return input;
}

std::vector<std::string> warnings(const QueryReportInput& input) {
  std::vector<std::string> messages;
  for (const Problem& one : report_queries(input).report.warnings) messages.push_back(one.message);
  return messages;
}

constexpr ColumnstoreFacts thin{
    .rows = 45'000, .batches = 40'000, .bytes_before = 1'000, .bytes_after = 1'300, .uncounted = 45'000};
constexpr ColumnstoreFacts good{
    .rows = 45'000, .batches = 60, .bytes_before = 1'000, .bytes_after = 200, .uncounted = 45'000};

}  // namespace

TEST_CASE("a batch of a row or two is said once, with the queries that unpack most of them") {
  CHECK(
      warnings(input_of({explained("all", 10), explained("few", 4)}, 10, thin)) ==
      std::vector<std::string>{
          "all: looks into all 10 chunks of ev for 1 row, in 10 of them through its columnstore, where its "
          "indexes do not reach",
          "the columnstore of ev has 1.1 rows in a batch, where up to 1,000 fit, takes 130 % of what it did "
          "in rows, and is unpacked batch by batch for all"});
  CHECK(warnings(input_of({explained("all", 10), explained("few", 4)}, 10, good)).size() == 1);
  CHECK(warnings(input_of({explained("few", 4)}, 10, thin)).empty());
  ColumnstoreFacts small = thin;
  small.rows = 9'000;
  small.batches = 8'000;
  CHECK(warnings(input_of({explained("all", 10)}, 10, small)).size() == 1);
}

TEST_CASE("rows in a columnstore count, though ANALYZE does not find them") {
  const QueryReportInput input = input_of({}, 10, thin);
  CHECK(input.facts.roots.at(events).rows == 50'000);
  CHECK(input.facts.roots.size() == 1);
  PlanFacts never;
  never.roots[events] = {10, -1};
  add_columnstores({{events, good}}, never);
  CHECK(never.roots.at(events).rows == 45'000);
}

TEST_CASE(
    "chunks that are planned by the hundred are named with their queries, where the profile says how long") {
  std::vector<Declared<Hypertable>> hypertables(1);
  hypertables[0].value.name = events;
  hypertables[0].fields["chunk_interval"] = {.file = "p.toml", .line = 3, .column = 18};
  QueryReportInput input = input_of({explained("all", 420, true), explained("few", 20, true)}, 420, good);
  input.hypertables = &hypertables;
  const std::vector<Problem> found = report_queries(input).report.warnings;
  REQUIRE(found.size() >= 1);
  CHECK(found.back().message == "hundreds of the 420 chunks of ev are planned for all (95 ms)");
  CHECK(found.back().where.line == 3);
  for (const std::string& message : warnings(input_of({explained("all", 150, true)}, 150, good)))
    CHECK(message.find("planned") == std::string::npos);
}

TEST_CASE("functions that jit compiles by the hundred are named with their query") {
  QueryReportInput input = input_of({explained("few", 4), explained("none", 4)}, 10, good);
  input.queries[0].plan->jit_functions = 1'900;
  input.queries[0].plan->jit_ms = 3'000;
  input.queries[1].plan->jit_functions = 20;
  CHECK(warnings(input) == std::vector<std::string>{"jit compiles 1900 functions for few (3000 ms)"});
}

}  // namespace kdb::columnstore_remarks_test
