#include "pg/observer.hpp"

#include <algorithm>
#include <condition_variable>
#include <mutex>
#include <optional>
#include <thread>

#include <fmt/format.h>

#include "base/error.hpp"
#include "base/text.hpp"

namespace kdb::pg {

namespace {

using Clock = std::chrono::steady_clock;

/// One row: since when the session waits for a lock in ms (NULL: it does not), who blocks it, and its
/// progress as phase, done, total, unit, and the pid that a build waits for. (PG docs 28.4; waitstart is
/// there since PG 14.)
constexpr std::string_view look_sql = R"(
SELECT (SELECT pg_catalog.round(1000 * extract(epoch FROM pg_catalog.clock_timestamp() - min(l.waitstart)))::bigint
        FROM pg_catalog.pg_locks l WHERE l.pid = {0} AND NOT l.granted),
       (SELECT pg_catalog.string_agg(pg_catalog.format('pid %s (%s, %s, transaction open for %s s): %s', b.pid,
                 coalesce(nullif(b.application_name, ''), b.backend_type), coalesce(b.state, '?'),
                 coalesce(extract(epoch FROM pg_catalog.clock_timestamp() - b.xact_start)::bigint::pg_catalog.text, '?'),
                 pg_catalog."left"(pg_catalog.regexp_replace(b.query, '\s+', ' ', 'g'), 100)), E'\n' ORDER BY b.pid)
        FROM pg_catalog.pg_stat_activity b WHERE b.pid = ANY (pg_catalog.pg_blocking_pids({0}))),
       p.phase, p.done, p.total, p.unit, p.waits_for
FROM (SELECT 1) AS one
LEFT JOIN (
  SELECT phase, CASE WHEN tuples_total > 0 THEN tuples_done ELSE blocks_done END AS done,
         CASE WHEN tuples_total > 0 THEN tuples_total ELSE blocks_total END AS total,
         CASE WHEN tuples_total > 0 THEN 'rows' ELSE 'blocks' END AS unit, nullif(current_locker_pid, 0) AS waits_for
  FROM pg_catalog.pg_stat_progress_create_index WHERE pid = {0}
  UNION ALL
  SELECT phase, heap_blks_scanned, heap_blks_total, 'blocks', NULL
  FROM pg_catalog.pg_stat_progress_vacuum WHERE pid = {0}
  UNION ALL
  SELECT phase, heap_blks_scanned, heap_blks_total, 'blocks', NULL
  FROM pg_catalog.pg_stat_progress_cluster WHERE pid = {0}
  UNION ALL
  SELECT phase, sample_blks_scanned, sample_blks_total, 'blocks', NULL
  FROM pg_catalog.pg_stat_progress_analyze WHERE pid = {0}
) p ON true
LIMIT 1)";

/// A build's phase and how fast it goes.
class Progress {
 public:
  std::string figures(double elapsed, const Result& look) {
    std::string text = fmt::format(" · {}", human_duration(elapsed));
    if (!look.is_null(0, 0))
      return text + " · waits for a lock" + (look.is_null(0, 1) ? "" : ": " + look.text(0, 1));
    if (look.is_null(0, 2)) return text;
    text += " · " + look.text(0, 2);
    if (!look.is_null(0, 6)) text += fmt::format(", waits for pid {}", look.text(0, 6));
    if (!look.is_null(0, 3) && !look.is_null(0, 4) && look.integer(0, 4) > 0) text += rate(elapsed, look);
    return text;
  }

 private:
  std::string rate(double now, const Result& look) {
    const auto done = static_cast<double>(look.integer(0, 3));
    const auto total = static_cast<double>(look.integer(0, 4));
    if (look.text(0, 2) != phase_ || done < first_done_) {
      phase_ = look.text(0, 2);
      first_done_ = done;
      first_seen_ = now;
    }
    std::string text = fmt::format(" · {:.0f} %", 100.0 * done / total);
    const double speed = now > first_seen_ ? (done - first_done_) / (now - first_seen_) : 0.0;
    if (speed > 0)
      text += fmt::format(" · {:.0f} {}/s · {} left", speed, look.text(0, 5),
                          human_duration((total - done) / speed));
    return text;
  }

