#pragma once

#include <chrono>
#include <string>
#include <string_view>

namespace kdb::pg {

/// What every session of kdb's begins with, so that settings of a role, a database or the server cannot end a
/// build. One statement per setting that this server knows.
std::string session_sql(int server_version, std::chrono::milliseconds statement_timeout);

/// The same as columns to append to a SELECT, each with its comma before it, where the session is with the
/// backend that announced itself; they do nothing where a pooler lends one, whose settings are others' too.
std::string own_session_columns(int server_version, std::chrono::milliseconds statement_timeout,
                                int announced_pid);

/// The session as kdb wants every file to find it, without giving up the lock; with the settings of
/// session_sql().
std::string reset_session_sql(int server_version, std::chrono::milliseconds statement_timeout);

/// For kdb's own rows, whatever role or path a file has set (its encoding is for speak_utf8()); undone at the
/// end of the transaction.
std::string_view own_rights_sql();

/// `sql` in a transaction of its own, under kdb's own rights.
std::string in_own_transaction(const std::string& sql);

}  // namespace kdb::pg
