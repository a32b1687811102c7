#pragma once

#include <optional>
#include <string_view>
#include <vector>

#include "base/error.hpp"
#include "core/sizing.hpp"

namespace kdb {

/// Whether a part of the value comes from the environment. A profile may be a stranger's, and such a value a
/// secret of whoever runs kdb. `$${` is a `${` that means itself.
bool is_from_environment(const WantedSetting& wanted);

/// What is wrong with a declared setting, said behind its name, and what to do; nothing where the server
/// would take it. `version`: `PostgreSQL 17`.
std::optional<Problem> problem_of(const WantedSetting& wanted, const SettingLookup& lookup,
                                  std::string_view version, const std::vector<std::string_view>& names);

}  // namespace kdb
