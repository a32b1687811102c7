#pragma once

#include <chrono>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace kdb {

/// Spans of time in microseconds, as PostgreSQL's intervals and instants count them.
namespace usec {
inline constexpr std::int64_t second = 1'000'000;
inline constexpr std::int64_t minute = 60 * second;
inline constexpr std::int64_t hour = 60 * minute;
inline constexpr std::int64_t day = 24 * hour;
}  // namespace usec

/// A duration as PostgreSQL writes its settings: a number and a unit (`us ms s min h d`), `2s`, `1.5 min`; a
/// bare number counts in `bare_unit`. Nothing if the text is something else, negative, or over 24 days
/// (PostgreSQL's int of milliseconds).
std::optional<std::chrono::milliseconds> parse_duration(
    std::string_view text, std::chrono::milliseconds bare_unit = std::chrono::milliseconds(1));

/// The shortest exact spelling that parse_duration reads back: `2s`, `1500ms`, `0`.
std::string format_duration(std::chrono::milliseconds duration);

/// A size with a binary unit (`B kB MB GB TB`), as PostgreSQL reads memory settings; a bare number counts
/// bytes.
std::optional<std::uint64_t> parse_bytes(std::string_view text);

}  // namespace kdb
