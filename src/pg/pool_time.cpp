// What of a pool happens because time passes: closing what is too old, and telling of what lasts too long.
#include <algorithm>

#include "pg/pool_state.hpp"

namespace kdb::pg {
namespace {

// One alert per episode: above the first for so long, and over only below the second.
constexpr int high_percent = 80;
constexpr int normal_percent = 70;
constexpr std::chrono::seconds high_for{30};

}  // namespace

PoolState::Time PoolState::after(Time start, std::chrono::milliseconds duration) {
  return duration.count() > 0 ? start + duration : Time::max();
}

void PoolState::tick(Time now) {
  if (fewer_max_ > 0 && fewer_until_ <= now) fewer_max_ = 0;
  expire(now);
  tell_leaks(now);
  settle(now);
}

PoolState::Time PoolState::next_tick() const {
  Time next = Time::max();
  if (fewer_max_ > 0) next = std::min(next, fewer_until_);
  if (high_since_ != Time::max() && !told_high_) next = std::min(next, high_since_ + high_for);
  const bool wants_more = !closed_ && (!queue_.empty() || size() < settings_.min);
  if (failures_ > 0 && wants_more && count(Stage::connecting) == 0 && size() < max_now())
    next = std::min(next, connect_again_);
  const bool surplus = open() > settings_.min;
  for (const auto& [id, member] : members_) {
    if (member.stage == Stage::idle) {
      next = std::min(next, member.expires);
      if (surplus) next = std::min(next, after(member.since, settings_.idle_timeout));
    }
    if (member.stage == Stage::held && !member.leak_told)
      next = std::min(next, after(member.since, settings_.leak_after));
  }
  return next;
}

void PoolState::watch_usage(Time now) {
  const int used = active() * 100;
  if (told_high_) {
    if (used >= normal_percent * max_now()) return;
    told_high_ = false;
    high_since_ = Time::max();
    act(PoolAction::Kind::usage_normal);
  } else if (used <= high_percent * max_now()) {
    high_since_ = Time::max();
  } else {
    if (high_since_ == Time::max()) high_since_ = now;
    if (now - high_since_ < high_for) return;
    told_high_ = true;
    act(PoolAction::Kind::usage_high);
  }
}

/// Closes idle ones that are too old, and those unused for too long, the longest first.
void PoolState::expire(Time now) {
  for (const MemberId id : std::vector<MemberId>(idle_)) {
    const Member& member = members_.at(id);
    if (has_expired(member, now)) {
      destroy(id, DestroyReason::lifetime, now);
    } else if (open() > settings_.min && after(member.since, settings_.idle_timeout) <= now) {
      destroy(id, DestroyReason::idle, now);
    }
  }
}

void PoolState::tell_leaks(Time now) {
  for (auto& [id, member] : members_) {
    if (member.stage != Stage::held || member.leak_told) continue;
    if (after(member.since, settings_.leak_after) > now) continue;
    member.leak_told = true;
    ++sums_.leaks;
    act(PoolAction::Kind::leak, id);
  }
}

}  // namespace kdb::pg
