#pragma once

#include <chrono>
#include <cstdint>
#include <string>

#include "base/event.hpp"
#include "base/retry.hpp"
#include "pg/connection.hpp"
#include "pg/watchdog.hpp"

namespace kdb::pg {

/// Takes the session's advisory lock on `key` by pg_try_advisory_lock in statements of their own, with pauses
/// between: never a blocking lock and never an open transaction while waiting, because a waiter's snapshot
/// would stop another deployer's CREATE INDEX CONCURRENTLY. Says once who holds it. Throws Error(lock) after
/// `wait`.
void take_deploy_lock(Connection& connection, Watchdog& watchdog, std::int64_t key,
                      std::chrono::milliseconds wait, const Random& random, const EventSink& events);

/// Gives it back; false if the session no longer held it.
bool release_deploy_lock(Connection& connection, std::int64_t key);

/// Who holds the lock on `key`: "pid 4711 (kdb migrate up, 10.0.0.7, since 12:00:03 UTC, running: CREATE
/// INDEX …)". Empty if nobody does.
std::string lock_holder(Connection& connection, std::int64_t key);

/// Session locks protect nothing behind a proxy that lends its connections per transaction. Throws
/// Error(refused) when the connection goes through one, or through any proxy that was not declared to pool by
/// session.
void refuse_transaction_pooler(Connection& connection, const ConnectSettings& settings, Watchdog& watchdog,
                               int backend_pid, bool declared_session_pooler);

}  // namespace kdb::pg
