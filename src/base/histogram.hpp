#pragma once

#include <chrono>
#include <cstdint>
#include <vector>

namespace kdb {

/// How finely a histogram tells values apart.
enum class HistogramDigits { two, three };

/// Counts of durations from 1 µs to 1 h, in fixed space: 26 kB with two digits, 184 kB with three. Steps grow
/// with the value, as in G. Tene's HdrHistogram (hdrhistogram.org): each power of two is cut into 128 or 1024
/// equal ones, so that no value that it gives is off by more than 1/128 or 1/1024 of itself.
class Histogram {
 public:
  static constexpr std::chrono::microseconds shortest{1};
  static constexpr std::chrono::microseconds longest = std::chrono::hours(1);

  /// A step that holds something: its first and its last whole microsecond.
  struct Step {
    std::chrono::microseconds first{0};
    std::chrono::microseconds last{0};
    std::uint64_t count = 0;

    bool operator==(const Step&) const = default;
  };

  explicit Histogram(HistogramDigits digits = HistogramDigits::two);

  /// Less than `shortest` counts as that. More than `longest` is counted in the last step and as overflow;
  /// max() and mean() know it exactly.
  void record(std::chrono::microseconds value) { record_n(value, 1); }
  /// The same `count` times.
  void record_n(std::chrono::microseconds value, std::uint64_t count);
  /// As if all that the other one recorded had been recorded here; exactly that where the other one's digits
  /// are not fewer.
  void merge(const Histogram& other);

  std::uint64_t count() const { return count_; }
  /// How many of them were longer than `longest`.
  std::uint64_t overflow() const { return overflow_; }
  /// Exact; 0 where nothing was recorded.
  std::chrono::microseconds max() const { return max_; }
  /// Exact but for the rounding of a double, in microseconds; 0 where nothing was recorded.
  double mean_us() const;
  /// By nearest rank: the value that at least `percentile` percent of what was recorded do not exceed, never
  /// too low, too high by at most the promised part, and never above max(). `percentile` is held to 0 .. 100,
  /// 0 means the first rank and 100 is max(); 0 where nothing was recorded. A rank among those beyond
  /// `longest` gives max().
  std::chrono::microseconds value_at(double percentile) const;
  /// The steps that hold something, ascending: for plots.
  std::vector<Step> steps() const;

  bool operator==(const Histogram&) const = default;

 private:
  size_t place_of(std::uint64_t value) const;
  Step step_at(size_t place) const;

  unsigned digits_bits_ = 0;  // each power of two has 2^this steps
  std::vector<std::uint64_t> counts_;
  std::uint64_t count_ = 0;
  std::uint64_t overflow_ = 0;
  std::chrono::microseconds max_{0};
  double sum_us_ = 0;
};

}  // namespace kdb
