#pragma once

#include <string>
#include <string_view>

#include "base/error.hpp"
#include "model/step.hpp"
#include "pg/connection.hpp"

namespace kdb::pg {

/// Whether the server says that a statement needs to run outside of a transaction block: active transaction
/// (25001), a COMMIT inside of a procedure (2D000), an enum value used before it was committed (55P04).
bool needs_own_transaction(const ServerError& error);

/// Where in its file the error of a step lies.
Source place(const Step& step, const ServerError& error);

/// The version table of another runner that a statement looked for in vain; empty for every other error.
std::string_view missing_foreign_table(const ServerError& error);

/// The message with its SQLSTATE: `relation "a" does not exist (42P01)`.
std::string describe(const ServerError& error);

/// The server's detail and hint, and who blocked (a line each), for below the message.
std::string details_of(const ServerError& error, const std::string& blockers);

}  // namespace kdb::pg
