#pragma once

#include <condition_variable>
#include <deque>
#include <map>
#include <memory>
#include <mutex>
#include <optional>
#include <random>
#include <string>
#include <thread>
#include <utility>
#include <vector>

#include "pg/pool.hpp"

namespace kdb::pg {

inline constexpr const char* more_connections =
    "raise max of [connection] pool, or hold connections for a shorter time";

inline constexpr const char* fuller_server =
    "lower max of [connection] pool, close sessions, or raise max_connections";

/// Somebody who waits, in the stack of its thread.
struct PoolWaiter {
  std::string_view purpose;
  std::condition_variable changed;
  MemberId granted = 0;
  MemberId to_check = 0;
  bool refused = false;
  bool has_news() const { return granted != 0 || to_check != 0 || refused; }
};

/// The monitor around PoolState.
struct Pool::Impl : std::enable_shared_from_this<Pool::Impl> {
  using Lock = std::unique_lock<std::mutex>;

  struct Member {
    PoolSession session;
    std::string holder;
  };
  /// What is done without the mutex, and reported to the state afterwards.
  struct Errands {
    std::vector<std::pair<MemberId, std::unique_ptr<Member>>> to_close;
    std::vector<std::pair<MemberId, Member*>> to_reset;
    std::vector<Event> events;
    bool empty() const { return to_close.empty() && to_reset.empty() && events.empty(); }
  };

  Impl(const PoolSettings& limits, const RetryPolicy& pauses, PoolOpener opener, EventSink sink)
      : settings(limits), open(std::move(opener)), events(std::move(sink)), state(limits, pauses) {}

  std::variant<Lease, PoolRefusal> acquire(Time deadline, std::string_view purpose);
  void give_back(MemberId id, bool broken) noexcept;
  void begin();
  void close();
  void join();

  void connect_loop();
  void housekeep();
  void carry_out(Lock& lock);
  Errands next_errands();
  void sort(const PoolAction& action, Errands& errands);
  void run(Errands& errands, Lock& lock);
  void tell(const Event& event);
  void check_for(PoolWaiter& waiter, Lock& lock);
  PoolRefusal refusal_of(PoolRefusal::Reason reason, std::chrono::milliseconds waited) const;
  double chance() { return std::uniform_real_distribution<double>(0, 1)(random); }

  const PoolSettings settings;
  const PoolOpener open;
  const EventSink events;
  std::mutex events_mutex;

  mutable std::mutex mutex;  // guards the rest
  PoolState state;
  std::map<MemberId, std::unique_ptr<Member>> members;
  std::map<WaiterId, PoolWaiter*> waiters;
  std::deque<MemberId> to_connect;
  std::optional<PoolRefusal> last_failure;  // of the latest attempt to connect, unless it went well
  std::condition_variable connect_wanted;
  std::condition_variable tick_changed;
  Time planned_tick = Time::max();
  bool stop = false;
  std::mt19937_64 random{std::random_device{}()};
  std::vector<std::thread> threads;  // only the pool's owner touches them
};

}  // namespace kdb::pg
