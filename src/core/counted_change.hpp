#pragma once

#include <cstdint>
#include <optional>
#include <string>

namespace kdb {

/// What is counted is the same on every machine, so two runs are compared exactly, without statistics.
enum class CountedUnit {
  count,  // buffers, temporary blocks, rows: fewer is better
  bytes,  // WAL, sizes: less is better
  shape,  // a hash, of a plan's shape say: equal or not, and neither is better
};

/// One measure of both sides; nothing where a side was not measured. A hash has its 64 bits in the number.
struct CountedMeasure {
  std::string what;  // `buffers`, `WAL`, `plan shape`: follows the numbers
  CountedUnit unit = CountedUnit::count;
  std::optional<std::int64_t> before = {};
  std::optional<std::int64_t> after = {};
};

enum class CountedOutcome { unchanged, less, more, different, unknown };

struct CountedChange {
  CountedOutcome outcome = CountedOutcome::unknown;
  /// after / before; nothing where a side is missing, before is not above 0, or it is a hash.
  std::optional<double> ratio = {};
  /// For people: `69 337 → 628 buffers, 0.9 %`, `100 → 420 buffers, 4.2 times`, `3 → 0 temp blocks, none
  /// left`, `0 → 3 temp blocks, none before`, `628 buffers, unchanged`, `plan shape changed`, `buffers: not
  /// measured before`. The percentage is what is left of it, and is never rounded to 0 or 100.
  std::string text = {};

  bool operator==(const CountedChange&) const = default;
};

CountedChange counted_change(const CountedMeasure& measure);

/// With a space between groups of three digits: `-1 234 567`.
std::string grouped_digits(std::int64_t number);

}  // namespace kdb
