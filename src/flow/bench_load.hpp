#pragma once

#include <chrono>
#include <cstdint>
#include <string>
#include <vector>

#include "core/load_schedule.hpp"
#include "flow/session.hpp"
#include "model/query.hpp"
#include "model/report.hpp"

namespace kdb::flow {

struct BenchLoadOptions {
  std::vector<DeclaredQuery> queries;  // each as often as its weight says
  std::vector<double> rates;           // requests a second, one step after the other
  bool to_knee = false;                // go on from the last of them until the server does not keep up
  std::chrono::milliseconds duration{30'000};  // of each step
  Arrivals arrivals = Arrivals::poisson;
  std::uint64_t seed = 1;
  std::chrono::milliseconds timeout{10'000};  // from when a request was to start
  std::chrono::milliseconds slow{1'000};      // from there on a request is worth a line
};

/// Offers a database requests at times that do not depend on its answers, over the profile's pool, in
/// sessions that only read. Latency counts from when a request was to start. Throws Error(interrupted) after
/// a signal, Error(failed) where no connection can be made; Error(refused) where the database is not the
/// expected one, or a pooler lends sessions to others: theirs would only read from then on.
Report bench_load(const Context& context, const BenchLoadOptions& options);

}  // namespace kdb::flow
