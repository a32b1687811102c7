// What the pool's own threads do, and the errands that come out of its state.
#include <algorithm>

#include <fmt/format.h>

#include "base/error.hpp"
#include "base/text.hpp"
#include "pg/connect.hpp"
#include "pg/failure.hpp"
#include "pg/pool_impl.hpp"

namespace kdb::pg {
namespace {

using std::chrono::steady_clock;

struct Attempt {
  std::optional<PoolSession> session = std::nullopt;
  ConnectFailure failure = ConnectFailure::passing;
  PoolRefusal refusal = {};
};

ConnectFailure kind_of(const ServerError& error) {
  const bool full =
      error.sqlstate == "53300" ||
      (error.sqlstate == "08P01" && error.message.find("no more connections") != std::string::npos);
  if (full) return ConnectFailure::full;
  return connect_may_pass(error) ? ConnectFailure::passing : ConnectFailure::permanent;
}

Attempt attempt_to(const PoolOpener& open) {
  constexpr auto reason = PoolRefusal::Reason::cannot_connect;
  try {
    return {.session = open()};
  } catch (const ServerError& error) {
    return {.failure = kind_of(error),
            .refusal = {reason, "cannot connect: " + describe(error), connect_hint(error), error.sqlstate}};
  } catch (const Error& error) {  // a signal, or a malformed URL
    const Problem& problem = error.problems().front();
    return {.failure = ConnectFailure::ended, .refusal = {reason, problem.message, problem.hint, ""}};
  } catch (const std::exception& error) {
    return {.failure = ConnectFailure::permanent,
            .refusal = {reason, fmt::format("cannot connect: {}", error.what()), "", ""}};
  }
}

}  // namespace

void Pool::Impl::connect_loop() {
  Lock lock(mutex);
  while (true) {
    connect_wanted.wait(lock, [this] { return stop || !to_connect.empty(); });
    if (to_connect.empty()) return;
    const MemberId id = to_connect.front();
    to_connect.pop_front();
    Attempt attempt;
    if (!state.is_closed()) {
      lock.unlock();
      attempt = attempt_to(open);
      if (!attempt.session && attempt.failure != ConnectFailure::full) {
        const auto kind =
            attempt.failure == ConnectFailure::passing ? Event::Kind::retry : Event::Kind::warning;
        tell({.kind = kind, .message = attempt.refusal.message, .hint = attempt.refusal.hint});
      }
      lock.lock();
    }
    const Time now = steady_clock::now();
    if (attempt.session) {
      members[id] = std::make_unique<Member>(Member{std::move(*attempt.session), ""});
      last_failure.reset();
      state.connected(id, now, chance());
    } else {
      last_failure = attempt.refusal;
      state.connect_failed(id, attempt.failure, now, chance());
    }
    carry_out(lock);
  }
}

void Pool::Impl::housekeep() {
  Lock lock(mutex);
  while (!stop) {
    planned_tick = state.next_tick();
    if (planned_tick == Time::max()) {
      tick_changed.wait(lock);
    } else {
      tick_changed.wait_until(lock, planned_tick);
    }
    state.tick(steady_clock::now());
    carry_out(lock);
  }
}

/// Does what the state wants done, and what it wants then. The mutex is released in between.
void Pool::Impl::carry_out(Lock& lock) {
  for (Errands errands = next_errands(); !errands.empty(); errands = next_errands()) run(errands, lock);
  if (state.next_tick() < planned_tick) tick_changed.notify_all();
}

Pool::Impl::Errands Pool::Impl::next_errands() {
  Errands errands;
  for (const PoolAction& action : state.take_actions()) sort(action, errands);
  return errands;
}

void Pool::Impl::sort(const PoolAction& action, Errands& errands) {
  const auto warn = [&](std::string message, std::string hint) {
    errands.events.push_back({Event::Kind::warning, std::move(message), std::move(hint)});
  };
  PoolWaiter* waiter = action.waiter == 0 ? nullptr : waiters.at(action.waiter);
  switch (action.kind) {
    case PoolAction::Kind::connect:
      to_connect.push_back(action.member);
      connect_wanted.notify_one();
      break;
    case PoolAction::Kind::check:
      waiter->to_check = action.member;
      waiter->changed.notify_one();
      break;
    case PoolAction::Kind::grant:
      waiter->granted = action.member;
      members.at(action.member)->holder = waiter->purpose;  // before its thread runs: it may be late
      waiter->changed.notify_one();
      break;
    case PoolAction::Kind::refuse:
      waiter->refused = true;
      waiter->changed.notify_one();
      break;
    case PoolAction::Kind::reset:
      errands.to_reset.emplace_back(action.member, members.at(action.member).get());
      break;
    case PoolAction::Kind::close:
      errands.to_close.emplace_back(action.member, std::move(members.at(action.member)));
      members.erase(action.member);
      break;
    case PoolAction::Kind::leak: {
      const std::string& holder = members.at(action.member)->holder;
      warn(fmt::format("a connection of the pool has been held for {} by {}",
                       human_duration(settings.leak_after), holder.empty() ? "somebody" : holder),
           "is it given back? leak_after of [connection] pool says how long is too long");
      break;
    }
    case PoolAction::Kind::usage_high:
      warn(fmt::format("the connection pool has been more than 80 % in use for 30 s: {} of {}",
                       state.statistics().active, state.max_now()),
           more_connections);
      break;
    case PoolAction::Kind::usage_normal:
      errands.events.push_back(
          {.kind = Event::Kind::info, .message = "the connection pool is less than 70 % in use again"});
      break;
    case PoolAction::Kind::fewer:
      warn(fmt::format("the server takes no more sessions (53300): the pool makes do with {} of {} for 30 s",
                       state.max_now(), settings.max),
           fuller_server);
      break;
  }
}

void Pool::Impl::run(Errands& errands, Lock& lock) {
  lock.unlock();
  std::vector<std::pair<MemberId, bool>> clean;
  for (const auto& [id, member] : errands.to_reset)
    clean.emplace_back(id, member->session.reset(settings.check_timeout));
  for (auto& [id, member] : errands.to_close) member.reset();
  for (const Event& event : errands.events) tell(event);
  lock.lock();
  const Time now = steady_clock::now();
  for (const auto& [id, well] : clean) state.was_reset(id, well, now);
  for (const auto& [id, member] : errands.to_close) state.closed(id, now);
}

void Pool::Impl::tell(const Event& event) {
  const std::lock_guard lock(events_mutex);
  if (events) events(event);
}

}  // namespace kdb::pg
