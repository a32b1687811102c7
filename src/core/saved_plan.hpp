#pragma once

#include <string>
#include <vector>

#include "model/saved_plan.hpp"

namespace kdb {

/// Throws Error(refused) where a plan was made against a sandbox.
void refuse_sandbox_plan(const PlanOrigin& saved);

/// Throws Error(refused) where a plan was made from something else: another server, database, role, profile,
/// version of kdb.
void refuse_other_origin(const PlanOrigin& saved, const PlanOrigin& now);

/// Of what would be done now, what the saved plan says. Throws Error(refused), naming the objects, where that
/// would be something else than it says: only its own statements ever run, or fewer of them, because an
/// earlier run did the others. What kdb itself left half done is always tidied up.
std::vector<Change> keep_planned(const SavedPlan& saved, std::vector<Change> now);

/// Throws Error(refused) where the plan has a migration that is not among the `known` ones, pending and
/// applied.
void refuse_missing_migrations(const SavedPlan& saved, const std::vector<std::string>& known);

/// Whether the plan has a change of that object.
bool has_object_of(const SavedPlan& saved, const Change& change);

}  // namespace kdb
