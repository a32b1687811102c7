#include "base/retry_budget.hpp"

#include <algorithm>

namespace kdb {

RetryBudget::RetryBudget(double ratio, double burst)
    : ratio_(std::max(ratio, 0.0)), burst_(std::max(burst, 0.0)), saved_(burst_) {}

void RetryBudget::earn() { saved_ = std::min(saved_ + ratio_, burst_); }

bool RetryBudget::spend() {
  // Ten tenths are a little less than one.
  constexpr double rounding = 1e-9;
  if (saved_ + rounding < 1) return false;
  saved_ = std::max(saved_ - 1, 0.0);
  return true;
}

}  // namespace kdb
