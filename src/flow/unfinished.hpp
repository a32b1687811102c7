#pragma once

#include <vector>

#include "core/pending.hpp"
#include "flow/session.hpp"
#include "model/step.hpp"

namespace kdb::flow {

/// Takes out of the plan of an interrupted migration what an earlier run has finished; settings of the
/// session stay, because they are made again. Throws Error(history) if the file no longer has what was begun.
MigrationPlan without_finished_steps(const Session& session, const MigrationStatus& row, MigrationPlan plan);

}  // namespace kdb::flow
