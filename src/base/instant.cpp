#include "base/instant.hpp"

#include "base/text.hpp"
#include "base/units.hpp"

namespace kdb {

namespace {

/// Days since 1970-01-01 of the proleptic Gregorian calendar (Howard Hinnant, "chrono-compatible low-level
/// date algorithms").
std::int64_t days_from_civil(std::int64_t year, std::int64_t month, std::int64_t day_of_month) {
  year -= month <= 2 ? 1 : 0;
  const std::int64_t era = (year >= 0 ? year : year - 399) / 400;
  const std::int64_t year_of_era = year - era * 400;
  const std::int64_t day_of_year = (153 * (month + (month > 2 ? -3 : 9)) + 2) / 5 + day_of_month - 1;
  return era * 146097 + year_of_era * 365 + year_of_era / 4 - year_of_era / 100 + day_of_year - 719468;
}

/// Takes `count` digits from the front.
std::optional<std::int64_t> take_digits(std::string_view& text, size_t count) {
  if (text.size() < count) return std::nullopt;
  std::int64_t number = 0;
  for (const char c : text.substr(0, count)) {
    if (!is_digit(c)) return std::nullopt;
    number = number * 10 + (c - '0');
  }
  text.remove_prefix(count);
  return number;
}

bool take(std::string_view& text, char c) {
  if (!text.starts_with(c)) return false;
  text.remove_prefix(1);
  return true;
}

std::optional<std::int64_t> take_date(std::string_view& text) {
  const auto year = take_digits(text, 4);
  if (!year || !take(text, '-')) return std::nullopt;
  const auto month = take_digits(text, 2);
  if (!month || !take(text, '-')) return std::nullopt;
  const auto of_month = take_digits(text, 2);
  if (!of_month || *month < 1 || *month > 12 || *of_month < 1 || *of_month > 31) return std::nullopt;
  return days_from_civil(*year, *month, *of_month) * usec::day;
}

std::optional<std::int64_t> take_time(std::string_view& text) {
  const auto hours = take_digits(text, 2);
  if (!hours || !take(text, ':')) return std::nullopt;
  const auto minutes = take_digits(text, 2);
  if (!minutes || *hours > 24 || *minutes > 59) return std::nullopt;
  std::int64_t time = *hours * usec::hour + *minutes * usec::minute;
  if (take(text, ':')) {
    const auto seconds = take_digits(text, 2);
    if (!seconds || *seconds > 60) return std::nullopt;
    time += *seconds * usec::second;
    if (take(text, '.'))
      for (std::int64_t worth = usec::second / 10; !text.empty() && is_digit(text.front()); worth /= 10)
        time += worth * *take_digits(text, 1);
  }
  return time;
}

/// `Z`, `+02`, `+02:00` or `+0200`, in microseconds.
std::optional<std::int64_t> take_offset(std::string_view& text) {
  if (take(text, 'Z') || take(text, 'z')) return 0;
  const bool west = text.starts_with('-');
  if (!take(text, '-') && !take(text, '+')) return std::nullopt;
  const auto hours = take_digits(text, 2);
  if (!hours || *hours > 15) return std::nullopt;
  std::int64_t minutes = 0;
  if (take(text, ':') || !text.empty()) {
    const auto more = take_digits(text, 2);
    if (!more || *more > 59) return std::nullopt;
    minutes = *more;
  }
  const std::int64_t offset = *hours * usec::hour + minutes * usec::minute;
  return west ? -offset : offset;
}

}  // namespace

std::optional<std::int64_t> parse_instant(std::string_view text) {
  text = trim(text);
  const auto date = take_date(text);
  if (!date || !(take(text, 'T') || take(text, ' '))) return std::nullopt;
  const auto time = take_time(text);
  if (!time) return std::nullopt;
  take(text, ' ');
  const auto offset = take_offset(text);
  if (!offset || !text.empty()) return std::nullopt;
  return *date + *time - *offset;
}

}  // namespace kdb
