#include "pg/pool_work.hpp"

#include <chrono>
#include <stdexcept>
#include <string>
#include <vector>

#include <doctest/doctest.h>

namespace kdb::pool_work_test {

using namespace kdb::pg;
using std::chrono::milliseconds;
using std::chrono::seconds;
using End = WorkOutcome::End;

namespace {

/// A pool of one connection that is none, and pauses that take no time.
struct Bench {
  Bench() : pool({.max = 1}, {}, [] { return nothing(); }, {}) {
    how.policy.max_attempts = 5;
    how.policy.deadline = seconds(60);
    how.now = [this] { return now; };
    how.sleep = [this](milliseconds time) {
      slept.push_back(time.count());
      idle_while_asleep = pool.statistics().idle;
      now += time;
    };
    how.random = [] { return 0.0; };
  }

  static PoolSession nothing() {
    return {.connection = nullptr,
            .is_alive = [](milliseconds) { return true; },
            .reset = [](milliseconds) { return true; }};
  }
  static ServerError error(const std::string& sqlstate, Phase phase = Phase::in_transaction,
                           bool ended = false) {
    ServerError made;
    made.sqlstate = sqlstate;
    made.phase = phase;
    made.session_ended = ended;
    return made;
  }
  /// Fails with each of them in turn, then goes well.
  WorkOutcome run(const std::vector<ServerError>& errors) {
    size_t at = 0;
    return run_on(pool, how, [&](Pool::Lease&) {
      if (at < errors.size()) throw ServerError(errors[at++]);
    });
  }

  Pool::Time now = std::chrono::steady_clock::now();
  Pool pool;
  PoolWork how;
  std::vector<std::int64_t> slept;
  int idle_while_asleep = -1;
};

}  // namespace

TEST_CASE("work that fails for a moment is done in the end, without holding on while it pauses") {
  Bench bench;
  const ServerError deadlock = Bench::error("40P01");
  const WorkOutcome outcome = bench.run({deadlock, deadlock, Bench::error("55P03")});
  CHECK(outcome.end == End::done);
  CHECK(outcome.attempts == 4);
  CHECK_FALSE(outcome.error.has_value());
  CHECK(bench.slept == std::vector<std::int64_t>{200, 400});  // the first deadlock is repeated at once
  CHECK(bench.idle_while_asleep == 1);
}

TEST_CASE("what would fail again is not repeated, and what is in doubt never") {
  Bench bench;
  CHECK(bench.run({Bench::error("23505")}).end == End::failed);
  CHECK(bench.run({Bench::error("", Phase::committing, true)}).end == End::in_doubt);
  CHECK(bench.run({Bench::error("", Phase::outside_transaction, true)}).end == End::in_doubt);
  CHECK(bench.run({Bench::error("40001", Phase::outside_transaction)}).end == End::in_doubt);
  CHECK(bench.slept.empty());
}

TEST_CASE("a session that is lost is not used again") {
  Bench bench;
  CHECK(bench.run({Bench::error("57P01", Phase::in_transaction, true)}).end == End::done);
  CHECK(bench.run({Bench::error("25006")}).end == End::done);
  CHECK(bench.pool.statistics().creates == 3);
  CHECK(bench.pool.statistics().destroys[static_cast<size_t>(DestroyReason::broken)] == 2);
}

TEST_CASE("attempts, the deadline and the budget each end it") {
  Bench bench;
  const std::vector<ServerError> often(100, Bench::error("55P03"));
  WorkOutcome outcome = bench.run(often);
  CHECK(outcome.end == End::failed);
  CHECK(outcome.attempts == 5);
  CHECK(outcome.error->sqlstate == "55P03");

  CHECK(bench.run(std::vector<ServerError>(100, Bench::error("53200"))).attempts == 3);

  bench.how.policy.deadline = milliseconds(250);
  outcome = bench.run(often);
  CHECK(outcome.end == End::failed);
  CHECK(outcome.attempts == 2);  // 100 ms, and 200 ms would be too late

  SharedRetryBudget budget(RetryBudget(0.5, 1));
  bench.how.budget = &budget;
  bench.how.policy.deadline = seconds(60);
  outcome = bench.run(often);
  CHECK(outcome.end == End::no_budget);
  CHECK(outcome.attempts == 2);
  CHECK(outcome.error->sqlstate == "55P03");
}

TEST_CASE("without a connection there is no attempt") {
  Bench bench;
  bench.pool.close();
  const WorkOutcome outcome = bench.run({});
  CHECK(outcome.end == End::refused);
  CHECK(outcome.attempts == 0);
  CHECK(outcome.refusal->reason == PoolRefusal::Reason::closed);
}

TEST_CASE("what is no server's error passes through, and the connection goes back") {
  Bench bench;
  CHECK_THROWS_AS(run_on(bench.pool, bench.how, [](Pool::Lease&) { throw std::runtime_error("mine"); }),
                  std::runtime_error);
  CHECK(bench.pool.statistics().idle == 1);
}

}  // namespace kdb::pool_work_test
