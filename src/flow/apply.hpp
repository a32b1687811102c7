#pragma once

#include <functional>
#include <optional>
#include <string>
#include <vector>

#include "flow/plan.hpp"

namespace kdb::flow {

struct ApplyOptions {
  PlanOptions plan;                // of a saved plan what it was made with
  std::optional<SavedPlan> saved;  // nothing but this is to run
  std::vector<std::string> allow;  // HAZARD[:OBJECT]
  /// Asked with what will run, before anything does; false ends with exit 3.
  std::function<bool(const Report&)> confirm;
};

/// Brings the database to the declared state, and proves it: plans again, and throws Error(failed) with what
/// is left. Throws Error(refused) for a hazard that is not allowed, or a saved plan that is not what would
/// run now, before anything is changed.
Report apply(const Context& context, const ApplyOptions& options);

}  // namespace kdb::flow
