#pragma once

#include <cstdint>
#include <map>
#include <string>
#include <vector>

#include "base/error.hpp"
#include "core/setting_diff.hpp"

namespace kdb {

/// The settings of a primary of which its standbys must have at least as much, or they do not start, or stop
/// replaying. -- PG docs 27.4.3
bool is_followed_by_standbys(const std::string& name);

/// What is wrong with changing a primary that has standbys before these are changed: raised there first,
/// lowered here first. `standbys`: how many are connected.
std::vector<Problem> primary_problems(const std::vector<SettingDifference>& differences,
                                      const ServerSettingLookup& live, std::int64_t standbys);

/// What is wrong with rendered values on a standby. `primary`: the primary's, as far as the standby knows
/// them.
std::vector<Problem> standby_problems(const std::vector<SettingLine>& lines, const ServerSettingLookup& live,
                                      const std::map<std::string, std::int64_t>& primary);

}  // namespace kdb
