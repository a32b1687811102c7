#pragma once

#include <string>
#include <string_view>

#include "model/query_plan.hpp"

namespace kdb {

/// The plan as people read it, a line for each node, indented; of parts that are read alike one, with their
/// number.
std::string plan_tree(const QueryPlan& plan, const PlanFacts& facts, std::string_view schema);

}  // namespace kdb
