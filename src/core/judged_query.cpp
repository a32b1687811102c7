#include "core/judged_query.hpp"

#include <algorithm>

#include <fmt/format.h>

namespace kdb {

namespace {

/// The plan is one that nobody will have.
JudgedExpectation not_without(const IndexUse& use, std::string_view schema) {
  return {Verdict::unchecked,
          fmt::format("the plan uses the index {} as it is, which would be gone", to_text(use.index, schema)),
          "`kdb bench compare` measures queries without it"};
}

}  // namespace

double total_ms(const QueryPlan& plan) {
  return plan.planning_ms.value_or(0) + plan.execution_ms.value_or(0);
}

JudgedQuery judge_query(const ExplainedQuery& explained, const QueryReportInput& input) {
  JudgedQuery judged{.explained = &explained, .summary = std::nullopt, .judgements = {}};
  if (!explained.plan) return judged;
  judged.summary = summarize(*explained.plan, input.facts);
  const auto going = std::find_if(judged.summary->indexes.begin(), judged.summary->indexes.end(),
                                  [](const IndexUse& use) { return use.going; });
  for (const Expectation& one : explained.query.expects)
    judged.judgements.push_back(going == judged.summary->indexes.end()
                                    ? judge(one, *judged.summary, input.facts, input.schema)
                                    : not_without(*going, input.schema));
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
