#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "core/plan_summary.hpp"
#include "model/query.hpp"

namespace kdb {

enum class Verdict { holds, fails, unchecked };

/// `holds`, `fails`, `not checked`
std::string_view to_string(Verdict verdict);

struct JudgedExpectation {
  Verdict verdict = Verdict::unchecked;
  std::string reason;  // a clause: "klaviyo_events is read whole in 3 of its 25 chunks"
  std::string hint;
};

/// Whether a plan, or a run, is as expected. What only a run can tell is unchecked without one, never passed.
JudgedExpectation judge(const Expectation& expectation, const PlanSummary& summary, const PlanFacts& facts,
                        std::string_view schema);

/// How the plan reads a table: "klaviyo_events by idx_a (index only) in 5 of 25 chunks".
std::string describe(const TableUse& use, const PlanSummary& summary, std::string_view schema);

/// `3 of 25 chunks`; empty of a plain table.
std::string parts_text(size_t count, const TableUse& use);

}  // namespace kdb
