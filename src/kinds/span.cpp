#include "kinds/span.hpp"

#include <charconv>
#include <cstdint>
#include <optional>

#include <fmt/format.h>

#include "base/instant.hpp"
#include "base/interval.hpp"
#include "base/text.hpp"

namespace kdb {

namespace {

std::optional<std::int64_t> integer_of(std::string_view text) {
  std::int64_t number = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), number);
  if (error != std::errc() || end != text.data() + text.size()) return std::nullopt;
  return number;
}

std::optional<IntervalLength> length_of(const Span& span) {
  if (span.number) {
    const auto number = integer_of(span.text);
    return number ? std::optional(length_of_microseconds(*number)) : std::nullopt;
  }
  const auto interval = parse_interval(span.text);
  return interval ? std::optional(length_of(*interval)) : std::nullopt;
}

}  // namespace

bool equal_intervals(const Span& a, const Span& b) {
  if (a.text == b.text && a.number == b.number) return true;
  if (a.empty() || b.empty()) return false;
  const auto left = length_of(a);
  const auto right = length_of(b);
  return left && right && *left == *right;
}

int compare_intervals(const Span& a, const Span& b) {
  const auto left = length_of(a);
  const auto right = length_of(b);
  if (!left || !right || *left == *right) return 0;
  return *left < *right ? -1 : 1;
}

std::string span_problem(const Span& span) {
  const auto length = length_of(span);
  if (!length) return fmt::format("is no interval: {}", span.text);
  if (*length <= IntervalLength{}) return fmt::format("must be longer than nothing, not {}", span.text);
  return {};
}

Span read_span(std::string_view printed, bool number) {
  if (number) return {.text = std::string(printed), .number = true};
  const auto interval = parse_interval(printed);
  return {.text = interval ? to_text(*interval) : std::string(printed)};
}

std::string to_sql(const Span& span) {
  return span.number ? fmt::format("BIGINT {}", quote_literal(span.text))
                     : fmt::format("INTERVAL {}", quote_literal(span.text));
}

bool operator==(const Instant& a, const Instant& b) {
  if (a.text == b.text) return true;
  const auto left = parse_instant(a.text);
  const auto right = parse_instant(b.text);
  return left && right && *left == *right;
}

std::string to_sql(const Instant& instant) {
  return fmt::format("TIMESTAMPTZ {}", quote_literal(instant.text));
}

}  // namespace kdb
