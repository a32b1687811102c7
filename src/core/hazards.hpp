#pragma once

#include <string>
#include <vector>

#include "model/step.hpp"

namespace kdb {

/// Fills in the hazards of every step. What concerns a table that an earlier one of these plans creates is
/// none: nobody uses it yet and it holds nothing.
void note_hazards(std::vector<MigrationPlan>& plans);

/// Throws Error(refused) that lists every hazard which neither `allow` nor the migration's own `allow:`
/// permits, with the exact flag. An allowance is `HAZARD`, `HAZARD:OBJECT` or `all`; `all` never covers
/// DELETES_DATA and IRREVERSIBLE.
void refuse_hazards(const std::vector<MigrationPlan>& plans, const std::vector<std::string>& allow);

}  // namespace kdb