  std::string phase_;
  double first_done_ = 0;
  double first_seen_ = 0;
};

}  // namespace

struct Observer::Impl {
  ConnectSettings settings;
  Watchdog& watchdog;
  int pid;
  std::chrono::milliseconds first_look{250};
  std::chrono::milliseconds poll_interval{100};
  EventSink events;

  std::mutex mutex;
  std::condition_variable changed;
  bool stop = false;
  bool running = false;
  unsigned long statement = 0;  // counts begin() calls
  std::string label;
  Clock::time_point begun;
  std::chrono::milliseconds finished_waits{0};
  std::chrono::milliseconds current_wait{0};
  std::string blockers;

  std::optional<Connection> connection;  // of the thread alone
  bool cannot_connect = false;
  std::thread thread;

  Impl(const ConnectSettings& s, Watchdog& w, int observed, EventSink sink)
      : settings(s), watchdog(w), pid(observed), events(std::move(sink)) {
    settings.application_name += " (observer)";
    settings.connect_timeout = std::min(settings.connect_timeout, std::chrono::milliseconds(3'000));
    settings.response_timeout = std::chrono::milliseconds(3'000);
  }

  /// One look, without the mutex: it talks to the server.
  std::optional<Result> look() {
    try {
      if (!connection) connection.emplace(settings, watchdog);
      return connection->exec(fmt::format(look_sql, pid));
    } catch (const std::exception&) {
      // No connection left, no permission, a signal: what is observed is a help and never a condition.
      connection.reset();
      cannot_connect = true;
      return std::nullopt;
    }
  }

  void note(const Result& seen) {
    if (seen.is_null(0, 0)) {
      finished_waits += current_wait;
      current_wait = std::chrono::milliseconds(0);
      return;
    }
    const std::chrono::milliseconds wait{seen.integer(0, 0)};
    if (wait < current_wait) finished_waits += current_wait;  // another lock by now
    current_wait = wait;
    if (!seen.is_null(0, 1)) blockers = seen.text(0, 1);
  }

  /// Wakes up by itself a few times a second: begin() and end() come for every statement and must cost
  /// nothing.
  void loop() {
    std::unique_lock lock(mutex);
    unsigned long last = 0;
    Progress progress;
    while (!changed.wait_for(lock, poll_interval, [&] { return stop; }) && !cannot_connect) {
      if (!running || Clock::now() - begun < first_look) continue;
      const unsigned long mine = statement;
      if (mine != last) progress = {};
      last = mine;
      lock.unlock();
      const std::optional<Result> seen = look();
      lock.lock();
      if (!seen || !running || statement != mine) continue;
      note(*seen);
      const std::chrono::duration<double> elapsed = Clock::now() - begun;
      events({.kind = Event::Kind::progress,
              .message = label,
              .figures = progress.figures(elapsed.count(), *seen)});
    }
  }
};

Observer::Observer(const ConnectSettings& settings, Watchdog& watchdog, int observed_pid, EventSink events)
    : impl_(std::make_unique<Impl>(settings, watchdog, observed_pid, std::move(events))) {
  impl_->thread = std::thread([impl = impl_.get()] { impl->loop(); });
}

Observer::~Observer() {
  {
    const std::lock_guard lock(impl_->mutex);
    impl_->stop = true;
  }
  impl_->changed.notify_all();
  impl_->thread.join();
}

void Observer::begin(std::string label, std::chrono::milliseconds patience) {
  using std::chrono::milliseconds;
  const std::lock_guard lock(impl_->mutex);
  impl_->first_look = std::clamp(patience / 4, milliseconds(20), milliseconds(250));
  impl_->poll_interval = std::min(impl_->first_look, milliseconds(100));
  impl_->running = true;
  impl_->statement += 1;
  impl_->label = std::move(label);
  impl_->begun = Clock::now();
  impl_->finished_waits = impl_->current_wait = std::chrono::milliseconds(0);
  impl_->blockers.clear();
}

Observation Observer::end() {
  const std::lock_guard lock(impl_->mutex);
  impl_->running = false;
  return {.lock_wait = impl_->finished_waits + impl_->current_wait, .blockers = impl_->blockers};
}

}  // namespace kdb::pg
