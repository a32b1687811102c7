#pragma once

#include <chrono>
#include <cstdint>
#include <string>
#include <string_view>

namespace kdb {

/// A value of COPY's text format behind what is in `text`: backslash, tab and line ends escaped. -- PG docs,
/// COPY, "Text Format"
void append_copy_value(std::string& text, std::string_view value);

inline constexpr std::string_view copy_null = "\\N";

void append_number(std::string& text, std::int64_t number);

/// `2025-12-31 23:59:59+00`, of seconds since 1970 UTC.
void append_timestamp(std::string& text, std::int64_t seconds);

/// Hundredths as a numeric: `12.05`. Not below 0.
void append_hundredths(std::string& text, std::int64_t hundredths);

}  // namespace kdb
