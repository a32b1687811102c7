#pragma once

#include <chrono>
#include <functional>
#include <optional>
#include <string>
#include <string_view>

namespace kdb {

enum class Jitter {
  additive,      // + 0–20 %: the default
  full,          // uniform in [0, delay]
  decorrelated,  // uniform in [initial, 3 × previous delay]
};

/// `[connection] retry` of a profile.
struct RetryPolicy {
  std::chrono::milliseconds initial{100};
  std::chrono::milliseconds max_delay{5'000};
  double factor = 2.0;
  Jitter jitter = Jitter::additive;
  int max_attempts = 10;                       // the first try counts
  std::chrono::milliseconds deadline{60'000};  // for all attempts together, pauses included; 0 means none

  bool operator==(const RetryPolicy&) const = default;
};

/// Uniform in [0, 1).
using Random = std::function<double()>;

/// The pause before attempt `attempt + 1`, after `attempt` (from 0) failed:
/// `min(max_delay, initial * factor^attempt)`, then jitter, then clamped to max_delay again. `previous` is
/// what the last call returned (decorrelated jitter needs it).
std::chrono::milliseconds backoff_delay(const RetryPolicy& policy, int attempt,
                                        std::chrono::milliseconds previous, const Random& random);

/// Where in a session's life an error came: it decides more than the code does.
enum class Phase { connecting, in_transaction, outside_transaction, committing };

enum class RetryClass {
  never,        // the same again would fail the same way
  reconnect,    // the connection could not be made; try again with backoff
  transaction,  // the whole transaction again, at once (40001, 40P01)
  lock,         // the whole transaction again, after a longer pause, naming who blocks (55P03, 55006)
  resources,    // few attempts, long pauses (53200, 53400)
  lost,         // the session ended before COMMIT was sent: surely rolled back; again on a new connection
  in_doubt,     // COMMIT was sent and no answer came: the history row decides
  inspect,      // a statement outside of a transaction was lost: the catalog decides
};

/// The decision table. `sqlstate` is empty where the server sent none (the network failed);
/// `session_ended` says that the connection is gone; `message` only decides for poolers, which answer
/// everything with 08P01.
RetryClass classify_error(Phase phase, std::string_view sqlstate, bool session_ended,
                          std::string_view message);

}  // namespace kdb
