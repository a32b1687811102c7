#pragma once

#include <vector>

#include "flow/session.hpp"
#include "model/step.hpp"

namespace kdb::flow {

/// Fills in the hazards of plans that may run, as they apply to the session's database now. Returns whether
/// there is anything to lose: not in a database without tables of its users. One query, where there are
/// hazards at all.
bool note_hazards_now(const Session& session, std::vector<MigrationPlan>& plans);

}  // namespace kdb::flow
