#pragma once

#include <string>
#include <vector>

#include "core/diff.hpp"
#include "model/report.hpp"
#include "model/step.hpp"

namespace kdb {

/// A pending migration as a change: its statements as they would run. `refuses`: its hazards have to be
/// allowed, unless its file does so.
Change to_change(const MigrationPlan& plan, bool refuses);

/// `4 migrations to run, 2 objects to create, 1 to alter, 2 problems`; `nothing to do` where there is none.
/// `problems`: how many declared objects cannot be brought about.
std::string summary_of(const std::vector<Change>& changes, size_t problems);

/// What no profile declares, as a table.
Table to_table(const std::vector<Undeclared>& undeclared);

}  // namespace kdb
