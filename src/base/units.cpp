#include "base/units.hpp"

#include <array>
#include <charconv>
#include <cmath>
#include <limits>

#include <fmt/format.h>

#include "base/text.hpp"

namespace kdb {

namespace {

struct SettingUnit {
  std::string_view name;
  double factor = 1;
};

// The spellings of PostgreSQL's guc.c; case counts there too. Largest first, as format_duration wants them.
constexpr std::array<SettingUnit, 6> time_units{
    {{"d", 86'400'000}, {"h", 3'600'000}, {"min", 60'000}, {"s", 1000}, {"ms", 1}, {"us", 0.001}}};
constexpr std::array<SettingUnit, 5> memory_units{
    {{"TB", 1099511627776.0}, {"GB", 1073741824}, {"MB", 1048576}, {"kB", 1024}, {"B", 1}}};

/// `NUMBER [UNIT]` in the units' base; nothing if it is not that. A bare number is multiplied by
/// `bare_factor`.
template <size_t N>
std::optional<double> parse_quantity(std::string_view text, const std::array<SettingUnit, N>& units,
                                     double bare_factor) {
  text = trim(text);
  // from_chars alone would also take "inf", "nan" and negative numbers.
  if (text.empty() || !((text[0] >= '0' && text[0] <= '9') || text[0] == '.')) return std::nullopt;
  double number = 0;
  const auto [rest, failed] = std::from_chars(text.data(), text.data() + text.size(), number);
  if (failed != std::errc()) return std::nullopt;
  const std::string_view name = trim(text.substr(static_cast<size_t>(rest - text.data())));
  if (name.empty()) return number * bare_factor;
  for (const SettingUnit& unit : units) {
    if (unit.name == name) return number * unit.factor;
  }
  return std::nullopt;
}

}  // namespace

std::optional<std::chrono::milliseconds> parse_duration(std::string_view text,
                                                        std::chrono::milliseconds bare_unit) {
  const auto ms = parse_quantity(text, time_units, static_cast<double>(bare_unit.count()));
  if (!ms || *ms > std::numeric_limits<std::int32_t>::max()) return std::nullopt;
  // Settings count whole milliseconds. A positive time must not round to 0, which switches a timeout off.
  const long long rounded = *ms > 0 && *ms < 1 ? 1 : std::llround(*ms);
  return std::chrono::milliseconds(rounded);
}

std::string format_duration(std::chrono::milliseconds duration) {
  const auto ms = duration.count();
  if (ms == 0) return "0";
  for (const SettingUnit& unit : time_units) {
    if (unit.factor <= 1) break;
    const auto factor = static_cast<decltype(duration)::rep>(unit.factor);
    if (ms % factor == 0) return fmt::format("{}{}", ms / factor, unit.name);
  }
  return fmt::format("{}ms", ms);
}

std::optional<std::uint64_t> parse_bytes(std::string_view text) {
  const auto bytes = parse_quantity(text, memory_units, 1);
  // 2^63: beyond it nothing is a size, and doubles near 2^64 would not convert.
  if (!bytes || *bytes > 9223372036854775807.0) return std::nullopt;
  return static_cast<std::uint64_t>(std::llround(*bytes));
}

}  // namespace kdb
