#include "lint/chunk_count.hpp"

#include <algorithm>
#include <charconv>
#include <cmath>

#include "base/interval.hpp"

namespace kdb::lint {

namespace {

constexpr double days_of_month = 365.2425 / 12;
constexpr double microseconds_of_day = 86'400e6;

/// In days, or in the unit of an integer time.
std::optional<double> length(const Span& span) {
  if (span.number) {
    double value = 0;
    const auto [end, error] = std::from_chars(span.text.data(), span.text.data() + span.text.size(), value);
    return error == std::errc() && end == span.text.data() + span.text.size() ? std::optional(value)
                                                                              : std::nullopt;
  }
  const auto interval = parse_interval(span.text);
  if (!interval) return std::nullopt;
  return static_cast<double>(interval->months) * days_of_month + static_cast<double>(interval->days) +
         static_cast<double>(interval->microseconds) / microseconds_of_day;
}

}  // namespace

std::optional<double> ratio(const Span& whole, const Span& part) {
  if (whole.number != part.number) return std::nullopt;
  const auto all = length(whole);
  const auto one = length(part);
  if (!all || !one || !(*all > 0) || !(*one > 0)) return std::nullopt;
  return *all / *one;
}

std::int64_t partitions_of(const Hypertable& hypertable) {
  constexpr std::int64_t most = 1'000'000'000;  // a product of two still fits
  std::int64_t partitions = 1;
  for (const Dimension& dimension : hypertable.dimensions)
    if (dimension.partitions && *dimension.partitions > 0)
      partitions = std::min(most, partitions * std::min<std::int64_t>(most, *dimension.partitions));
  return partitions;
}

std::optional<std::int64_t> chunk_count(const Hypertable& hypertable) {
  constexpr double most = 1e15;  // exact in a double
  if (!hypertable.retention) return std::nullopt;
  const Retention& retention = *hypertable.retention;
  const auto times =
      ratio(retention.drop_after.empty() ? retention.drop_created_before : retention.drop_after,
            hypertable.chunk_interval);
  if (!times) return std::nullopt;
  return static_cast<std::int64_t>(
      std::min(most, std::ceil(*times) * static_cast<double>(partitions_of(hypertable))));
}

}  // namespace kdb::lint
