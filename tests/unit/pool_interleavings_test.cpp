// The pool's decisions under a scheduler that lets anything happen next: whoever waits may give up, whatever
// is under way may end well or badly, and time may jump.

#include <chrono>
#include <functional>
#include <map>
#include <set>
#include <string>
#include <vector>

#include <doctest/doctest.h>
#include <fmt/format.h>

#include "pg/pool_state.hpp"
#include "support/cases.hpp"
#include "support/dice.hpp"

namespace kdb::pool_interleavings_test {

using namespace kdb::pg;
using std::chrono::milliseconds;
using std::chrono::seconds;
using test::Dice;
using Kind = PoolAction::Kind;

namespace {

/// Takes one of them out, by chance.
template <class Set>
typename Set::value_type draw(Dice& dice, Set& all) {
  auto at = std::next(all.begin(), static_cast<std::ptrdiff_t>(dice.pick(all.size())));
  typename Set::value_type value = *at;
  all.erase(at);
  return value;
}

struct World {
  World(unsigned seed, const PoolSettings& limits)
      : dice(seed), settings(limits), state(limits, {.max_delay = seconds(2)}) {
    state.start(now);
    carry_out();
  }

  double chance() { return static_cast<double>(dice.pick(1'000)) / 1'000; }

  void fail(const std::string& what) {
    if (wrong.empty()) wrong = fmt::format("step {}: {}", steps, what);
  }

  void carry_out() {
    for (const PoolAction& action : state.take_actions()) {
      switch (action.kind) {
        case Kind::connect:
          connecting.insert(action.member);
          break;
        case Kind::check:
          if (waiting.count(action.waiter) == 0) fail("a check for who does not wait");
          waiting.erase(action.waiter);
          checking[action.member] = action.waiter;
          break;
        case Kind::grant:
          settled(action.waiter);
          held.insert(action.member);
          break;
        case Kind::refuse:
          settled(action.waiter);
          ++refused;
          break;
        case Kind::reset:
          resetting.insert(action.member);
          break;
        case Kind::close:
          closing.insert(action.member);
          break;
        case Kind::leak:
        case Kind::usage_high:
        case Kind::usage_normal:
        case Kind::fewer:
          break;
      }
    }
    look();
  }

  /// Granted or refused: it must have been the first of those who wait, or the one its member was asked for.
  void settled(WaiterId waiter) {
    if (waiter == asked_for) {
      asked_for = 0;
      return;
    }
    if (waiting.erase(waiter) == 0) fail("granted or refused who does not wait");
    if (!waiting.empty() && *waiting.begin() < waiter) fail("served out of turn");
  }

  /// What must hold between any two events.
  void look() {
    const PoolStatistics now_is = state.statistics();
    const size_t alive =
        connecting.size() + checking.size() + held.size() + resetting.size() + closing.size();
    if (static_cast<int>(alive) + now_is.idle != now_is.total) fail("a connection is lost");
    if (now_is.total > settings.max) fail("more than max");
    if (static_cast<int>(connecting.size()) > settings.max_connecting) fail("too many connect at once");
    if (now_is.waiting != static_cast<int>(waiting.size())) fail("a waiter is lost");
    if (now_is.waiting > 0 && now_is.idle > 0) fail("idle while somebody waits");
    // Somebody waits and nobody else's event will help: the clock must.
    const bool may_grow = now_is.total < now_is.max && connecting.empty();
    if (now_is.waiting > 0 && may_grow && state.next_tick() == PoolState::Time::max())
      fail("waits for nothing");
    std::int64_t destroyed = 0;
    for (const std::int64_t count : now_is.destroys) destroyed += count;
    const std::int64_t open = now_is.total - static_cast<std::int64_t>(connecting.size() + closing.size());
    if (now_is.creates - destroyed != open) fail("opened and closed do not add up");
  }

  void ask() { waiting.insert(state.acquire(now)); }
  void end_connect(bool well) {
    const MemberId id = draw(dice, connecting);
    if (well) {
      state.connected(id, now, chance());
    } else {
      state.connect_failed(id, static_cast<ConnectFailure>(dice.pick(4)), now, chance());
    }
  }
  void end_check(bool alive) {
    const auto [id, waiter] = draw(dice, checking);
    if (alive) {
      asked_for = waiter;  // unless it is of an old generation: then it waits again
      const std::int64_t flushed = count_of(DestroyReason::flushed) + count_of(DestroyReason::closed);
      state.checked(id, true, now);
      if (count_of(DestroyReason::flushed) + count_of(DestroyReason::closed) > flushed) {
        asked_for = 0;
        waiting.insert(waiter);
      }
    } else {
      waiting.insert(waiter);
      state.checked(id, false, now);
    }
  }
  std::int64_t count_of(DestroyReason reason) {
    return state.statistics().destroys.at(static_cast<size_t>(reason));
  }
  void pass(milliseconds time) {
    now += time;
    state.tick(now);
  }

  void step() {
    ++steps;
    const size_t what = dice.pick(100);
    if (what < 25) {
      ask();
    } else if (what < 30 && !waiting.empty()) {
      const WaiterId waiter = draw(dice, waiting);
      if (!state.give_up(waiter, now)) fail("a waiter could not give up");
    } else if (what < 45 && !connecting.empty()) {
      end_connect(dice.chance(70));
    } else if (what < 55 && !checking.empty()) {
      end_check(dice.chance(60));
    } else if (what < 75 && !held.empty()) {
      state.returned(draw(dice, held), dice.chance(15), now);
    } else if (what < 85 && !resetting.empty()) {
      state.was_reset(draw(dice, resetting), dice.chance(90), now);
    } else if (what < 93 && !closing.empty()) {
      state.closed(draw(dice, closing), now);
    } else if (what < 99) {
      pass(milliseconds(dice.pick(dice.chance(20) ? 400'000 : 800)));
    } else {
      state.flush(now);
    }
    carry_out();
  }

  /// As step(), but what is under way ends well more often than more is begun: some time in a pool's life.
  void calm_step() {
    ++steps;
    if (waiting.size() < 20 && dice.chance(30)) {
      ask();
    } else if (!connecting.empty() && dice.chance(50)) {
      end_connect(dice.chance(95));
    } else if (!checking.empty()) {
      end_check(dice.chance(95));
    } else if (!resetting.empty()) {
      state.was_reset(draw(dice, resetting), dice.chance(99), now);
    } else if (!closing.empty()) {
      state.closed(draw(dice, closing), now);
    } else if (!held.empty()) {
      state.returned(draw(dice, held), dice.chance(1), now);
    }
    carry_out();
  }

  /// All that is under way ends well, so that everybody who waits is served, and nobody is forgotten.
  void run_out() {
    for (int round = 0; round < 100'000; ++round) {
      ++steps;
      if (!connecting.empty()) {
        end_connect(true);
      } else if (!checking.empty()) {
        end_check(true);
      } else if (!held.empty()) {
        state.returned(draw(dice, held), false, now);
      } else if (!resetting.empty()) {
        state.was_reset(draw(dice, resetting), true, now);
      } else if (!closing.empty()) {
        state.closed(draw(dice, closing), now);
      } else if (!waiting.empty() && state.next_tick() != PoolState::Time::max()) {
        now = std::max(now, state.next_tick());
        state.tick(now);
      } else {
        break;
      }
      carry_out();
    }
    if (!waiting.empty()) fail(fmt::format("{} wait for ever", waiting.size()));
    if (!held.empty() || !connecting.empty()) fail("does not come to an end");
  }

  void shut() {
    state.close(now);
    carry_out();
    run_out();
    if (state.statistics().total != 0) fail("a connection is left open");
  }

  Dice dice;
  PoolSettings settings;
  PoolState::Time now{std::chrono::hours(1)};
  PoolState state;
  std::set<MemberId> connecting, held, resetting, closing;
  std::map<MemberId, WaiterId> checking;
  std::set<WaiterId> waiting;
  WaiterId asked_for = 0;
  int refused = 0;
  int steps = 0;
  std::string wrong;
};

PoolSettings some_settings(Dice& dice) {
  PoolSettings settings;
  settings.max = 1 + static_cast<int>(dice.pick(8));
  settings.min = static_cast<int>(dice.pick(static_cast<size_t>(settings.max) + 1));
  settings.max_connecting = 1 + static_cast<int>(dice.pick(4));
  settings.idle_timeout = seconds(dice.pick(120));
  settings.lifetime = seconds(dice.pick(600));
  settings.leak_after = seconds(dice.pick(60));
  return settings;
}

}  // namespace

TEST_CASE("whatever happens in whatever order, a pool keeps its promises") {
  const unsigned seed = test::seed();
  CAPTURE(seed);
  Dice dice(seed);
  for (int round = 0; round < 10 * test::cases(); ++round) {
    World world(seed + static_cast<unsigned>(round), some_settings(dice));
    for (int step = 0; step < 100; ++step) world.step();
    if (dice.chance(50)) world.run_out();  // else the pool is closed in the midst of it all
    world.shut();
    if (world.wrong.empty()) continue;
    CAPTURE(round);
    FAIL_CHECK(world.wrong);
    break;
  }
}

TEST_CASE("an hour of churn leaves nothing behind") {
  const unsigned seed = test::seed();
  CAPTURE(seed);
  PoolSettings settings;
  settings.min = 2;
  settings.idle_timeout = seconds(20);
  settings.lifetime = seconds(90);
  World world(seed, settings);
  const PoolState::Time end = world.now + std::chrono::hours(1);
  while (world.now < end && world.wrong.empty()) {
    world.pass(milliseconds(250));
    world.carry_out();
    for (int i = 0; i < 4; ++i) world.calm_step();
  }
  CHECK(world.wrong == "");
  const PoolStatistics hour = world.state.statistics();
  CHECK(hour.creates > 40);  // ten at the most, each of a minute and a half at the most
  CHECK(hour.acquires > 1'000);
  world.run_out();
  world.shut();
  CHECK(world.wrong == "");
}

TEST_CASE("200 waiters are served in the order of asking") {
  World world(1, {.max = 7});
  for (int i = 0; i < 200; ++i) world.ask();
  world.carry_out();
  CHECK(world.state.statistics().waiting == 200);
  world.run_out();
  CHECK(world.wrong == "");
  CHECK(world.state.statistics().acquires == 200);
  CHECK(world.state.statistics().creates == 7);
  CHECK(world.refused == 0);
}

}  // namespace kdb::pool_interleavings_test
