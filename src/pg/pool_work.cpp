#include "pg/pool_work.hpp"

#include <algorithm>
#include <utility>
#include <variant>

namespace kdb::pg {
namespace {

using std::chrono::milliseconds;

enum class Again { never, at_once, paused, in_doubt };

// Few attempts where the server lacks something: each takes more of it.
constexpr int attempts_without_resources = 3;

Again again_after(const ServerError& error, int attempt) {
  switch (classify_error(error.phase, error.sqlstate, error.session_ended, error.message)) {
    case RetryClass::never:
      return Again::never;
    case RetryClass::in_doubt:
    case RetryClass::inspect:
      return Again::in_doubt;
    case RetryClass::transaction:
      return attempt == 1 ? Again::at_once : Again::paused;
    case RetryClass::resources:
      return attempt < attempts_without_resources ? Again::paused : Again::never;
    case RetryClass::reconnect:
    case RetryClass::lock:
    case RetryClass::lost:
      return Again::paused;
  }
  return Again::never;
}

Pool::Time deadline_of(const PoolWork& how, Pool::Time begin) {
  return how.policy.deadline.count() > 0 ? begin + how.policy.deadline : Pool::Time::max();
}

/// What a lost or read-only server's session is good for no longer.
bool spoils_session(const ServerError& error) { return error.session_ended || error.sqlstate == "25006"; }

}  // namespace

WorkOutcome run_on(Pool& pool, const PoolWork& how, const std::function<void(Pool::Lease&)>& work) {
  using End = WorkOutcome::End;
  const Pool::Time deadline = deadline_of(how, how.now());
  if (how.budget != nullptr) how.budget->earn();
  WorkOutcome outcome;
  milliseconds pause{0};
  while (true) {
    auto acquired = pool.acquire(deadline, how.purpose);
    if (auto* refusal = std::get_if<PoolRefusal>(&acquired)) {
      outcome.refusal = std::move(*refusal);
      outcome.end = End::refused;
      return outcome;
    }
    Pool::Lease lease = std::get<Pool::Lease>(std::move(acquired));
    ++outcome.attempts;
    try {
      work(lease);
      outcome.end = End::done;
      outcome.error.reset();
      return outcome;
    } catch (const ServerError& error) {
      outcome.error = error;
      if (spoils_session(error)) lease.discard();
    }
    lease.give_back();  // nobody else shall wait for a pause
    const Again again = again_after(*outcome.error, outcome.attempts);
    outcome.end = again == Again::in_doubt ? End::in_doubt : End::failed;
    if (again == Again::never || again == Again::in_doubt) return outcome;
    if (outcome.attempts >= how.policy.max_attempts) return outcome;
    if (again == Again::paused) {
      pause = backoff_delay(how.policy, outcome.attempts - 1, pause, how.random);
      if (deadline != Pool::Time::max() && how.now() + pause >= deadline) return outcome;
    }
    if (how.budget != nullptr && !how.budget->spend()) {
      outcome.end = End::no_budget;
      return outcome;
    }
    if (again == Again::paused) how.sleep(pause);
  }
}

}  // namespace kdb::pg
