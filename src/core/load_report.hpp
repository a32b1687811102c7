#pragma once

#include <chrono>
#include <cstdint>
#include <string>
#include <vector>

#include "base/histogram.hpp"
#include "core/load_schedule.hpp"
#include "model/pool_settings.hpp"
#include "model/report.hpp"

namespace kdb {

/// What came of the requests of one rate. Each is counted once among them.
struct LoadCounts {
  std::uint64_t done = 0;
  std::uint64_t errors = 0;    // that the server answered with, or a lost session
  std::uint64_t timeouts = 0;  // of the statement, of waiting for a connection, or in the queue before that
  std::uint64_t retries = 0;   // repetitions, of whatever came of the request then

  void add(const LoadCounts& other) {
    done += other.done;
    errors += other.errors;
    timeouts += other.timeouts;
    retries += other.retries;
  }
};

struct LoadResult {
  double offered_per_second = 0;
  std::chrono::milliseconds time{0};   // in which it was offered
  std::chrono::milliseconds drain{0};  // from then on until all had ended
  LoadCounts counts;                   // those of the drain too
  std::uint64_t done_in_time = 0;
  std::uint64_t waiting = 0;  // as of LoadStep
  Histogram latency;          // from when it was to start until it was done or had failed
  int most_active = 0;
  int most_waiting = 0;
  double client_cpu = 0;  // of kdb itself: 0.7 is 70 % of one processor for each that there is
};

struct LoadQuery {
  std::string name;
  LoadCounts counts;
  Histogram latency;
};

/// What the knee is looked for in.
std::vector<LoadStep> load_steps(const std::vector<LoadResult>& results);

/// For people and programs. `steps`: by their rate; `queries`: of all steps together.
Report report_load(const std::vector<LoadResult>& steps, const std::vector<LoadQuery>& queries,
                   const PoolSettings& pool, Arrivals arrivals);

}  // namespace kdb
