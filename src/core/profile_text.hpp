#pragma once

#include <string>
#include <string_view>

#include "kinds/declared.hpp"

namespace kdb {

/// The objects as a profile that declares them: sorted, without what is so by default, what is unusual as a
/// comment. Names of `default_schema` are written without it. The same bytes for the same objects.
std::string profile_text(const LiveSchema& live, std::string_view default_schema);

/// A comment of a profile on a line of its own, whatever is in the text.
std::string comment_line(std::string_view text);

/// A text as a string of a profile, quotes and all.
std::string profile_string(std::string_view text);

}  // namespace kdb
