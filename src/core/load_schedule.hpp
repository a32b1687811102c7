#pragma once

#include <chrono>
#include <cstdint>
#include <optional>
#include <span>
#include <string>

#include "base/seeded_random.hpp"

namespace kdb {

enum class Arrivals {
  fixed,    // one every 1 / rate seconds
  poisson,  // independent of each other: exponential gaps, as many users make
};

/// When the requests of an open loop are meant to start, as offsets from the beginning of the load: latency
/// counts from these, whatever the server does (G. Tene's coordinated omission). The same for the same seed.
class LoadSchedule {
 public:
  /// `per_second` has to be above 0; else the first start is never.
  LoadSchedule(Arrivals arrivals, double per_second, std::uint64_t seed);

  /// The next start, never before the last one; 0 is the first of fixed arrivals.
  std::chrono::nanoseconds next();

 private:
  Arrivals arrivals_;
  double per_second_;
  SeededRandom random_;
  std::uint64_t starts_ = 0;
  double seconds_ = 0;
};

/// What was measured while so much was offered.
struct LoadStep {
  double offered_per_second = 0;
  double p99_ms = 0;
  std::uint64_t requests = 0;
  std::uint64_t errors = 0;   // timeouts too
  std::uint64_t waiting = 0;  // that were due and had no connection when the time was over

  bool operator==(const LoadStep&) const = default;
};

struct KneeRules {
  double most_waiting = 0.05;              // part of the requests, at the end
  double most_errors = 0.001;              // part of the requests
  std::optional<double> most_p99_ms = {};  // a bound that was declared
  double most_p99_growth = 5;              // without one: times that of the smallest load
};

struct Knee {
  std::optional<double> holds_per_second = {};   // the largest load that was borne before it broke
  std::optional<double> breaks_per_second = {};  // the smallest that was not; nothing where all were
  std::string reason = {};                       // for people
};

/// The load from which on no greater one was borne, in whatever order they were tried; one that failed below
/// another that was borne is a disturbance, and not the knee. Without a bound on the latency, one that is
/// several times that of the smallest load is where queues begin to form. What a server does not keep up with
/// is seen in the requests that wait in the end. A query that takes long is none of them.
Knee find_knee(std::span<const LoadStep> steps, const KneeRules& rules);

}  // namespace kdb
