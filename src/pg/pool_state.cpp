#include "pg/pool_state.hpp"

#include <algorithm>
#include <utility>

namespace kdb::pg {
namespace {

using std::chrono::milliseconds;

// What a full server was seen to take is believed for so long, then more is tried.
constexpr std::chrono::seconds full_for{30};
/// ± 10 %, so that what was opened together does not end together.
milliseconds with_jitter(milliseconds lifetime, double chance) {
  return milliseconds(
      static_cast<milliseconds::rep>(static_cast<double>(lifetime.count()) * (0.9 + 0.2 * chance)));
}

}  // namespace

PoolState::PoolState(const PoolSettings& settings, const RetryPolicy& pauses)
    : settings_(settings), pauses_(pauses) {
  settings_.max = std::max(settings_.max, 1);
  settings_.min = std::clamp(settings_.min, 0, settings_.max);
  settings_.max_connecting = std::max(settings_.max_connecting, 1);
}

void PoolState::start(Time now) { settle(now); }

WaiterId PoolState::acquire(Time now) {
  const WaiterId waiter = ++last_waiter_;
  if (closed_) {
    ++sums_.refusals;
    act(PoolAction::Kind::refuse, 0, waiter);
    return waiter;
  }
  queue_.insert(waiter);
  settle(now);
  if (queue_.count(waiter) > 0) delayed_.insert(waiter);
  return waiter;
}

bool PoolState::give_up(WaiterId waiter, Time now) {
  if (queue_.erase(waiter) == 0) return false;
  delayed_.erase(waiter);
  ++sums_.timeouts;
  settle(now);
  return true;
}

void PoolState::connected(MemberId id, Time now, double chance) {
  Member& member = members_.at(id);
  ++sums_.creates;
  failures_ = 0;
  pause_ = milliseconds(0);
  connect_again_ = Time::min();
  // Attempts run side by side: this one was under way when the server refused another.
  if (fewer_max_ > 0) fewer_max_ = std::max(fewer_max_, open() + 1);
  member.expires = after(now, with_jitter(settings_.lifetime, chance));
  offer(id, now);
}

void PoolState::connect_failed(MemberId id, ConnectFailure failure, Time now, double chance) {
  --counts_[static_cast<size_t>(members_.at(id).stage)];
  members_.erase(id);
  ++sums_.failed_connects;
  switch (failure) {
    case ConnectFailure::passing:
      pause_connecting(now, chance);
      break;
    case ConnectFailure::full:
      learn_fewer(now);
      // With none of our own there is nobody whose return could be waited for.
      if (open() == 0) pause_connecting(now, chance);
      break;
    case ConnectFailure::permanent:
      pause_connecting(now, chance);
      if (open() == 0) refuse_all();
      break;
    case ConnectFailure::ended:
      pause_connecting(now, chance);
      refuse_all();
      break;
  }
  settle(now);
}

void PoolState::checked(MemberId id, bool alive, Time now) {
  const WaiterId waiter = members_.at(id).waiter;
  const bool usable = alive && !closed_ && members_.at(id).generation == generation_;
  if (usable) {
    grant(id, waiter, now);
  } else {
    destroy(id, !alive ? DestroyReason::dead : closed_ ? DestroyReason::closed : DestroyReason::flushed, now);
    queue_.insert(waiter);
    delayed_.insert(waiter);
    if (closed_) refuse_all();
  }
  settle(now);
}

void PoolState::returned(MemberId id, bool broken, Time now) {
  const Member& member = members_.at(id);
  if (broken) {
    destroy(id, DestroyReason::broken, now);
  } else if (closed_) {
    destroy(id, DestroyReason::closed, now);
  } else if (member.generation != generation_) {
    destroy(id, DestroyReason::flushed, now);
  } else if (has_expired(member, now)) {
    destroy(id, DestroyReason::lifetime, now);
  } else {
    enter(id, Stage::resetting, now);
    act(PoolAction::Kind::reset, id);
  }
  settle(now);
}

void PoolState::was_reset(MemberId id, bool clean, Time now) {
  if (clean) {
    offer(id, now);
  } else {
    destroy(id, DestroyReason::broken, now);
    settle(now);
  }
}

void PoolState::closed(MemberId id, Time now) {
  --counts_[static_cast<size_t>(members_.at(id).stage)];
  members_.erase(id);
  settle(now);
}

void PoolState::flush(Time now) {
  ++generation_;
  for (const MemberId id : std::vector<MemberId>(idle_)) destroy(id, DestroyReason::flushed, now);
  settle(now);
}

void PoolState::close(Time now) {
  closed_ = true;
  refuse_all();
  for (const MemberId id : std::vector<MemberId>(idle_)) destroy(id, DestroyReason::closed, now);
}

std::vector<PoolAction> PoolState::take_actions() { return std::exchange(actions_, {}); }

PoolStatistics PoolState::statistics() const {
  PoolStatistics now = sums_;
  now.total = size();
  now.idle = count(Stage::idle);
  now.active = active();
  now.constructing = count(Stage::connecting);
  now.waiting = static_cast<int>(queue_.size());
  now.max = max_now();
  return now;
}

int PoolState::max_now() const {
  return fewer_max_ > 0 ? std::min(fewer_max_, settings_.max) : settings_.max;
}

int PoolState::open() const { return size() - count(Stage::connecting) - count(Stage::closing); }

int PoolState::active() const {
  return count(Stage::held) + count(Stage::checking) + count(Stage::resetting);
}

PoolState::Member& PoolState::enter(MemberId id, Stage stage, Time now) {
  Member& member = members_.at(id);
  if (member.stage == Stage::idle) idle_.erase(std::find(idle_.begin(), idle_.end(), id));
  --counts_[static_cast<size_t>(member.stage)];
  ++counts_[static_cast<size_t>(stage)];
  member.stage = stage;
  member.since = now;
  if (stage == Stage::idle) idle_.push_back(id);
  return member;
}

void PoolState::act(PoolAction::Kind kind, MemberId member, WaiterId waiter) {
  actions_.push_back({.kind = kind, .member = member, .waiter = waiter});
}

void PoolState::destroy(MemberId id, DestroyReason reason, Time now) {
  enter(id, Stage::closing, now);
  ++sums_.destroys[static_cast<size_t>(reason)];
  act(PoolAction::Kind::close, id);
}

void PoolState::grant(MemberId id, WaiterId waiter, Time now) {
  enter(id, Stage::held, now).leak_told = false;
  ++sums_.acquires;
  sums_.waits += static_cast<std::int64_t>(delayed_.erase(waiter));
  act(PoolAction::Kind::grant, id, waiter);
}

/// A fresh one, opened or tidied up just now: for who waits longest.
void PoolState::offer(MemberId id, Time now) {
  if (closed_) {
    destroy(id, DestroyReason::closed, now);
  } else if (members_.at(id).generation != generation_) {
    destroy(id, DestroyReason::flushed, now);
  } else {
    enter(id, Stage::idle, now);
  }
  settle(now);
}

void PoolState::refuse_all() {
  for (const WaiterId waiter : queue_) {
    ++sums_.refusals;
    delayed_.erase(waiter);
    act(PoolAction::Kind::refuse, 0, waiter);
  }
  queue_.clear();
}

/// After every event: who can be served is, and what is missing is opened.
void PoolState::settle(Time now) {
  serve(now);
  grow(now);
  watch_usage(now);
}

void PoolState::serve(Time now) {
  while (!queue_.empty() && !idle_.empty()) {
    const MemberId id = idle_.back();
    const Member& member = members_.at(id);
    if (has_expired(member, now)) {
      destroy(id, DestroyReason::lifetime, now);
      continue;
    }
    const WaiterId waiter = *queue_.begin();
    queue_.erase(queue_.begin());
    // One that was opened or tidied up just now has answered just now.
    if (now == member.since || now - member.since < settings_.check_after) {
      grant(id, waiter, now);
    } else {
      enter(id, Stage::checking, now).waiter = waiter;
      act(PoolAction::Kind::check, id, waiter);
    }
  }
}

void PoolState::grow(Time now) {
  if (closed_ || (failures_ > 0 && now < connect_again_)) return;
  // While the server fails, one asks for all.
  const int at_once = failures_ > 0 ? 1 : settings_.max_connecting;
  const auto wanted = [&] {
    return count(Stage::connecting) < static_cast<int>(queue_.size()) ||
           size() - count(Stage::closing) < settings_.min;
  };
  while (count(Stage::connecting) < at_once && size() < max_now() && wanted()) {
    const MemberId id = ++last_member_;
    members_[id] = {.since = now, .generation = generation_};
    ++counts_[static_cast<size_t>(Stage::connecting)];
    act(PoolAction::Kind::connect, id);
  }
}

void PoolState::pause_connecting(Time now, double chance) {
  // Attempts that ran side by side and failed together are one failure.
  if (failures_ > 0 && now < connect_again_) return;
  pause_ = backoff_delay(pauses_, failures_++, pause_, [chance] { return chance; });
  connect_again_ = now + pause_;
}

void PoolState::learn_fewer(Time now) {
  const int seen = std::max(open(), 1);
  if (fewer_max_ != seen) act(PoolAction::Kind::fewer);
  fewer_max_ = seen;
  fewer_until_ = now + full_for;
}

}  // namespace kdb::pg
