#include "pg/pool.hpp"

#include <algorithm>

#include <fmt/format.h>

#include "base/text.hpp"
#include "pg/pool_impl.hpp"

namespace kdb::pg {
namespace {

using std::chrono::milliseconds;
using std::chrono::steady_clock;

// Who had to wait for so long is worth a line of the debug log.
constexpr milliseconds slow_acquire{1'000};

}  // namespace

void Pool::Impl::begin() {
  {
    Lock lock(mutex);
    state.start(steady_clock::now());
    carry_out(lock);
  }
  const int connectors = std::clamp(settings.max_connecting, 1, std::max(settings.max, 1));
  for (int i = 0; i < connectors; ++i) threads.emplace_back([this] { connect_loop(); });
  threads.emplace_back([this] { housekeep(); });
}

void Pool::Impl::close() {
  Lock lock(mutex);
  state.close(steady_clock::now());
  carry_out(lock);
}

void Pool::Impl::join() {
  {
    const Lock lock(mutex);
    stop = true;
    connect_wanted.notify_all();
    tick_changed.notify_all();
  }
  for (std::thread& thread : threads) thread.join();
}

/// Asks the connection that is meant for this waiter, in the waiter's thread.
void Pool::Impl::check_for(PoolWaiter& waiter, Lock& lock) {
  const MemberId id = std::exchange(waiter.to_check, 0);
  const Member* member = members.at(id).get();
  lock.unlock();
  const bool alive = member->session.is_alive(settings.check_timeout);
  lock.lock();
  state.checked(id, alive, steady_clock::now());
  carry_out(lock);
}

std::variant<Pool::Lease, PoolRefusal> Pool::Impl::acquire(Time deadline, std::string_view purpose) {
  Lock lock(mutex);
  const Time begin = steady_clock::now();
  const auto waited = [begin] {
    return std::chrono::duration_cast<milliseconds>(steady_clock::now() - begin);
  };
  PoolWaiter waiter;
  waiter.purpose = purpose;
  const WaiterId id = state.acquire(begin);
  waiters[id] = &waiter;
  carry_out(lock);
  bool given_up = false;
  while (waiter.granted == 0 && !waiter.refused && !given_up) {
    if (waiter.to_check != 0) {
      check_for(waiter, lock);
    } else if (deadline == Time::max()) {
      waiter.changed.wait(lock, [&] { return waiter.has_news(); });
    } else if (!waiter.changed.wait_until(lock, deadline, [&] { return waiter.has_news(); })) {
      given_up = state.give_up(id, steady_clock::now());
      carry_out(lock);
    }
  }
  waiters.erase(id);
  if (waiter.refused)
    return refusal_of(state.is_closed() ? PoolRefusal::Reason::closed : PoolRefusal::Reason::cannot_connect,
                      waited());
  if (given_up) return refusal_of(PoolRefusal::Reason::timeout, waited());

  Member& member = *members.at(waiter.granted);
  lock.unlock();
  if (waited() >= slow_acquire)
    tell({.kind = Event::Kind::debug,
          .message = fmt::format("{} waited {} for a connection", purpose.empty() ? "somebody" : purpose,
                                 human_duration(waited()))});
  return Lease(shared_from_this(), waiter.granted, &member.session);
}

PoolRefusal Pool::Impl::refusal_of(PoolRefusal::Reason reason, milliseconds waited) const {
  switch (reason) {
    case PoolRefusal::Reason::closed:
      return {.reason = reason, .message = "the connection pool is closed", .hint = {}, .sqlstate = {}};
    case PoolRefusal::Reason::cannot_connect:
      return last_failure.value_or(
          PoolRefusal{.reason = reason, .message = "cannot connect", .hint = {}, .sqlstate = {}});
    case PoolRefusal::Reason::timeout:
      break;
  }
  const PoolStatistics now = state.statistics();
  PoolRefusal refusal{.reason = reason,
                      .message = fmt::format("no connection within {}: {} of {} in use, {} more waiting",
                                             human_duration(waited), now.active, now.max, now.waiting),
                      .hint = more_connections,
                      .sqlstate = {}};
  if (last_failure) {
    refusal.message += "; " + last_failure->message;
    refusal.hint = last_failure->hint;
    refusal.sqlstate = last_failure->sqlstate;
  } else if (now.max < settings.max) {
    refusal.message += "; the server takes no more sessions (53300)";
    refusal.hint = fuller_server;
    refusal.sqlstate = "53300";
  }
  return refusal;
}

void Pool::Impl::give_back(MemberId id, bool broken) noexcept {
  Lock lock(mutex);
  members.at(id)->holder.clear();
  state.returned(id, broken, steady_clock::now());
  carry_out(lock);
}

Pool::Lease& Pool::Lease::operator=(Lease&& other) noexcept {
  if (this == &other) return *this;
  give_back();
  pool_ = std::move(other.pool_);
  id_ = other.id_;
  session_ = other.session_;
  broken_ = other.broken_;
  return *this;
}

void Pool::Lease::give_back() noexcept {
  if (!pool_) return;
  const bool lost = session_->connection && !session_->connection->is_open();
  std::exchange(pool_, nullptr)->give_back(id_, broken_ || lost);
}

Pool::Pool(const PoolSettings& settings, const RetryPolicy& pauses, PoolOpener open, EventSink events)
    : impl_(std::make_shared<Impl>(settings, pauses, std::move(open), std::move(events))) {
  impl_->begin();
}

Pool::~Pool() {
  impl_->close();
  impl_->join();
}

std::variant<Pool::Lease, PoolRefusal> Pool::acquire(Time deadline, std::string_view purpose) {
  // Whoever still asks a connection when the pool is destroyed comes back to it.
  const std::shared_ptr<Impl> impl = impl_;
  return impl->acquire(deadline, purpose);
}

void Pool::flush() {
  Impl::Lock lock(impl_->mutex);
  impl_->state.flush(steady_clock::now());
  impl_->carry_out(lock);
}

void Pool::close() { impl_->close(); }

PoolStatistics Pool::statistics() const {
  const Impl::Lock lock(impl_->mutex);
  return impl_->state.statistics();
}

}  // namespace kdb::pg
