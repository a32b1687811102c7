#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace kdb {

/// The values of one line of COPY's text format, without its line feed; nothing for `\N`. Knows the escapes
/// that the format has for single characters (PG docs, COPY, text format), and no numbers.
std::vector<std::optional<std::string>> parse_copy_line(std::string_view line);

/// Rows in COPY's text format as `(…), (…)`, the text behind VALUES.
std::string values_of_copy(std::string_view rows);

}  // namespace kdb
