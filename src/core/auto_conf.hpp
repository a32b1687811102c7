#pragma once

#include <set>
#include <string>

namespace kdb {

/// A postgresql.auto.conf without what changed between `before` and `after` of the settings `names`: one
/// whose line is still as in `after` gets that of `before`, or none. Whatever else `now` has, which may be
/// others' doing since, stays.
std::string without_changes(const std::string& now, const std::string& before, const std::string& after,
                            const std::set<std::string>& names);

}  // namespace kdb
