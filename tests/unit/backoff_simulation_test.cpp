// What back-off and jitter are for: many clients lose a server at once, and all come back. The pauses are
// those of backoff_delay. `scripts/bench backoff` prints the table.

#include <algorithm>
#include <chrono>
#include <cstdlib>
#include <iostream>
#include <map>
#include <queue>
#include <random>
#include <string>
#include <vector>

#include <doctest/doctest.h>
#include <fmt/format.h>

#include "base/retry.hpp"
#include "support/cases.hpp"

namespace kdb::backoff_simulation_test {

using std::chrono::milliseconds;

namespace {

constexpr int clients = 200;
constexpr std::int64_t outage_ms = 2'000;
constexpr std::int64_t window_ms = 20;
// The server that has come back takes so many new sessions in a window, and refuses the others.
constexpr int served_per_window = 10;

struct Figures {
  double calls_per_client = 0;
  double last_ms = 0;    // after the server came back, until all are served
  double median_ms = 0;  // until half are
  double peak = 0;       // arrivals in a window, after the server came back
};

struct Call {
  std::int64_t at_ms = 0;
  int client = 0;
  bool operator>(const Call& other) const {
    return std::pair(at_ms, client) > std::pair(other.at_ms, other.client);
  }
};

/// All lose the server at 0 and call again until they are served.
Figures simulate(const RetryPolicy& policy, bool jitter, unsigned seed) {
  std::mt19937 engine(seed);
  const Random random = [&] { return jitter ? std::uniform_real_distribution<double>(0, 1)(engine) : 0.0; };
  std::priority_queue<Call, std::vector<Call>, std::greater<>> calls;
  for (int client = 0; client < clients; ++client) calls.push({0, client});
  std::vector<int> attempts(clients, 0);
  std::vector<milliseconds> pauses(clients, milliseconds(0));
  std::map<std::int64_t, int> arrivals;  // by window
  std::map<std::int64_t, int> served;
  std::vector<double> done;
  int all_calls = 0;
  while (!calls.empty()) {
    const Call call = calls.top();
    calls.pop();
    ++all_calls;
    const auto who = static_cast<size_t>(call.client);
    const std::int64_t window = call.at_ms / window_ms;
    const bool up = call.at_ms >= outage_ms;
    if (up) ++arrivals[window];
    if (up && served[window] < served_per_window) {
      ++served[window];
      done.push_back(static_cast<double>(call.at_ms - outage_ms));
      continue;
    }
    pauses[who] = backoff_delay(policy, attempts[who]++, pauses[who], random);
    // Even who does not pause needs a moment to hear of the refusal.
    calls.push({call.at_ms + std::max<std::int64_t>(pauses[who].count(), 1), call.client});
  }
  Figures figures;
  figures.calls_per_client = static_cast<double>(all_calls) / clients;
  figures.last_ms = done.back();
  figures.median_ms = done[done.size() / 2];
  for (const auto& [window, count] : arrivals) figures.peak = std::max<double>(figures.peak, count);
  return figures;
}

/// The mean of several runs.
Figures average(const RetryPolicy& policy, bool jitter, unsigned seed) {
  constexpr int runs = 10;
  Figures sum;
  for (unsigned run = 0; run < runs; ++run) {
    const Figures one = simulate(policy, jitter, seed + run);
    sum.calls_per_client += one.calls_per_client / runs;
    sum.last_ms += one.last_ms / runs;
    sum.median_ms += one.median_ms / runs;
    sum.peak += one.peak / runs;
  }
  return sum;
}

void print(const char* name, const Figures& figures) {
  if (std::getenv("KDB_PRINT") == nullptr) return;
  std::cout << fmt::format("{:<14}{:>14.1f}{:>12.2f} s{:>11.2f} s{:>18.0f}\n", name, figures.calls_per_client,
                           figures.last_ms / 1'000, figures.median_ms / 1'000, figures.peak);
}

RetryPolicy with(Jitter jitter) {
  RetryPolicy policy;
  policy.jitter = jitter;
  return policy;
}

}  // namespace

TEST_CASE("when many lose a server at once, jitter spreads their return and growing pauses spare it calls") {
  const unsigned seed = test::seed();
  CAPTURE(seed);
  RetryPolicy steady;
  steady.factor = 1;
  const Figures none = average(steady, false, seed);
  const Figures equal = average({}, false, seed);
  const Figures additive = average(with(Jitter::additive), true, seed);
  const Figures full = average(with(Jitter::full), true, seed);
  const Figures decorrelated = average(with(Jitter::decorrelated), true, seed);
  if (std::getenv("KDB_PRINT") != nullptr)
    std::cout << "back-off      calls/client     last done       median  peak per 20 ms\n";
  print("none", none);
  print("no jitter", equal);
  print("additive", additive);
  print("full", full);
  print("decorrelated", decorrelated);

  CHECK(none.peak == clients);
  CHECK(equal.peak == clients);
  CHECK(additive.peak < none.peak / 3);
  CHECK(full.peak < none.peak / 3);
  CHECK(decorrelated.peak < none.peak / 3);
  CHECK(full.peak < additive.peak);
  for (const Figures& better : {additive, full, decorrelated}) {
    CHECK(better.calls_per_client < none.calls_per_client / 2);
    CHECK(better.calls_per_client < equal.calls_per_client);
  }
  CHECK(additive.last_ms < equal.last_ms / 3);  // in step, they are refused again and again
}

}  // namespace kdb::backoff_simulation_test
