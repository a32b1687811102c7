#pragma once

#include <array>
#include <chrono>
#include <cstdint>
#include <map>
#include <set>
#include <vector>

#include "base/retry.hpp"
#include "model/pool_settings.hpp"

namespace kdb::pg {

using MemberId = std::uint64_t;  // a connection of a pool, from 1; never used again
using WaiterId = std::uint64_t;  // somebody who wants one, from 1, in the order of asking

/// Why a connection of a pool was closed.
enum class DestroyReason {
  idle,      // unused for longer than idle_timeout
  lifetime,  // older than its lifetime
  broken,    // came back unusable, or could not be tidied up
  dead,      // did not answer when it was to be used again
  flushed,   // opened before flush()
  closed,    // the pool is closed
};
inline constexpr size_t destroy_reasons = 6;

/// What is to be done about a failed attempt to connect.
enum class ConnectFailure {
  passing,    // try again after a pause
  full,       // the server takes no more sessions (53300): expect fewer for a while
  permanent,  // will not pass: whoever waits is told, unless others' connections may come free
  ended,      // the command ends: whoever waits is told
};

/// What the state machine wants done. Whoever took it reports the outcome as an event.
struct PoolAction {
  enum class Kind {
    connect,       // open `member`; then connected() or connect_failed()
    check,         // ask whether `member` lives, for `waiter`; then checked()
    grant,         // `member` is `waiter`'s; then returned()
    refuse,        // `waiter` gets none: the pool is closed, or connecting will not work
    reset,         // tidy `member` up after use; then was_reset()
    close,         // close `member`; then closed()
    leak,          // `member` has been held for longer than leak_after
    usage_high,    // above 80 % for 30 s
    usage_normal,  // below 70 % again
    fewer,         // the server is full: no more than max_now() for a while
  };
  Kind kind = Kind::connect;
  MemberId member = 0;
  WaiterId waiter = 0;

  bool operator==(const PoolAction&) const = default;
};

struct PoolStatistics {
  int total = 0;  // all that count against max
  int idle = 0;
  int active = 0;  // held, asked or tidied up
  int constructing = 0;
  int waiting = 0;
  int max = 0;                // as it is now: less than the settings' while the server is full
  std::int64_t acquires = 0;  // granted
  std::int64_t waits = 0;     // of these, those that did not get one at once
  std::int64_t timeouts = 0;  // gave up
  std::int64_t refusals = 0;
  std::int64_t creates = 0;
  std::int64_t failed_connects = 0;
  std::array<std::int64_t, destroy_reasons> destroys{};  // by DestroyReason
  std::int64_t leaks = 0;

  bool operator==(const PoolStatistics&) const = default;
};

/// What a connection pool decides, without threads, clock or connections: events go in, actions come out of
/// take_actions() and must be carried out. Waiters are served in the order of asking; of the idle connections
/// the one used last is taken, so that a surplus grows old. Promises: never more than `max` connections
/// (those being opened or closed count), never more than `max_connecting` at once and one while the server
/// fails; none is idle while somebody waits; each waiter is granted or refused once unless it gives up.
class PoolState {
 public:
  using Time = std::chrono::steady_clock::time_point;

  /// `pauses`: those between failed attempts to connect.
  explicit PoolState(const PoolSettings& settings, const RetryPolicy& pauses = {});

  // --- events; `now` never runs backwards, `chance` is uniform in [0, 1)
  /// Once, before all others: opens `min`.
  void start(Time now);
  /// Somebody wants a connection.
  WaiterId acquire(Time now);
  /// The waiter's time is over. False if it is not waiting: it has been granted one, refused, or one is being
  /// asked for it.
  bool give_up(WaiterId waiter, Time now);
  void connected(MemberId member, Time now, double chance);
  void connect_failed(MemberId member, ConnectFailure failure, Time now, double chance);
  /// The answer of `check`. A dead one is replaced: its waiter keeps its place.
  void checked(MemberId member, bool alive, Time now);
  /// The holder has no more need of it.
  void returned(MemberId member, bool broken, Time now);
  void was_reset(MemberId member, bool clean, Time now);
  void closed(MemberId member, Time now);
  /// All connections of now are of no more use: after a failover, or when what they cache has changed.
  void flush(Time now);
  /// From here on everybody is refused, and connections are closed as they come back.
  void close(Time now);
  /// Time passes.
  void tick(Time now);

  // --- what follows
  std::vector<PoolAction> take_actions();
  /// When tick() has something to do, unless another event comes first; Time::max() if never.
  Time next_tick() const;
  PoolStatistics statistics() const;
  int max_now() const;
  bool is_closed() const { return closed_; }

 private:
  enum class Stage { connecting, idle, checking, held, resetting, closing };
  struct Member {
    Stage stage = Stage::connecting;
    Time since;                  // of the stage
    Time expires = Time::max();  // its lifetime
    int generation = 0;
    bool leak_told = false;
    WaiterId waiter = 0;  // for whom it is asked
  };

  /// `start + duration`, or never for 0.
  static Time after(Time start, std::chrono::milliseconds duration);
  Member& enter(MemberId id, Stage stage, Time now);
  int count(Stage stage) const { return counts_[static_cast<size_t>(stage)]; }
  int size() const { return static_cast<int>(members_.size()); }
  int open() const;
  int active() const;
  bool has_expired(const Member& member, Time now) const { return member.expires <= now; }
  void act(PoolAction::Kind kind, MemberId member = 0, WaiterId waiter = 0);
  void destroy(MemberId id, DestroyReason reason, Time now);
  void grant(MemberId id, WaiterId waiter, Time now);
  void offer(MemberId id, Time now);
  void refuse_all();
  void settle(Time now);
  void serve(Time now);
  void grow(Time now);
  void watch_usage(Time now);
  void expire(Time now);
  void tell_leaks(Time now);
  void pause_connecting(Time now, double chance);
  void learn_fewer(Time now);

  PoolSettings settings_;
  RetryPolicy pauses_;
  std::map<MemberId, Member> members_;
  std::array<int, 6> counts_{};  // by Stage
  std::vector<MemberId> idle_;   // the one used last is the last
  std::set<WaiterId> queue_;     // ids grow: the first has waited longest
  std::set<WaiterId> delayed_;   // of those not granted yet, who did not get one at once
  std::vector<PoolAction> actions_;
  MemberId last_member_ = 0;
  WaiterId last_waiter_ = 0;
  int generation_ = 0;
  bool closed_ = false;

  int failures_ = 0;  // attempts to connect in a row
  std::chrono::milliseconds pause_{0};
  Time connect_again_ = Time::min();
  int fewer_max_ = 0;  // what a full server was seen to take; 0: not full
  Time fewer_until_ = Time::min();

  Time high_since_ = Time::max();
  bool told_high_ = false;
  PoolStatistics sums_;
};

}  // namespace kdb::pg
