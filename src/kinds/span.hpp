#pragma once

#include <string>
#include <string_view>

namespace kdb {

/// A length of time as a profile has it: an interval (`7 days`), or a number in the unit of an integer time
/// column.
struct Span {
  std::string text;
  bool number = false;

  bool empty() const { return text.empty(); }
};

/// Whether PostgreSQL calls two intervals equal: `720 days` and `2 years` are. A number beside an interval
/// counts microseconds, as in TimescaleDB. What is no interval equals its own text only.
bool equal_intervals(const Span& a, const Span& b);
inline bool operator==(const Span& a, const Span& b) { return equal_intervals(a, b); }

/// Less, equal or more than 0 as a is shorter than, as long as, or longer than b; 0 too where that cannot be
/// told.
int compare_intervals(const Span& a, const Span& b);

/// What is wrong with it as a length of time that has to pass; empty if nothing is.
std::string span_problem(const Span& span);

/// What the server printed, as people write it: `06:00:00` is `6 hours`.
Span read_span(std::string_view printed, bool number);

/// For SQL: `INTERVAL '7 days'` or `BIGINT '86400'`.
std::string to_sql(const Span& span);

/// A moment as a profile has it: `2026-01-15 00:00:00+00`.
struct Instant {
  std::string text;

  bool empty() const { return text.empty(); }
};

/// Whether both are the same moment, in whatever time zone they are written.
bool operator==(const Instant& a, const Instant& b);

/// For SQL: `TIMESTAMPTZ '…'`.
std::string to_sql(const Instant& instant);

}  // namespace kdb
