#pragma once

#include "flow/sandbox_plan.hpp"

namespace kdb::flow {

/// The plan of the database that the context names, and how its statements fared on a sandbox copy of the
/// database's schema, without its rows. The database itself is only read. What fails there, and what keeps
/// the copy from being one, is among the plan's problems.
Planned plan_and_rehearse(const Context& context, const SandboxPlanOptions& options);

}  // namespace kdb::flow
