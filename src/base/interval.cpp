#include "base/interval.hpp"

#include <array>
#include <cctype>
#include <cmath>
#include <cstdlib>
#include <limits>
#include <utility>
#include <vector>

#include <fmt/format.h>

#include "base/text.hpp"
#include "base/units.hpp"

namespace kdb {

namespace {

/// What a unit counts: one of the three fields is not 0.
struct IntervalUnit {
  std::string_view name;
  Interval one;
};

constexpr Interval months_of(std::int64_t months) { return {.months = months}; }
constexpr Interval days_of(std::int64_t days) { return {.days = days}; }
constexpr Interval time_of(std::int64_t microseconds) { return {.microseconds = microseconds}; }

// PostgreSQL's deltatktbl (src/backend/utils/adt/datetime.c); a final s is taken off first.
constexpr std::array units{
    IntervalUnit{"microsecond", time_of(1)},
    IntervalUnit{"us", time_of(1)},
    IntervalUnit{"usec", time_of(1)},
    IntervalUnit{"usecond", time_of(1)},
    IntervalUnit{"millisecond", time_of(1000)},
    IntervalUnit{"ms", time_of(1000)},
    IntervalUnit{"msec", time_of(1000)},
    IntervalUnit{"msecond", time_of(1000)},
    IntervalUnit{"second", time_of(usec::second)},
    IntervalUnit{"s", time_of(usec::second)},
    IntervalUnit{"sec", time_of(usec::second)},
    IntervalUnit{"minute", time_of(usec::minute)},
    IntervalUnit{"m", time_of(usec::minute)},
    IntervalUnit{"min", time_of(usec::minute)},
    IntervalUnit{"hour", time_of(usec::hour)},
    IntervalUnit{"h", time_of(usec::hour)},
    IntervalUnit{"hr", time_of(usec::hour)},
    IntervalUnit{"day", days_of(1)},
    IntervalUnit{"d", days_of(1)},
    IntervalUnit{"week", days_of(7)},
    IntervalUnit{"w", days_of(7)},
    IntervalUnit{"month", months_of(1)},
    IntervalUnit{"mon", months_of(1)},
    IntervalUnit{"year", months_of(12)},
    IntervalUnit{"y", months_of(12)},
    IntervalUnit{"yr", months_of(12)},
    IntervalUnit{"decade", months_of(120)},
    IntervalUnit{"dec", months_of(120)},
    IntervalUnit{"century", months_of(1200)},
    IntervalUnit{"centurie", months_of(1200)},
    IntervalUnit{"c", months_of(1200)},
    IntervalUnit{"cent", months_of(1200)},
    IntervalUnit{"millennium", months_of(12'000)},
    IntervalUnit{"millennia", months_of(12'000)},
    IntervalUnit{"mil", months_of(12'000)},
};

const IntervalUnit* find_unit(std::string_view name) {
  const auto named = [](std::string_view wanted) -> const IntervalUnit* {
    for (const IntervalUnit& unit : units)
      if (unit.name == wanted) return &unit;
    return nullptr;
  };
  const IntervalUnit* found = named(name);
  return found == nullptr && name.size() > 2 && name.ends_with('s') ? named(name.substr(0, name.size() - 1))
                                                                    : found;
}

bool is_letter(char c) { return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z'); }

/// The sum as it is read; false where it does not fit.
class Sum {
 public:
  /// `number` of `one`. What is left of a month becomes days and what is left of a day becomes time, as in
  /// PostgreSQL.
  void add(double number, const Interval& one) {
    if (std::abs(number) > 9e15) fits_ = false;
    if (!fits_) return;
    if (one.months != 0) {
      const double months = number * static_cast<double>(one.months);
      total_.months += whole(months);
      add_days((months - std::trunc(months)) * 30);
    }
    if (one.days != 0) add_days(number * static_cast<double>(one.days));
    if (one.microseconds != 0) add_time(number * static_cast<double>(one.microseconds));
  }
  void negate() { total_ = {-total_.months, -total_.days, -total_.microseconds}; }

  std::optional<Interval> total() const {
    constexpr std::int64_t most = std::numeric_limits<std::int32_t>::max();
    if (!fits_ || std::abs(total_.months) > most || std::abs(total_.days) > most) return std::nullopt;
    return total_;
  }

 private:
  void add_days(double days) {
    total_.days += whole(days);
    add_time((days - std::trunc(days)) * static_cast<double>(usec::day));
  }
  void add_time(double microseconds) {
    const std::int64_t more = whole(std::round(microseconds));
    if (std::abs(total_.microseconds / 2 + more / 2) > std::int64_t{1} << 61)
      fits_ = false;
    else
      total_.microseconds += more;
  }
  std::int64_t whole(double number) {
    if (std::abs(number) < 4e18) return static_cast<std::int64_t>(number);
    fits_ = false;
    return 0;
  }

  Interval total_;
  bool fits_ = true;
};

/// A number of digits with at most one point, sign in front.
std::optional<double> parse_number(std::string_view text) {
  const std::string_view digits = text.substr(text.starts_with('-') || text.starts_with('+') ? 1 : 0);
  if (digits.empty() || digits.size() > 24 || digits == ".") return std::nullopt;
  bool point = false;
  for (const char c : digits) {
    if (c == '.' && !point)
      point = true;
    else if (!is_digit(c))
      return std::nullopt;
  }
  return std::strtod(std::string(text).c_str(), nullptr);
}

/// `P1Y2M10DT2H30M`, behind the P.
std::optional<Interval> parse_iso(std::string_view text) {
  Sum sum;
  bool time = false;
  bool any = false;
  size_t at = 0;
  while (at < text.size()) {
    if (text[at] == 'T' && !time) {
      time = true;
      ++at;
      continue;
    }
    size_t end = at;
    while (end < text.size() && !is_letter(text[end])) ++end;
    const auto number = parse_number(text.substr(at, end - at));
    if (!number || end == text.size()) return std::nullopt;
    constexpr std::string_view dates = "YMWD";
    constexpr std::string_view times = "HMS";
    constexpr std::array date_units{months_of(12), months_of(1), days_of(7), days_of(1)};
    constexpr std::array time_units{time_of(usec::hour), time_of(usec::minute), time_of(usec::second)};
    const size_t unit = (time ? times : dates).find(text[end]);
    if (unit == std::string_view::npos) return std::nullopt;
    sum.add(*number, time ? time_units.at(unit) : date_units.at(unit));
    any = true;
    at = end + 1;
  }
  return any ? sum.total() : std::nullopt;
}

/// `06:00`, `06:00:00.5`, with its sign; nothing where it is no time of that form.
bool add_clock(std::string_view text, Sum& sum) {
  const bool negative = text.starts_with('-');
  if (negative || text.starts_with('+')) text.remove_prefix(1);
  const auto parts = split(text, ':');
  if (parts.size() < 2 || parts.size() > 3) return false;
  constexpr std::array unit{time_of(usec::hour), time_of(usec::minute), time_of(usec::second)};
  for (size_t i = 0; i < parts.size(); ++i) {
    const auto number = parse_number(parts[i]);
    if (!number || !is_digit(parts[i].front()) || (i > 0 && *number >= 60)) return false;
    if (i < 2 && parts[i].find('.') != std::string_view::npos) return false;
    sum.add(negative ? -*number : *number, unit.at(i));
  }
  return true;
}

/// `1-2`: years and months, as servers print it under IntervalStyle sql_standard.
bool add_years_and_months(std::string_view text, Sum& sum) {
  const bool negative = text.starts_with('-');
  if (negative || text.starts_with('+')) text.remove_prefix(1);
  const auto parts = split(text, '-');
  if (parts.size() != 2) return false;
  const auto years = parse_number(parts[0]);
  const auto months = parse_number(parts[1]);
  if (!years || !months || *months >= 12 || !is_digit(parts[0].front()) || !is_digit(parts[1].front()))
    return false;
  sum.add(negative ? -*years : *years, months_of(12));
  sum.add(negative ? -*months : *months, months_of(1));
  return true;
}

/// Words and numbers: `7days` is two of them, `06:00:00` and `-1.5` one each.
std::vector<std::string_view> pieces_of(std::string_view text) {
  std::vector<std::string_view> pieces;
  size_t at = 0;
  while (at < text.size()) {
    if (std::isspace(static_cast<unsigned char>(text[at])) != 0) {
      ++at;
      continue;
    }
    const bool letters = is_letter(text[at]);
    size_t end = at + 1;
    while (end < text.size() && std::isspace(static_cast<unsigned char>(text[end])) == 0 &&
           is_letter(text[end]) == letters)
      ++end;
    pieces.push_back(text.substr(at, end - at));
    at = end;
  }
  return pieces;
}

}  // namespace

std::optional<Interval> parse_interval(std::string_view text) {
  text = trim(text);
  if (text.starts_with('P')) return parse_iso(text.substr(1));
  const std::string lower = to_lower(text);
  std::vector<std::string_view> pieces = pieces_of(lower);
  if (!pieces.empty() && pieces.front() == "@") pieces.erase(pieces.begin());
  const bool ago = !pieces.empty() && pieces.back() == "ago";
  if (ago) pieces.pop_back();
  if (pieces.empty()) return std::nullopt;
  Sum sum;
  for (size_t i = 0; i < pieces.size(); ++i) {
    if (add_clock(pieces[i], sum) || add_years_and_months(pieces[i], sum)) continue;
    const auto number = parse_number(pieces[i]);
    if (!number) return std::nullopt;
    if (const IntervalUnit* unit = i + 1 < pieces.size() ? find_unit(pieces[i + 1]) : nullptr) {
      sum.add(*number, unit->one);
      ++i;
    } else if (i + 1 == pieces.size()) {
      sum.add(*number, time_of(usec::second));
    } else if (pieces[i + 1].find(':') != std::string_view::npos) {
      sum.add(*number, days_of(1));  // `3 4:05:06`
    } else {
      return std::nullopt;
    }
  }
  if (ago) sum.negate();
  return sum.total();
}

IntervalLength length_of_microseconds(std::int64_t microseconds) { return length_of(time_of(microseconds)); }

IntervalLength length_of(const Interval& interval) {
  IntervalLength length{.days = interval.months * 30 + interval.days + interval.microseconds / usec::day,
                        .microseconds = interval.microseconds % usec::day};
  // One sign for both, so that equal lengths are equal.
  if (length.days > 0 && length.microseconds < 0) length = {length.days - 1, length.microseconds + usec::day};
  if (length.days < 0 && length.microseconds > 0) length = {length.days + 1, length.microseconds - usec::day};
  return length;
}

std::string to_text(const Interval& interval) {
  std::string text;
  const auto add = [&](std::int64_t number, std::string_view unit) {
    if (number == 0) return;
    text += fmt::format("{}{} {}{}", text.empty() ? "" : " ", number, unit, number == 1 ? "" : "s");
  };
  add(interval.months / 12, "year");
  add(interval.months % 12, "month");
  add(interval.days, "day");
  add(interval.microseconds / usec::hour, "hour");
  add(interval.microseconds % usec::hour / usec::minute, "minute");
  add(interval.microseconds % usec::minute / usec::second, "second");
  add(interval.microseconds % usec::second / 1000, "millisecond");
  add(interval.microseconds % 1000, "microsecond");
  return text.empty() ? "0 seconds" : text;
}

}  // namespace kdb
