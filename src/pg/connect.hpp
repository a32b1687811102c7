#pragma once

#include <chrono>
#include <functional>
#include <memory>
#include <string>

#include "base/event.hpp"
#include "base/retry.hpp"
#include "pg/connection.hpp"
#include "pg/watchdog.hpp"

namespace kdb::pg {

/// Whether the same attempt to connect may work later: a server that starts, a full one, a network that is
/// not there yet.
bool connect_may_pass(const ServerError& error);

/// What to do about a failed attempt to connect.
std::string connect_hint(const ServerError& error);

/// What retrying needs of the outside world; tests bring their own.
struct ConnectMeans {
  std::function<std::unique_ptr<Connection>(const ConnectSettings&)> open;
  std::function<std::chrono::steady_clock::time_point()> now;
  std::function<void(std::chrono::milliseconds)> sleep;  // throws when the command shall end
  Random random;
};

/// Opens the session, trying again what may pass (classify_error): a server that starts, a full or restarting
/// one, a network that is not there yet. Reports each failed attempt as Event::retry. Throws Error(failed)
/// with the SQLSTATE and a hint when it gives up, at once for what will not pass; Error(interrupted) for a
/// signal.
std::unique_ptr<Connection> connect_with_retry(const ConnectSettings& settings, Watchdog& watchdog,
                                               const RetryPolicy& policy, const EventSink& events);

/// The same with the outside world as an argument.
std::unique_ptr<Connection> connect_with_retry(const ConnectSettings& settings, const RetryPolicy& policy,
                                               const EventSink& events, const ConnectMeans& means);

}  // namespace kdb::pg
