#pragma once

#include <chrono>
#include <optional>
#include <string>
#include <vector>

#include "core/expectation.hpp"
#include "kinds/declared.hpp"
#include "model/planned_design.hpp"
#include "model/query.hpp"
#include "model/query_plan.hpp"
#include "model/query_statistics.hpp"
#include "model/report.hpp"

namespace kdb {

/// A declared query and what the server made of it: a plan, or why there is none.
struct ExplainedQuery {
  DeclaredQuery query;
  std::optional<QueryPlan> plan;
  std::optional<Problem> failure;
};

/// The same queries with what a plan would do to the database, in their order.
struct PlannedQueries {
  PlannedDesign design;
  std::vector<ExplainedQuery> queries;
  PlanFacts facts;
};

/// What the plans of declared queries are looked at with.
struct QueryReportInput {
  std::vector<ExplainedQuery> queries;
  PlanFacts facts;
  const std::vector<Declared<Index>>* indexes = nullptr;           // of the profile
  const std::vector<Declared<Hypertable>>* hypertables = nullptr;  // the same
  std::string schema = "public";                                   // left out of names
  bool chosen = false;  // some of the profile's queries: nothing is said of what none of them does
  std::optional<PlannedQueries> planned;  // whose verdicts count, where it is there
  std::optional<QueryStatistics> statistics;
};

struct QueryReport {
  Report report;
  bool failed = false;     // a query has no plan
  bool fails = false;      // an expectation does not hold
  bool unchecked = false;  // or nobody looked whether it does
};

/// A line for each query, what of it is not as expected, and what is to be said of all of them: declared
/// indexes that none uses, queries that no index serves, lookups that all chunks are searched for.
QueryReport report_queries(const QueryReportInput& input);

}  // namespace kdb
