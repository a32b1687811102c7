#pragma once

#include <string_view>

#include <fmt/format.h>

#include "pg/connection.hpp"

namespace kdb::pg {

/// Before a message with text of kdb's: the server reads a whole message in the encoding that was set before
/// it, so what a migration has set (SET client_encoding) cannot be undone in that message itself. Until the
/// end of the transaction, which `begin` may open.
inline void speak_utf8(Connection& connection, std::string_view begin = "") {
  if (connection.is_utf8()) return;
  connection.exec(fmt::format("{}SET LOCAL client_encoding TO 'UTF8'", begin), Phase::in_transaction);
}

}  // namespace kdb::pg
