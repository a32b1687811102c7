#pragma once

#include <string_view>

namespace kdb {

/// Whether a setting, in whatever case, changes what queries, writing and vacuums take, and nothing else.
/// What is not known to be so is not: it may run a command, load a library or lead to another's files.
bool only_changes_costs(std::string_view setting);

}  // namespace kdb
