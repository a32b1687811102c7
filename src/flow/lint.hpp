#pragma once

#include <string>

#include "files/profile.hpp"
#include "model/report.hpp"

namespace kdb::flow {

/// Reviews the folder of migrations and the profile, without a server. Throws Error(usage) with every problem
/// of what cannot be read.
Report lint(const files::Profile& profile);

/// What a rule is about, or with `all` the list of them. Throws Error(usage) for a name that no rule has.
Report explain(const std::string& rule);

}  // namespace kdb::flow
