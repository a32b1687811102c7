#include "core/counted_change.hpp"

#include <cstdint>
#include <limits>
#include <optional>
#include <string>

#include <doctest/doctest.h>

namespace kdb::counted_change_test {

TEST_CASE("a counted change is exact and says in words what became of it") {
  struct Row {
    CountedMeasure measure;
    CountedOutcome outcome;
    const char* text;
  };
  constexpr auto bytes = CountedUnit::bytes;
  constexpr auto count = CountedUnit::count;
  constexpr auto shape = CountedUnit::shape;
  const std::optional<std::int64_t> none;
  const Row rows[] = {
      {{"buffers", count, 69337, 628}, CountedOutcome::less, "69 337 → 628 buffers, 0.9 %"},
      {{"buffers", count, 1000, 41}, CountedOutcome::less, "1 000 → 41 buffers, 4.1 %"},
      {{"buffers", count, 1000, 410}, CountedOutcome::less, "1 000 → 410 buffers, 41 %"},
      {{"buffers", count, 10'000'000, 1}, CountedOutcome::less, "10 000 000 → 1 buffers, less than 0.01 %"},
      {{"buffers", count, 10'000, 9'990}, CountedOutcome::less, "10 000 → 9 990 buffers, 99.90 %"},
      {{"buffers", count, 1'000'000, 999'999},
       CountedOutcome::less,
       "1 000 000 → 999 999 buffers, nearly 100 %"},
      {{"buffers", count, 1'000'000, 1'000'001},
       CountedOutcome::more,
       "1 000 000 → 1 000 001 buffers, a little over 100 %"},
      {{"buffers", count, 1000, 1001}, CountedOutcome::more, "1 000 → 1 001 buffers, 100.10 %"},
      {{"buffers", count, 100, 130}, CountedOutcome::more, "100 → 130 buffers, 130 %"},
      {{"buffers", count, 100, 420}, CountedOutcome::more, "100 → 420 buffers, 4.2 times"},
      {{"buffers", count, 1, 5000}, CountedOutcome::more, "1 → 5 000 buffers, 5000 times"},
      {{"buffers", count, 628, 628}, CountedOutcome::unchanged, "628 buffers, unchanged"},
      {{"temp blocks", count, 3, 0}, CountedOutcome::less, "3 → 0 temp blocks, none left"},
      {{"temp blocks", count, 0, 3}, CountedOutcome::more, "0 → 3 temp blocks, none before"},
      {{"temp blocks", count, 0, 0}, CountedOutcome::unchanged, "0 temp blocks, unchanged"},
      {{"WAL", bytes, 50 << 20, 120 << 20}, CountedOutcome::more, "50 MB → 120 MB WAL, 2.4 times"},
      {{"WAL", bytes, 50 << 20, (50 << 20) + 1},
       CountedOutcome::more,
       "52 428 800 bytes → 52 428 801 bytes WAL, a little over 100 %"},
      {{"plan shape", shape, 17, 17}, CountedOutcome::unchanged, "plan shape unchanged"},
      {{"plan shape", shape, 17, -4}, CountedOutcome::different, "plan shape changed"},
      {{"buffers", count, none, 3}, CountedOutcome::unknown, "buffers: not measured before"},
      {{"buffers", count, 3, none}, CountedOutcome::unknown, "buffers: not measured after"},
      {{"buffers", count, none, none}, CountedOutcome::unknown, "buffers: not measured"},
  };
  for (const Row& row : rows) {
    CAPTURE(row.text);
    const CountedChange found = counted_change(row.measure);
    CHECK(found.text == row.text);
    CHECK(found.outcome == row.outcome);
    const bool has_ratio =
        row.measure.unit != shape && row.measure.before.value_or(0) > 0 && row.measure.after;
    CHECK(found.ratio.has_value() == has_ratio);
  }
  CHECK(counted_change({"buffers", count, 200, 50}).ratio == std::optional<double>(0.25));
}

TEST_CASE("digits are grouped in threes from the right") {
  CHECK(grouped_digits(0) == "0");
  CHECK(grouped_digits(999) == "999");
  CHECK(grouped_digits(1000) == "1 000");
  CHECK(grouped_digits(-100) == "-100");
  CHECK(grouped_digits(-1234567) == "-1 234 567");
  CHECK(grouped_digits(std::numeric_limits<std::int64_t>::min()) == "-9 223 372 036 854 775 808");
}

}  // namespace kdb::counted_change_test
