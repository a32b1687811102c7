#pragma once

#include <chrono>
#include <functional>
#include <mutex>
#include <optional>
#include <string>
#include <string_view>

#include "base/retry_budget.hpp"
#include "pg/pool.hpp"

namespace kdb::pg {

/// A retry budget that many threads share.
class SharedRetryBudget {
 public:
  explicit SharedRetryBudget(const RetryBudget& budget = RetryBudget()) : budget_(budget) {}
  void earn() {
    const std::lock_guard lock(mutex_);
    budget_.earn();
  }
  bool spend() {
    const std::lock_guard lock(mutex_);
    return budget_.spend();
  }

 private:
  std::mutex mutex_;
  RetryBudget budget_;
};

/// How a unit of work is repeated, and what that needs of the outside world.
struct PoolWork {
  RetryPolicy policy;                   // attempts and pauses, and the deadline of all together; 0 means none
  SharedRetryBudget* budget = nullptr;  // none: only the policy limits
  std::string purpose;                  // what warnings call the holder
  std::function<Pool::Time()> now;
  std::function<void(std::chrono::milliseconds)> sleep;  // throws when the command shall end
  Random random;
};

/// How it ended.
struct WorkOutcome {
  enum class End {
    done,
    refused,    // no connection came, see `refusal`
    failed,     // with what is not repeated, or was repeated often enough, see `error`
    in_doubt,   // COMMIT was sent and no answer came, or a statement outside of a transaction was lost: only
                // a look into the database tells whether it is done
    no_budget,  // would have been repeated, had others not failed as often
  };
  End end = End::done;
  int attempts = 0;  // leases that were taken
  std::optional<ServerError> error;
  std::optional<PoolRefusal> refusal;
};

/// Runs `work` on a connection of the pool, and again on one where classify_error says that this is safe: a
/// serialization failure or deadlock at once for the first time, else after a pause (backoff_delay), a lost
/// session on another connection. Never holds a connection while it pauses; what is in doubt is never
/// repeated. `work` must be a whole transaction and throw ServerError with the phase it was in. Whatever else
/// it throws passes through.
WorkOutcome run_on(Pool& pool, const PoolWork& how, const std::function<void(Pool::Lease&)>& work);

}  // namespace kdb::pg
