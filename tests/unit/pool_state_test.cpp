#include "pg/pool_state.hpp"

#include <chrono>
#include <vector>

#include <doctest/doctest.h>

namespace kdb::pool_state_test {

using namespace kdb::pg;
using std::chrono::milliseconds;
using std::chrono::seconds;
using Kind = PoolAction::Kind;

namespace {

/// A pool and a clock that stands still; what is to be done is done by hand.
struct Pool {
  explicit Pool(const PoolSettings& settings) : state(settings) { state.start(now); }

  std::vector<PoolAction> take(Kind kind) {
    for (const PoolAction& action : state.take_actions()) seen.push_back(action);
    std::vector<PoolAction> found;
    std::vector<PoolAction> rest;
    for (const PoolAction& action : seen) (action.kind == kind ? found : rest).push_back(action);
    seen = rest;
    return found;
  }
  MemberId one(Kind kind) {
    const std::vector<PoolAction> found = take(kind);
    REQUIRE(found.size() == 1);
    return found[0].member;
  }
  /// One that somebody has asked for, opened and handed over.
  MemberId held() {
    state.acquire(now);
    state.connected(one(Kind::connect), now, 0.5);
    return one(Kind::grant);
  }
  void give_back(MemberId id) {
    state.returned(id, false, now);
    state.was_reset(one(Kind::reset), true, now);
  }
  void close_all() {
    for (const PoolAction& action : take(Kind::close)) state.closed(action.member, now);
  }
  std::int64_t destroyed(DestroyReason reason) {
    return state.statistics().destroys.at(static_cast<size_t>(reason));
  }
  void pass(milliseconds time) {
    now += time;
    state.tick(now);
  }

