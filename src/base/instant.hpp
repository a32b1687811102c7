#pragma once

#include <cstdint>
#include <optional>
#include <string_view>

namespace kdb {

/// Microseconds since 1970-01-01 UTC of `2026-01-15 00:00:00+00`, `2026-01-15T00:00Z` and the like. Nothing
/// without an offset, which would mean another moment in another session.
std::optional<std::int64_t> parse_instant(std::string_view text);

}  // namespace kdb
