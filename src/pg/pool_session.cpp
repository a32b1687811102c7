#include <utility>

#include <fmt/format.h>

#include "pg/pool.hpp"
#include "pg/session_sql.hpp"

namespace kdb::pg {
namespace {

using std::chrono::milliseconds;

/// One round trip.
std::string pool_setup_sql(const PoolConnect& settings, int server_version) {
  return session_sql(server_version, settings.statement_timeout) +
         fmt::format(
             "{}SET lock_timeout TO {}; SET idle_in_transaction_session_timeout TO {}; SET TimeZone TO 'UTC'",
             settings.also, settings.lock_timeout.count(), settings.idle_in_transaction.count());
}

/// Another one. The locks first: what follows might fail.
std::string pool_reset_sql(const PoolConnect& settings, int server_version) {
  return "SELECT pg_catalog.pg_advisory_unlock_all(); " +
         reset_session_sql(server_version, settings.statement_timeout) +
         pool_setup_sql(settings, server_version);
}

bool answers(Connection& connection, std::string_view sql, milliseconds deadline) {
  try {
    connection.exec_or_end(sql, deadline);
    return connection.is_open();
  } catch (const std::exception&) {
    return false;
  }
}

bool tidy_up(Connection& connection, const std::string& sql, milliseconds deadline) {
  if (!connection.is_open()) return false;
  // Not the same batch: RESET and DISCARD would be part of what is rolled back.
  if (!connection.outside_transaction() && !answers(connection, "ROLLBACK", deadline)) return false;
  return answers(connection, sql, deadline) && connection.outside_transaction();
}

}  // namespace

PoolOpener open_connections(const PoolConnect& connect, Watchdog& watchdog) {
  return [connect, &watchdog] {
    ConnectSettings settings = connect.connect;
    settings.connect_limit = connect.connect_timeout;
    PoolSession session;
    session.connection = std::make_unique<Connection>(settings, watchdog);
    Connection& connection = *session.connection;
    const int version = connection.server_version();
    try {
      connection.exec_or_end(pool_setup_sql(connect, version), connect.connect_timeout);
    } catch (ServerError& error) {
      error.phase = Phase::connecting;
      throw;
    }
    session.is_alive = [&connection](milliseconds deadline) {
      return !connection.peer_closed() && answers(connection, "SELECT 1", deadline);
    };
    session.reset = [&connection, sql = pool_reset_sql(connect, version)](milliseconds deadline) {
      return tidy_up(connection, sql, deadline);
    };
    return session;
  };
}

}  // namespace kdb::pg
