#pragma once

#include <vector>

#include "base/error.hpp"
#include "model/step.hpp"

namespace kdb {

/// Decides how a migration runs: splits its section, finds its transaction mode, classifies each statement.
/// What forbids it to run is added to `problems`, each with file:line:column; the plan is then of no use.
MigrationPlan plan_migration(const Migration& migration, Direction direction, std::vector<Problem>& problems);

/// The same, with what can be split and is refused nevertheless (transaction control, mostly) kept apart from
/// what cannot be read; where there is only the former, the plan holds what could be made sense of.
MigrationPlan plan_migration(const Migration& migration, Direction direction, std::vector<Problem>& malformed,
                             std::vector<Problem>& refused);

/// The same plan step by step, for a file that turned out not to fit into one transaction (a procedure that
/// commits, an enum value used in the transaction that added it). Nothing if the file insists on one
/// transaction, or holds state that only one transaction keeps.
std::optional<MigrationPlan> as_separate_steps(const MigrationPlan& plan, std::string reason);

}  // namespace kdb
