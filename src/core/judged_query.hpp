#pragma once

#include <optional>
#include <string>
#include <vector>

#include "core/query_report.hpp"

namespace kdb {

/// A declared query with what its plan comes to, and the verdicts on it.
struct JudgedQuery {
  const ExplainedQuery* explained = nullptr;
  std::optional<PlanSummary> summary;
  std::vector<JudgedExpectation> judgements;  // of its expectations, in their order
  bool too_slow = false;
  bool time_unknown = false;  // its plan would be another one than the one that was run
};

JudgedQuery judge_query(const ExplainedQuery& explained, const QueryReportInput& input);

bool has(const JudgedQuery& judged, Verdict verdict);

/// The one word of a query's line: `ok`, `fails`, `unchecked`, `error`, or `-` where nothing is expected.
std::string verdict_word(const JudgedQuery& judged);

/// Of planning and running it.
double total_ms(const QueryPlan& plan);

}  // namespace kdb
