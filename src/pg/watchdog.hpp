#pragma once

#include <chrono>
#include <memory>

#include "base/error.hpp"

namespace kdb::pg {

/// The thread that owns deadlines and signals while a command talks to servers. The first SIGINT or SIGTERM,
/// or a passed deadline, cancels the running statements on their servers; the second signal, or a cancel that
/// is not answered within `grace`, shuts the sockets down, so that a blocked read ends even behind a proxy
/// that acknowledges everything. Make it before any other thread exists: it blocks the two signals in the
/// calling thread.
class Watchdog {
 public:
  explicit Watchdog(std::chrono::milliseconds grace = std::chrono::milliseconds(5'000));
  ~Watchdog();
  Watchdog(const Watchdog&) = delete;
  Watchdog& operator=(const Watchdog&) = delete;

  /// Whether a signal asked the command to end, and the exit code that says so.
  bool interrupted() const;
  Exit interruption() const;
  /// Throws Error(interrupted or terminated) if a signal has come.
  void check() const;
  /// Sleeps, but wakes up for a signal and then throws as check() does.
  void sleep(std::chrono::milliseconds duration);
  /// Waits until a descriptor can be read (or has ended); throws as check() does when a signal comes first.
  void wait_readable(int descriptor);

  struct Impl;
  Impl& impl() { return *impl_; }  // for Connection

 private:
  std::unique_ptr<Impl> impl_;
};

}  // namespace kdb::pg
