#pragma once

#include "model/change.hpp"
#include "model/step.hpp"

namespace kdb {

/// A change of an object as the executor runs it: consecutive steps in one transaction are a block.
MigrationPlan to_plan(const Change& change);

}  // namespace kdb
