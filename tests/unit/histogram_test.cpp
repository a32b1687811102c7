#include "base/histogram.hpp"

#include <algorithm>
#include <chrono>
#include <cmath>
#include <cstdint>
#include <limits>
#include <numeric>
#include <vector>

#include <doctest/doctest.h>

#include "support/cases.hpp"
#include "support/dice.hpp"

namespace kdb::histogram_test {

namespace {

using std::chrono::microseconds;

constexpr std::int64_t hour_us = 3'600'000'000;

/// Of any length in digits; rarely beyond the range.
std::int64_t draw_us(test::Dice& dice) {
  const auto width = 1 + dice.pick(dice.chance(2) ? 34 : 31);
  return static_cast<std::int64_t>(dice.pick(std::size_t{1} << width));
}

struct Samples {
  std::vector<std::int64_t> sorted = {};
  Histogram histogram = Histogram();
};

Samples draw(test::Dice& dice, HistogramDigits digits) {
  Samples samples{.histogram = Histogram(digits)};
  const size_t count = 1 + dice.pick(dice.chance(20) ? 5 : 2000);
  for (size_t i = 0; i < count; ++i) {
    samples.sorted.push_back(draw_us(dice));
    samples.histogram.record(microseconds(samples.sorted.back()));
  }
  for (std::int64_t& value : samples.sorted) value = std::max<std::int64_t>(value, 1);
  std::sort(samples.sorted.begin(), samples.sorted.end());
  return samples;
}

template <class Check>
void for_samples(const Check& check) {
  const unsigned seed = test::seed();
  CAPTURE(seed);
  test::Dice dice(seed);
  for (int i = 0; i < test::cases(); ++i) {
    CAPTURE(i);
    for (const HistogramDigits digits : {HistogramDigits::two, HistogramDigits::three}) check(dice, digits);
  }
}

}  // namespace

TEST_CASE("a percentile is that of the sorted samples, within the promised digits and never too low") {
  for_samples([](test::Dice& dice, HistogramDigits digits) {
    const Samples samples = draw(dice, digits);
    const double off = digits == HistogramDigits::two ? 1.0 / 128 : 1.0 / 1024;
    for (const double percentile : {0.0, 1.0, 25.0, 50.0, 90.0, 99.0, 99.9, 99.99, 100.0}) {
      CAPTURE(percentile);
      const double count = static_cast<double>(samples.sorted.size());
      const auto rank = static_cast<size_t>(std::max(1.0, std::ceil(percentile / 100 * count)));
      const std::int64_t exact = samples.sorted[rank - 1];
      const std::int64_t found = samples.histogram.value_at(percentile).count();
      CHECK(found >= std::min(exact, hour_us));
      if (exact <= hour_us) CHECK(static_cast<double>(found) <= static_cast<double>(exact) * (1 + off));
      CHECK(found <= samples.sorted.back());
    }
    CHECK(samples.histogram.max().count() == samples.sorted.back());
    const double sum = std::accumulate(samples.sorted.begin(), samples.sorted.end(), 0.0);
    CHECK(samples.histogram.mean_us() == doctest::Approx(sum / static_cast<double>(samples.sorted.size())));
    const auto over = std::count_if(samples.sorted.begin(), samples.sorted.end(),
                                    [](std::int64_t value) { return value > hour_us; });
    CHECK(samples.histogram.overflow() == static_cast<std::uint64_t>(over));
  });
}

TEST_CASE("merging histograms is recording into one") {
  for_samples([](test::Dice& dice, HistogramDigits digits) {
    Histogram whole(digits);
    Histogram left(digits);
    Histogram right(dice.chance(50) ? HistogramDigits::three : digits);  // finer ones lose nothing
    for (size_t i = dice.pick(500); i > 0; --i) {
      const microseconds value(draw_us(dice));
      const std::uint64_t count = dice.pick(3);
      whole.record_n(value, count);
      (dice.chance(50) ? left : right).record_n(value, count);
    }
    left.merge(right);
    CHECK(left == whole);
  });
}

TEST_CASE("a coarser histogram merges into a finer one within its own digits") {
  Histogram fine(HistogramDigits::three);
  Histogram coarse;
  coarse.record(microseconds(1'000'000));
  fine.merge(coarse);
  fine.record(microseconds(2'000'000));
  CHECK(fine.value_at(50).count() >= 1'000'000);
  CHECK(fine.value_at(50).count() <= 1'007'813);
  CHECK(fine.count() == 2);
}

TEST_CASE("the steps follow each other without gap or overlap, and each is narrow enough") {
  for (const HistogramDigits digits : {HistogramDigits::two, HistogramDigits::three}) {
    const std::int64_t parts = digits == HistogramDigits::two ? 128 : 1024;
    Histogram histogram(digits);
    for (std::int64_t value = 1; value <= hour_us;) {
      Histogram one(digits);
      one.record(microseconds(value));
      REQUIRE(one.steps().size() == 1);
      const Histogram::Step step = one.steps().front();
      REQUIRE(step.first.count() == value);
      REQUIRE((step.last - step.first).count() * parts < value);
      value = step.last.count() + 1;
      if (value > 5'000) break;  // each further power of two is cut alike
    }
    histogram.record_n(microseconds(hour_us), 3);
    CHECK(histogram.steps().front().first.count() <= hour_us);
    CHECK(histogram.steps().front().last.count() >= hour_us);
  }
}

TEST_CASE("what no clock measures has a defined answer") {
  Histogram histogram;
  CHECK(histogram.value_at(50).count() == 0);
  CHECK(histogram.mean_us() == 0);
  CHECK(histogram.max().count() == 0);
  CHECK(histogram.steps().empty());
  histogram.record(microseconds(0));
  histogram.record(microseconds(-5));
  CHECK(histogram.value_at(100).count() == 1);
  CHECK(histogram.value_at(-3).count() == 1);
  CHECK(histogram.value_at(std::numeric_limits<double>::quiet_NaN()).count() == 1);
  histogram.record(std::chrono::hours(3));
  CHECK(histogram.overflow() == 1);
  CHECK(histogram.value_at(60).count() == 1);
  CHECK(histogram.value_at(99) == std::chrono::hours(3));
  CHECK(histogram.value_at(1000) == std::chrono::hours(3));
}

}  // namespace kdb::histogram_test
