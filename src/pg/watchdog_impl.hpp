#pragma once

#include <atomic>
#include <condition_variable>
#include <csignal>
#include <memory>
#include <mutex>
#include <optional>
#include <thread>
#include <vector>

#include "pg/watchdog.hpp"

struct pg_cancel;

namespace kdb::pg {

using SteadyTime = std::chrono::steady_clock::time_point;

/// A PQcancel that is under way in a thread of its own: it blocks without a timeout when the network swallows
/// it.
class CancelInFlight {
 public:
  void land() {
    const std::lock_guard lock(mutex_);
    landed_ = true;
    changed_.notify_all();
  }
  bool landed() {
    const std::lock_guard lock(mutex_);
    return landed_;
  }
  void wait() {
    std::unique_lock lock(mutex_);
    changed_.wait(lock, [this] { return landed_; });
  }

 private:
  std::mutex mutex_;
  std::condition_variable changed_;
  bool landed_ = false;
};

/// One session under the watchdog's eyes. The socket is a duplicate: libpq may close its own at any time, and
/// a number that was given to another file by then must not be shut down.
struct Watched {
  int socket = -1;
  std::shared_ptr<pg_cancel> cancel;

  // The rest belongs to Watchdog::Impl::mutex.
  enum class Reason { none, signal, deadline };
  enum class Stage { idle, running, stopping };
  Stage stage = Stage::idle;
  Reason reason = Reason::none;
  bool may_cancel = true;  // not while committing: then only the answer is awaited
  bool shielded = false;   // cleans up after a signal, and so does not stop for it
  bool impatient = false;  // its time over, the session is: no cancel, no grace
  bool shut = false;
  SteadyTime next = SteadyTime::max();     // when the watchdog looks again
  SteadyTime shut_at = SteadyTime::max();  // when a statement that is being stopped has had its time
  std::shared_ptr<CancelInFlight> in_flight;
};

/// How a statement is to be watched.
struct Watch {
  std::chrono::milliseconds deadline{0};  // 0: none
  bool may_cancel = true;
  bool shielded = false;
  bool impatient = false;  // at the deadline the socket is shut at once
};

/// What the watchdog did to a statement.
struct Intervention {
  Watched::Reason reason = Watched::Reason::none;
  bool shut = false;
};

struct Watchdog::Impl {
  explicit Impl(std::chrono::milliseconds grace);
  ~Impl();
  Impl(const Impl&) = delete;
  Impl& operator=(const Impl&) = delete;

  void add(Watched& session);
  void remove(Watched& session);
  /// The statement starts.
  void begin(Watched& session, const Watch& watch);
  /// The statement has ended. Where the session goes on, returns only when no cancel request is under way any
  /// more, so that none can hit the next statement; one that takes longer than `grace` ends the session.
  Intervention end(Watched& session, bool still_open);

  /// Readable from the first signal on.
  int signalled_fd() const { return signalled_fd_; }
  int signal() const { return signal_.load(); }
  void check() const;

 private:
  void run();
  void on_signal(int number);
  void end_process(int number);
  SteadyTime act_on_deadlines();
  void escalate(Watched& session, Watched::Reason reason, SteadyTime now);
  void shut(Watched& session);
  void wake();

  const std::chrono::milliseconds grace_;
  std::atomic<int> signal_{0};
  int signal_fd_ = -1;
  int wake_fd_ = -1;
  int signalled_fd_ = -1;
  sigset_t handled_{};
  sigset_t previous_mask_{};

  std::mutex mutex_;  // guards all below, and every Watched
  std::vector<Watched*> sessions_;
  SteadyTime planned_ = SteadyTime::max();  // when the thread looks again by itself
  SteadyTime last_signal_{};
  int signals_ = 0;
  bool stop_ = false;

  std::thread thread_;  // last: it uses all the others
};

}  // namespace kdb::pg
