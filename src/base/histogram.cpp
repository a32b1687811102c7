#include "base/histogram.hpp"

#include <algorithm>
#include <bit>
#include <cmath>

namespace kdb {

Histogram::Histogram(HistogramDigits digits) : digits_bits_(digits == HistogramDigits::two ? 7 : 10) {
  counts_.resize(place_of(static_cast<std::uint64_t>(longest.count())) + 1);
}

/// Below 2^(bits + 1) each value has a step of its own; above, its topmost bits + 1 bits name the step.
size_t Histogram::place_of(std::uint64_t value) const {
  const auto width = static_cast<unsigned>(std::bit_width(value));
  if (width <= digits_bits_ + 1) return value;
  const unsigned shift = width - digits_bits_ - 1;
  return (static_cast<size_t>(shift) << digits_bits_) + (value >> shift);
}

Histogram::Step Histogram::step_at(size_t place) const {
  const size_t shift = place >> digits_bits_ == 0 ? 0 : (place >> digits_bits_) - 1;
  const size_t top = place - (shift << digits_bits_);
  const auto first = static_cast<std::int64_t>(top << shift);
  return {.first = std::chrono::microseconds(first),
          .last = std::chrono::microseconds(first + (std::int64_t{1} << shift) - 1),
          .count = counts_[place]};
}

void Histogram::record_n(std::chrono::microseconds value, std::uint64_t count) {
  if (count == 0) return;
  value = std::max(value, shortest);
  const auto held = static_cast<std::uint64_t>(std::min(value, longest).count());
  counts_[place_of(held)] += count;
  count_ += count;
  if (value > longest) overflow_ += count;
  max_ = std::max(max_, value);
  sum_us_ += static_cast<double>(value.count()) * static_cast<double>(count);
}

void Histogram::merge(const Histogram& other) {
  // Coarse steps are made of whole fine ones, hence no count lands in a step that it was not in.
  for (size_t place = 0; place < other.counts_.size(); ++place) {
    if (other.counts_[place] == 0) continue;
    const auto last = std::min(other.step_at(place).last, longest);
    counts_[place_of(static_cast<std::uint64_t>(last.count()))] += other.counts_[place];
  }
  count_ += other.count_;
  overflow_ += other.overflow_;
  max_ = std::max(max_, other.max_);
  sum_us_ += other.sum_us_;
}

double Histogram::mean_us() const { return count_ == 0 ? 0 : sum_us_ / static_cast<double>(count_); }

std::chrono::microseconds Histogram::value_at(double percentile) const {
  if (count_ == 0) return std::chrono::microseconds(0);
  const double part = percentile > 0 ? std::min(percentile, 100.0) / 100 : 0;  // not a number: 0
  const auto wanted = static_cast<std::uint64_t>(std::ceil(part * static_cast<double>(count_)));
  const std::uint64_t rank = std::clamp<std::uint64_t>(wanted, 1, count_);
  if (rank > count_ - overflow_) return max_;
  std::uint64_t seen = 0;
  for (size_t place = 0; place < counts_.size(); ++place) {
    seen += counts_[place];
    if (seen >= rank) return std::min(step_at(place).last, max_);
  }
  return max_;
}

std::vector<Histogram::Step> Histogram::steps() const {
  std::vector<Step> found;
  for (size_t place = 0; place < counts_.size(); ++place)
    if (counts_[place] != 0) found.push_back(step_at(place));
  return found;
}

}  // namespace kdb
