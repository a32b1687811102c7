#pragma once

#include <memory>
#include <string>
#include <string_view>

#include "pg/conninfo.hpp"

struct pg_conn;

namespace kdb::pg {

struct CloseSession {
  void operator()(pg_conn* session) const;
};
using RawSession = std::unique_ptr<pg_conn, CloseSession>;

/// Starts a session without waiting for it. Throws ServerError where libpq refuses the settings themselves.
RawSession start_session(const Conninfo& conninfo);

/// Waits until the session is open, at most until the conninfo's deadline; a signal ends the wait with Error.
/// Throws ServerError with the SQLSTATE where a server gave one.
void finish_opening(pg_conn* session, const Conninfo& conninfo, Watchdog& watchdog);

/// The error in what libpq says of a failed connect, with verbose messages:
/// `connection to server at "h", port 1 failed: FATAL:  3D000: database "x" does not exist`.
ServerError parse_connect_error(std::string_view text);

}  // namespace kdb::pg
