#include "core/load_schedule.hpp"

#include <algorithm>
#include <cmath>
#include <limits>
#include <vector>

#include <fmt/format.h>

namespace kdb {

namespace {

std::chrono::nanoseconds offset_of(double seconds) {
  constexpr auto never = std::chrono::nanoseconds::max();
  const double nanoseconds = seconds * 1e9;
  if (!(nanoseconds < static_cast<double>(never.count()))) return never;
  return std::chrono::nanoseconds(std::llround(nanoseconds));
}

/// Whether more requests wait in the end than chance makes of as many (twice the standard deviation of a
/// Poisson number).
bool falls_behind(const LoadStep& step, const KneeRules& rules) {
  const auto requests = static_cast<double>(step.requests);
  const auto waiting = static_cast<double>(step.waiting);
  return waiting > rules.most_waiting * requests && waiting > 2 * std::sqrt(requests);
}

/// Why the step was not borne; empty if it was.
std::string why_broken(const LoadStep& step, double first_p99_ms, const KneeRules& rules) {
  if (step.requests == 0) return "no request was made";
  const double errors = static_cast<double>(step.errors) / static_cast<double>(step.requests);
  if (errors > rules.most_errors) return fmt::format("{} of {} requests failed", step.errors, step.requests);
  if (falls_behind(step, rules))
    return fmt::format("{} of {} requests waited at the end", step.waiting, step.requests);
  if (rules.most_p99_ms && step.p99_ms > *rules.most_p99_ms)
    return fmt::format("p99 was {:.4g} ms, {:.4g} ms are allowed", step.p99_ms, *rules.most_p99_ms);
  if (!rules.most_p99_ms && step.p99_ms > first_p99_ms * rules.most_p99_growth)
    return fmt::format("p99 was {:.4g} ms, with the smallest load {:.4g} ms", step.p99_ms, first_p99_ms);
  return {};
}

}  // namespace

LoadSchedule::LoadSchedule(Arrivals arrivals, double per_second, std::uint64_t seed)
    : arrivals_(arrivals),
      per_second_(per_second),
      random_(seed),
      seconds_(per_second > 0 ? 0 : std::numeric_limits<double>::infinity()) {}

std::chrono::nanoseconds LoadSchedule::next() {
  // By multiplication: a sum of rounded gaps would drift.
  if (arrivals_ == Arrivals::fixed) {
    const double start = static_cast<double>(starts_++) / per_second_;
    return offset_of(per_second_ > 0 ? start : seconds_);
  }
  seconds_ += -std::log1p(-random_.unit()) / per_second_;
  return offset_of(seconds_);
}

Knee find_knee(std::span<const LoadStep> steps, const KneeRules& rules) {
  if (steps.empty()) return {.reason = "no load was tried"};
  std::vector<LoadStep> ascending(steps.begin(), steps.end());
  std::stable_sort(ascending.begin(), ascending.end(), [](const LoadStep& a, const LoadStep& b) {
    return a.offered_per_second < b.offered_per_second;
  });
  Knee found;
  std::string why;
  for (const LoadStep& step : ascending) {
    const std::string broken = why_broken(step, ascending.front().p99_ms, rules);
    if (broken.empty()) {
      found = {.holds_per_second = step.offered_per_second};
    } else if (!found.breaks_per_second) {
      found.breaks_per_second = step.offered_per_second;
      why = broken;
    }
  }
  if (!found.breaks_per_second)
    found.reason =
        fmt::format("{:.4g} requests per second were borne, the largest load tried", *found.holds_per_second);
  else
    found.reason = fmt::format("breaks at {:.4g} requests per second: {}", *found.breaks_per_second, why);
  return found;
}

}  // namespace kdb
