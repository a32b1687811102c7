#include "pg/deploy_lock.hpp"

#include <memory>

#include <fmt/format.h>

#include "base/error.hpp"
#include "base/text.hpp"
#include "base/units.hpp"
#include "pg/tidy.hpp"

namespace kdb::pg {

namespace {

/// The condition under which a row of pg_locks is an advisory lock on a bigint key (PG docs 54.12, pg_locks).
std::string is_lock_on(std::int64_t key) {
  const auto bits = static_cast<std::uint64_t>(key);
  return fmt::format(
      "l.locktype = 'advisory' AND l.objsubid = 1 AND l.classid = {} AND l.objid = {} AND l.granted AND "
      "l.database = "
      "(SELECT oid FROM pg_catalog.pg_database WHERE datname = pg_catalog.current_database())",
      bits >> 32U, bits & 0xffffffffU);
}

[[noreturn]] void refuse(std::string message) {
  throw Error(
      Exit::refused, std::move(message),
      "connect to PostgreSQL directly; or, if the pooler is in session mode, say so with --pooler session or "
      "[connection] pooler = \"session\"");
}

int backend_pid_of(Connection& connection) {
  return static_cast<int>(connection.exec("SELECT pg_catalog.pg_backend_pid()").integer(0, 0));
}

/// A client of the pooler's in a transaction; none if it is given no backend within seconds, because all are
/// taken: in session mode the first client has the only one of a small pool.
std::unique_ptr<Connection> second_client(ConnectSettings settings, Watchdog& watchdog) {
  constexpr std::chrono::milliseconds patience(3'000);
  settings.response_timeout = patience;
  auto client = std::make_unique<Connection>(settings, watchdog);
  try {
    client->exec("BEGIN");
  } catch (const ServerError&) {
    watchdog.check();
    return nullptr;
  }
  return client;
}

}  // namespace

void take_deploy_lock(Connection& connection, Watchdog& watchdog, std::int64_t key,
                      std::chrono::milliseconds wait, const Random& random, const EventSink& events) {
  const RetryPolicy pauses{.initial = std::chrono::milliseconds(50),
                           .max_delay = std::chrono::milliseconds(1'000),
                           .factor = 1.6,
                           .jitter = Jitter::additive,
                           .max_attempts = 0,
                           .deadline = wait};
  const auto begin = std::chrono::steady_clock::now();
  std::chrono::milliseconds pause{0};
  std::string holder;
  for (int attempt = 0;; ++attempt) {
    // Twice, so that HistoryStore::guard_sql() can give one back and see whether it is still held.
    const Result taken =
        connection.exec(fmt::format("SELECT CASE WHEN pg_catalog.pg_try_advisory_lock({0}) THEN "
                                    "pg_catalog.pg_try_advisory_lock({0}) ELSE false END",
                                    key));
    if (taken.boolean(0, 0)) return;
    std::string now_held_by = lock_holder(connection, key);
    if (!now_held_by.empty() && now_held_by != holder) {
      // The others' turns go by quickly: say it when the wait is one that a person would notice.
      if (attempt >= 3 && holder.empty())
        events({.kind = Event::Kind::info, .message = "waiting for another deployer: " + now_held_by});
      if (attempt >= 3) holder = now_held_by;
    }
    const auto waited = std::chrono::steady_clock::now() - begin;
    if (waited >= wait)
      throw Error(Exit::lock,
                  Problem{.message = fmt::format("another deployer held the lock for longer than {}",
                                                 format_duration(wait)),
                          .hint = "wait for it and run again, or allow more with --lock-wait",
                          .details = now_held_by.empty() ? "" : "held by " + now_held_by});
    pause = backoff_delay(pauses, attempt, pause, random);
    const auto left = std::chrono::duration_cast<std::chrono::milliseconds>(wait - waited);
    watchdog.sleep(std::min(pause, left + std::chrono::milliseconds(1)));
  }
}

bool release_deploy_lock(Connection& connection, std::int64_t key) {
  // Where a migration gave it up already, the server would warn of what kdb has said better.
  const Result released =
      tidy(connection,
           fmt::format("SELECT pg_catalog.pg_advisory_unlock({0}) AND pg_catalog.pg_advisory_unlock({0}) "
                       "WHERE EXISTS (SELECT FROM pg_catalog.pg_locks l "
                       "WHERE l.pid = pg_catalog.pg_backend_pid() AND {1})",
                       key, is_lock_on(key)));
  return !released.empty() && released.boolean(0, 0);
}

std::string lock_holder(Connection& connection, std::int64_t key) {
  const Result result = connection.exec(fmt::format(
      R"(SELECT pg_catalog.format('pid %s (%s%s, since %s UTC%s)', l.pid,
                coalesce(nullif(a.application_name, ''), 'unnamed'),
                coalesce(', ' || pg_catalog.host(a.client_addr), ', local'),
                pg_catalog.to_char(a.backend_start AT TIME ZONE 'UTC', 'HH24:MI:SS'),
                CASE WHEN a.state = 'active' THEN ', running: ' ||
                  pg_catalog."left"(pg_catalog.regexp_replace(a.query, '\s+', ' ', 'g'), 60) ELSE ', ' || a.state END)
         FROM pg_catalog.pg_locks l LEFT JOIN pg_catalog.pg_stat_activity a USING (pid)
         WHERE {} ORDER BY l.pid LIMIT 1)",
      is_lock_on(key)));
  return result.empty() || result.is_null(0, 0) ? "" : result.text(0, 0);
}

void refuse_transaction_pooler(Connection& connection, const ConnectSettings& settings, Watchdog& watchdog,
                               int backend_pid, bool declared_session_pooler) {
  if (connection.announced_pid() == backend_pid) return;

  // A proxy. In transaction mode the backend of an idle client is lent to the next one: let a second client
  // open a transaction, and see whether it is given ours, or whether we are given another one meanwhile.
  const std::unique_ptr<Connection> second = second_client(settings, watchdog);
  const bool lent = second != nullptr && backend_pid_of(*second) == backend_pid;
  // If it has ours it may have the pool's only one: we would wait for it for ever.
  const bool moved = !lent && backend_pid_of(connection) != backend_pid;
  if (second != nullptr) second->exec("ROLLBACK");
  if (lent || moved)
    refuse(
        "a connection pooler in transaction mode is in between: it lends kdb's server connection to "
        "others, so that no lock of kdb's would hold");
  if (!declared_session_pooler)
    refuse(fmt::format(
        "a connection pooler is in between (announced backend {}, real backend {}), and nothing says "
        "that it pools by session",
        connection.announced_pid(), backend_pid));
}

}  // namespace kdb::pg
