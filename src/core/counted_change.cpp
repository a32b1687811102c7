#include "core/counted_change.hpp"

#include <fmt/format.h>

#include "base/text.hpp"

namespace kdb {

namespace {

std::string amount(std::int64_t number, CountedUnit unit) {
  if (unit == CountedUnit::bytes && number >= 0) return human_bytes(static_cast<unsigned long long>(number));
  return grouped_digits(number);
}

/// `12 MB → 13 MB WAL`; to the byte where both would look alike.
std::string both_sides(const CountedMeasure& measure) {
  std::string before = amount(*measure.before, measure.unit);
  std::string after = amount(*measure.after, measure.unit);
  const bool alike = before == after;
  if (alike) {
    before = grouped_digits(*measure.before) + " bytes";
    after = grouped_digits(*measure.after) + " bytes";
  }
  return fmt::format("{} → {} {}", before, after, measure.what);
}

/// What is left of it, or how many times it became.
std::string part_of_before(double ratio) {
  const double percent = ratio * 100;
  if (ratio >= 1e6) return fmt::format("{:.1e} times", ratio);
  if (ratio >= 1.995) return fmt::format("{:.{}f} times", ratio, ratio < 99.95 ? 1 : 0);
  if (percent < 0.01) return "less than 0.01 %";
  if (percent < 0.095) return fmt::format("{:.2f} %", percent);
  if (percent < 9.95) return fmt::format("{:.1f} %", percent);
  if (percent < 99.5 || percent >= 100.5) return fmt::format("{:.0f} %", percent);
  if (percent < 99.99) return fmt::format("{:.2f} %", percent);
  if (percent < 100) return "nearly 100 %";
  if (percent > 100.01) return fmt::format("{:.2f} %", percent);
  return "a little over 100 %";
}

CountedChange one_sided(const CountedMeasure& measure) {
  if (!measure.before && !measure.after) return {.text = measure.what + ": not measured"};
  return {.text = fmt::format("{}: not measured {}", measure.what, measure.before ? "after" : "before")};
}

}  // namespace

std::string grouped_digits(std::int64_t number) {
  std::string digits = fmt::format("{}", number);
  const std::ptrdiff_t first = number < 0 ? 1 : 0;
  for (std::ptrdiff_t at = static_cast<std::ptrdiff_t>(digits.size()) - 3; at > first; at -= 3)
    digits.insert(static_cast<size_t>(at), " ");
  return digits;
}

CountedChange counted_change(const CountedMeasure& measure) {
  if (!measure.before || !measure.after) return one_sided(measure);
  const std::int64_t before = *measure.before;
  const std::int64_t after = *measure.after;
  if (measure.unit == CountedUnit::shape) {
    if (before == after) return {.outcome = CountedOutcome::unchanged, .text = measure.what + " unchanged"};
    return {.outcome = CountedOutcome::different, .text = measure.what + " changed"};
  }
  CountedChange found;
  if (before > 0) found.ratio = static_cast<double>(after) / static_cast<double>(before);
  if (before == after) {
    found.outcome = CountedOutcome::unchanged;
    found.text = fmt::format("{} {}, unchanged", amount(after, measure.unit), measure.what);
    return found;
  }
  found.outcome = after < before ? CountedOutcome::less : CountedOutcome::more;
  found.text = both_sides(measure);
  if (after == 0)
    found.text += ", none left";
  else if (before == 0)
    found.text += ", none before";
  else if (found.ratio && after > 0)
    found.text += ", " + part_of_before(*found.ratio);
  return found;
}

}  // namespace kdb
