#include "lint/chunk_count.hpp"

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

int partitions_of(const Hypertable& hypertable) {
  int partitions = 1;
  for (const Dimension& dimension : hypertable.dimensions)
    if (dimension.partitions && *dimension.partitions > 0 && partitions < 1'000'000)
      partitions *= *dimension.partitions;
  return partitions;
}

std::optional<int> chunk_count(const Hypertable& hypertable) {
  if (!hypertable.retention) return std::nullopt;
  const Retention& retention = *hypertable.retention;
  const auto times =
      ratio(retention.drop_after.empty() ? retention.drop_created_before : retention.drop_after,
            hypertable.chunk_interval);
  if (!times || *times > 1e6) return std::nullopt;
  return static_cast<int>(std::ceil(*times)) * partitions_of(hypertable);
}

}  // namespace kdb::lint
