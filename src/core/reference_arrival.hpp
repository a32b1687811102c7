#pragma once

#include <cstdint>
#include <vector>

#include "core/random_draws.hpp"

namespace kdb {

/// When the events of the reference data arrive: more from day to day, in a wave over each day and week. One
/// after the other, so that none has to be kept for sorting.
class ReferenceArrivals {
 public:
  /// `events` arrivals in the `days` from `start` on (seconds since 1970 UTC, a full hour).
  ReferenceArrivals(std::int64_t start, int days, std::int64_t events);

  /// The time of the `number`th (from 0), in seconds since 1970 UTC; none is before that of a smaller number.
  std::int64_t at(std::int64_t number, Draws& draws);

 private:
  std::int64_t start_;
  std::uint64_t events_;
  std::vector<std::uint64_t> passed_;  // the weight of all hours before this one; one more than there are
  size_t hour_ = 0;
};

}  // namespace kdb
