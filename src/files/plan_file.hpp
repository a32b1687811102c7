#pragma once

#include <string>
#include <string_view>

#include "model/saved_plan.hpp"

namespace kdb::files {

/// The plan that `kdb plan -o FILE.json` wrote. Throws Error(usage).
SavedPlan read_plan_file(const std::string& path);

/// The same of its text; `path` is for errors.
SavedPlan parse_plan(std::string_view text, const std::string& path);

}  // namespace kdb::files
