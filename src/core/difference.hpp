#pragma once

#include <string>
#include <string_view>

namespace kdb {

/// The lines in which two texts differ, `-` before and `+` after, with up to two lines of context, as a
/// unified diff shows them. At most `max_lines` lines, then how many are left out. Trailing white space does
/// not count.
std::string difference(std::string_view before, std::string_view after, size_t max_lines = 40);

}  // namespace kdb
