#pragma once

#include <chrono>
#include <memory>
#include <string>
#include <string_view>

#include "base/event.hpp"
#include "pg/connection.hpp"

namespace kdb::pg {

/// What was seen of one statement while it ran.
struct Observation {
  std::chrono::milliseconds lock_wait{0};  // waited for heavyweight locks, all waits together
  std::string blockers;  // who stood in the way last: one line each, "pid 4711 (psql, …): SELECT …"
};

/// Looks at a session from a second one: how far a build is (pg_stat_progress_*), how long it waits for a
/// lock and for whom. Connects only when a statement runs for longer than a moment; where it cannot, nothing
/// is observed and nothing else suffers.
class Observer {
 public:
  Observer(const ConnectSettings& settings, Watchdog& watchdog, int observed_pid, EventSink events);
  ~Observer();
  Observer(const Observer&) = delete;
  Observer& operator=(const Observer&) = delete;

  /// A statement begins; `label` opens its progress line: "0007 add_index: statement 2 of 3". `patience`: how
  /// long a lock wait lasts at most; the first look comes well before it ends.
  void begin(std::string label, std::chrono::milliseconds patience);
  /// It has ended, in whatever way.
  Observation end();

 private:
  struct Impl;
  std::unique_ptr<Impl> impl_;
};

}  // namespace kdb::pg
