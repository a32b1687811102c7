#include "core/judged_query.hpp"

#include <algorithm>

namespace kdb {

double total_ms(const QueryPlan& plan) {
  return plan.planning_ms.value_or(0) + plan.execution_ms.value_or(0);
}

JudgedQuery judge_query(const ExplainedQuery& explained, const QueryReportInput& input) {
  JudgedQuery judged{.explained = &explained, .summary = std::nullopt, .judgements = {}};
  if (!explained.plan) return judged;
  judged.summary = summarize(*explained.plan, input.facts);
  for (const Expectation& one : explained.query.expects)
    judged.judgements.push_back(judge(one, *judged.summary, input.facts, input.schema));
  const auto& limit = explained.query.max_latency;
  judged.too_slow =
      limit && explained.plan->executed && total_ms(*explained.plan) > static_cast<double>(limit->count());
  return judged;
}

bool has(const JudgedQuery& judged, Verdict verdict) {
  return std::any_of(judged.judgements.begin(), judged.judgements.end(),
                     [&](const JudgedExpectation& one) { return one.verdict == verdict; });
}

std::string verdict_word(const JudgedQuery& judged) {
  if (!judged.summary) return "error";
  if (judged.too_slow || has(judged, Verdict::fails)) return "fails";
  if (judged.time_unknown || has(judged, Verdict::unchecked)) return "unchecked";
  return judged.judgements.empty() ? "-" : "ok";
}

}  // namespace kdb
