#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace kdb {

/// PostgreSQL's interval: three numbers that it keeps apart.
struct Interval {
  std::int64_t months = 0;
  std::int64_t days = 0;
  std::int64_t microseconds = 0;
};

/// Reads what people write and servers print of an interval: `7 days`, `1 day 06:00:00`, `2 years 3 mons`,
/// `P90D`, `PT12H`, `1-2 3 4:05:06`, `@ 1 hour ago`; a bare number counts seconds (PG docs 8.5.4). Nothing
/// for other texts and what does not fit.
std::optional<Interval> parse_interval(std::string_view text);

/// How long it is in days and the microseconds beyond them, for comparisons: a month has 30 days and a day 24
/// hours, as in PostgreSQL's own (interval_cmp_value).
struct IntervalLength {
  std::int64_t days = 0;
  std::int64_t microseconds = 0;  // of less than a day, with the sign of days or where that is 0 of its own

  auto operator<=>(const IntervalLength&) const = default;
};
IntervalLength length_of(const Interval& interval);
IntervalLength length_of_microseconds(std::int64_t microseconds);

/// As people write it: `2 years`, `1 day 6 hours`, `90 minutes`; `0 seconds`.
std::string to_text(const Interval& interval);

}  // namespace kdb