  PoolState::Time now{std::chrono::hours(1)};
  PoolState state;
  std::vector<PoolAction> seen;
};

}  // namespace

TEST_CASE("a pool opens what is always to be there, and for more only when asked") {
  Pool pool({.min = 2, .max = 4});
  const auto first = pool.take(Kind::connect);
  REQUIRE(first.size() == 2);
  for (const PoolAction& action : first) pool.state.connected(action.member, pool.now, 0.5);
  CHECK(pool.state.statistics().idle == 2);
  CHECK(pool.take(Kind::connect).empty());
  for (int i = 0; i < 3; ++i) pool.state.acquire(pool.now);
  CHECK(pool.take(Kind::grant).size() == 2);
  CHECK(pool.take(Kind::connect).size() == 1);
}

TEST_CASE("one connection is opened per waiter, so many at once, never above the maximum") {
  Pool pool({.max = 5, .max_connecting = 2});
  for (int i = 0; i < 200; ++i) pool.state.acquire(pool.now);
  size_t opened = 0;
  for (auto connects = pool.take(Kind::connect); !connects.empty(); connects = pool.take(Kind::connect)) {
    CHECK(connects.size() <= 2);
    opened += connects.size();
    for (const PoolAction& action : connects) pool.state.connected(action.member, pool.now, 0.5);
  }
  CHECK(opened == 5);
  const auto grants = pool.take(Kind::grant);
  REQUIRE(grants.size() == 5);
  for (size_t i = 0; i < 5; ++i) CHECK(grants[i].waiter == i + 1);
  CHECK(pool.state.statistics().waiting == 195);
}

TEST_CASE("what was used last is used first, and the rest grows old") {
  Pool pool({.min = 1, .max = 3, .idle_timeout = seconds(60), .lifetime = milliseconds(0)});
  const MemberId minimum = pool.one(Kind::connect);
  pool.state.connected(minimum, pool.now, 0.5);
  pool.state.acquire(pool.now);
  CHECK(pool.one(Kind::grant) == minimum);
  const MemberId second = pool.held();
  pool.give_back(second);
  pool.give_back(minimum);
  pool.state.acquire(pool.now);
  CHECK(pool.one(Kind::grant) == minimum);
  pool.give_back(minimum);
  CHECK(pool.state.next_tick() == pool.now + seconds(60));
  pool.pass(seconds(60));
  CHECK(pool.one(Kind::close) == second);
  pool.state.closed(second, pool.now);
  CHECK(pool.destroyed(DestroyReason::idle) == 1);
  pool.pass(seconds(600));
  CHECK(pool.take(Kind::close).empty());  // the minimum stays
  CHECK(pool.state.next_tick() == PoolState::Time::max());
}

TEST_CASE("a lifetime is ten percent longer or shorter, and one that is in use ends after it") {
  for (const auto& [chance, life] : {std::pair{0.0, 900}, std::pair{0.5, 1'000}, std::pair{0.9999, 1'099}}) {
    Pool pool({.min = 1, .max = 1, .lifetime = seconds(1'000)});
    pool.state.connected(pool.one(Kind::connect), pool.now, chance);
    pool.pass(seconds(life - 1));
    CHECK(pool.take(Kind::close).empty());
    pool.pass(seconds(2));
    pool.close_all();
    CHECK(pool.destroyed(DestroyReason::lifetime) == 1);
    CHECK(pool.take(Kind::connect).size() == 1);  // the minimum is made good
  }
  Pool pool({.max = 1, .lifetime = seconds(1'000)});
  const MemberId old = pool.held();
  pool.pass(seconds(2'000));
  CHECK(pool.take(Kind::close).empty());
  pool.state.returned(old, false, pool.now);
  CHECK(pool.one(Kind::close) == old);
}

TEST_CASE("who gives up leaves the connection that is being opened to the next") {
  Pool pool({.max = 1});
  const WaiterId first = pool.state.acquire(pool.now);
  const MemberId opening = pool.one(Kind::connect);
  CHECK(pool.state.give_up(first, pool.now));
  CHECK_FALSE(pool.state.give_up(first, pool.now));
  const WaiterId second = pool.state.acquire(pool.now);
  CHECK(pool.take(Kind::connect).empty());
  pool.state.connected(opening, pool.now, 0.5);
  const auto grants = pool.take(Kind::grant);
  REQUIRE(grants.size() == 1);
  CHECK(grants[0].waiter == second);
  CHECK_FALSE(pool.state.give_up(second, pool.now));
  CHECK(pool.state.statistics().timeouts == 1);
}

TEST_CASE("what has been idle for a while is asked first, and a dead one is replaced for the same waiter") {
  Pool pool({.max = 2});
  const MemberId one = pool.held();
  const MemberId two = pool.held();
  pool.give_back(one);
  pool.give_back(two);
  pool.pass(milliseconds(999));
  pool.state.acquire(pool.now);
  CHECK(pool.one(Kind::grant) == two);
  pool.give_back(two);
  pool.pass(milliseconds(1'000));
  const WaiterId waiter = pool.state.acquire(pool.now);
  CHECK(pool.one(Kind::check) == two);
  pool.state.acquire(pool.now);
  CHECK(pool.one(Kind::check) == one);
  const WaiterId third = pool.state.acquire(pool.now);
  pool.state.checked(two, false, pool.now);
  pool.close_all();
  CHECK(pool.destroyed(DestroyReason::dead) == 1);
  pool.state.connected(pool.one(Kind::connect), pool.now, 0.5);
  const auto grants = pool.take(Kind::grant);
  REQUIRE(grants.size() == 1);
  CHECK(grants[0].waiter == waiter);  // before who came in the meantime
  pool.state.checked(one, true, pool.now);
  CHECK(pool.one(Kind::grant) == one);
  CHECK(pool.state.give_up(third, pool.now));
}

TEST_CASE("one that was opened or tidied up just now is not asked, even where all others are") {
  Pool pool({.max = 1, .check_after = milliseconds(0)});
  const MemberId fresh = pool.held();
  pool.state.acquire(pool.now);
  pool.give_back(fresh);
  CHECK(pool.one(Kind::grant) == fresh);
  pool.give_back(fresh);
  pool.pass(milliseconds(1));
  pool.state.acquire(pool.now);
  CHECK(pool.one(Kind::check) == fresh);
}

TEST_CASE("a broken connection is closed, and what it held up goes on") {
  Pool pool({.max = 1});
  const MemberId first = pool.held();
  pool.state.acquire(pool.now);
  pool.state.returned(first, true, pool.now);
  CHECK(pool.take(Kind::connect).empty());  // not before the old one is closed
  pool.close_all();
  const MemberId second = pool.one(Kind::connect);
  pool.state.connected(second, pool.now, 0.5);
  CHECK(pool.one(Kind::grant) == second);
  pool.state.acquire(pool.now);
  pool.state.returned(second, false, pool.now);
  pool.state.was_reset(pool.one(Kind::reset), false, pool.now);
  pool.close_all();
  CHECK(pool.destroyed(DestroyReason::broken) == 2);
  CHECK(pool.take(Kind::connect).size() == 1);
}

TEST_CASE("a closed pool plans no attempt to connect, whatever failed before") {
  Pool pool({.min = 2, .max = 4});
  for (const PoolAction& action : pool.take(Kind::connect))
    pool.state.connect_failed(action.member, ConnectFailure::passing, pool.now, 0);
  CHECK(pool.state.next_tick() == pool.now + milliseconds(100));
  pool.state.close(pool.now);
  CHECK(pool.state.next_tick() == PoolState::Time::max());
  pool.pass(seconds(1));
  CHECK(pool.take(Kind::connect).empty());
  CHECK(pool.state.next_tick() == PoolState::Time::max());
}

TEST_CASE("while the server fails one attempt is made at a time, after growing pauses") {
  Pool pool({.max = 10, .max_connecting = 4});
  for (int i = 0; i < 10; ++i) pool.state.acquire(pool.now);
  const auto attempts = pool.take(Kind::connect);
  CHECK(attempts.size() == 4);
  for (const PoolAction& action : attempts)
    pool.state.connect_failed(action.member, ConnectFailure::passing, pool.now, 0);
  for (const int pause : {100, 200, 400, 800}) {
    CAPTURE(pause);
    CHECK(pool.take(Kind::connect).empty());
    CHECK(pool.state.next_tick() == pool.now + milliseconds(pause));
    pool.pass(milliseconds(pause));
    pool.state.connect_failed(pool.one(Kind::connect), ConnectFailure::passing, pool.now, 0);
  }
  pool.pass(seconds(10));
  pool.state.connected(pool.one(Kind::connect), pool.now, 0.5);
  CHECK(pool.take(Kind::connect).size() == 4);
  CHECK(pool.take(Kind::refuse).empty());
  CHECK(pool.state.statistics().failed_connects == 8);
}

TEST_CASE("what will not pass is told to who waits, unless a connection may come back") {
  Pool pool({.max = 2});
  const WaiterId one = pool.state.acquire(pool.now);
  pool.state.connect_failed(pool.one(Kind::connect), ConnectFailure::permanent, pool.now, 0);
  const auto refused = pool.take(Kind::refuse);
  REQUIRE(refused.size() == 1);
  CHECK(refused[0].waiter == one);
  pool.pass(seconds(10));
  const MemberId held = pool.held();
  const WaiterId two = pool.state.acquire(pool.now);
  pool.state.connect_failed(pool.one(Kind::connect), ConnectFailure::permanent, pool.now, 0);
  CHECK(pool.take(Kind::refuse).empty());
  pool.give_back(held);
  const auto grants = pool.take(Kind::grant);
  REQUIRE(grants.size() == 1);
  CHECK(grants[0].waiter == two);
}

TEST_CASE("a command that ends refuses everybody who waits") {
  Pool pool({.max = 2});
  pool.held();
  pool.state.acquire(pool.now);
  pool.state.acquire(pool.now);
  pool.state.connect_failed(pool.one(Kind::connect), ConnectFailure::ended, pool.now, 0);
  CHECK(pool.take(Kind::refuse).size() == 2);
}

TEST_CASE("of a full server no more is asked than it gave, for half a minute") {
  Pool pool({.max = 10, .max_connecting = 1});
  pool.held();
  pool.held();
  for (int i = 0; i < 5; ++i) pool.state.acquire(pool.now);
  pool.state.connect_failed(pool.one(Kind::connect), ConnectFailure::full, pool.now, 0);
  CHECK(pool.take(Kind::fewer).size() == 1);
  CHECK(pool.state.max_now() == 2);
  CHECK(pool.take(Kind::connect).empty());
  CHECK(pool.state.next_tick() == pool.now + seconds(30));
  pool.pass(milliseconds(29'999));
  CHECK(pool.take(Kind::connect).empty());
  pool.pass(milliseconds(1));
  CHECK(pool.state.max_now() == 10);
  CHECK(pool.take(Kind::connect).size() == 1);
}

TEST_CASE("a connection that was under way when the server refused another counts") {
  Pool pool({.max = 10, .max_connecting = 2});
  pool.held();
  pool.state.acquire(pool.now);
  pool.state.acquire(pool.now);
  const auto attempts = pool.take(Kind::connect);
  REQUIRE(attempts.size() == 2);
  pool.state.connect_failed(attempts[0].member, ConnectFailure::full, pool.now, 0);
  CHECK(pool.state.max_now() == 1);
  pool.state.connected(attempts[1].member, pool.now, 0.5);
  CHECK(pool.state.max_now() == 2);
  CHECK(pool.take(Kind::connect).empty());
}

TEST_CASE("a full server with none of ours is asked again after a pause") {
  Pool pool({.max = 10, .max_connecting = 1});
  pool.state.acquire(pool.now);
  pool.state.connect_failed(pool.one(Kind::connect), ConnectFailure::full, pool.now, 0);
  CHECK(pool.state.max_now() == 1);
  CHECK(pool.take(Kind::connect).empty());
  pool.pass(milliseconds(100));
  CHECK(pool.take(Kind::connect).size() == 1);
}

TEST_CASE("flush closes what is there, what is being opened and what comes back") {
  Pool pool({.max = 3});
  const MemberId held = pool.held();
  const MemberId idle = pool.held();
  pool.give_back(idle);
  pool.pass(seconds(2));
  pool.state.acquire(pool.now);
  REQUIRE(pool.one(Kind::check) == idle);
  pool.state.acquire(pool.now);
  const MemberId opening = pool.one(Kind::connect);
  pool.state.flush(pool.now);
  pool.state.connected(opening, pool.now, 0.5);
  pool.state.returned(held, false, pool.now);
  pool.state.checked(idle, true, pool.now);
  CHECK(pool.take(Kind::grant).empty());
  pool.close_all();
  CHECK(pool.destroyed(DestroyReason::flushed) == 3);
  for (const PoolAction& action : pool.take(Kind::connect)) {
    pool.state.connected(action.member, pool.now, 0.5);
  }
  CHECK(pool.take(Kind::grant).size() == 2);
}

TEST_CASE("a closed pool refuses, and closes what comes back") {
  Pool pool({.max = 2});
  const MemberId held = pool.held();
  const MemberId idle = pool.held();
  pool.give_back(idle);
  pool.state.close(pool.now);
  CHECK(pool.one(Kind::close) == idle);
  pool.state.closed(idle, pool.now);
  const WaiterId late = pool.state.acquire(pool.now);
  const auto refused = pool.take(Kind::refuse);
  REQUIRE(refused.size() == 1);
  CHECK(refused[0].waiter == late);
  pool.state.returned(held, false, pool.now);
  pool.close_all();
  CHECK(pool.state.statistics().total == 0);
  CHECK(pool.destroyed(DestroyReason::closed) == 2);
}

TEST_CASE("a connection that is held for too long is told of once") {
  Pool pool({.max = 1, .leak_after = seconds(30)});
  const MemberId held = pool.held();
  CHECK(pool.state.next_tick() == pool.now + seconds(30));
  pool.pass(milliseconds(29'999));
  CHECK(pool.take(Kind::leak).empty());
  pool.pass(milliseconds(1));
  CHECK(pool.one(Kind::leak) == held);
  pool.pass(seconds(60));
  CHECK(pool.take(Kind::leak).empty());
  pool.give_back(held);
  pool.state.acquire(pool.now);
  pool.pass(seconds(30));
  CHECK(pool.one(Kind::leak) == held);  // another lease, another story
  CHECK(pool.state.statistics().leaks == 2);
}

TEST_CASE("high usage is told once it has lasted, and its end only well below") {
  Pool pool({.max = 10, .leak_after = milliseconds(0)});
  std::vector<MemberId> held;
  for (int i = 0; i < 8; ++i) held.push_back(pool.held());
  pool.pass(seconds(100));
  CHECK(pool.take(Kind::usage_high).empty());  // 80 % is not above 80 %
  held.push_back(pool.held());
  CHECK(pool.state.next_tick() == pool.now + seconds(30));
  pool.pass(milliseconds(29'999));
  CHECK(pool.take(Kind::usage_high).empty());
  pool.give_back(held[8]);  // a moment below begins it anew
  pool.state.acquire(pool.now);
  pool.pass(milliseconds(29'999));
  CHECK(pool.take(Kind::usage_high).empty());
  pool.pass(milliseconds(1));
  CHECK(pool.take(Kind::usage_high).size() == 1);
  pool.give_back(held[8]);
  pool.give_back(held[7]);
  CHECK(pool.take(Kind::usage_normal).empty());  // 70 %
  pool.give_back(held[6]);
  CHECK(pool.take(Kind::usage_normal).size() == 1);
  pool.pass(seconds(100));
  CHECK(pool.take(Kind::usage_high).empty());
}

}  // namespace kdb::pool_state_test
