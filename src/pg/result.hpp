#pragma once

#include <string>
#include <string_view>

#include "pg/connection.hpp"

struct pg_result;

namespace kdb::pg {

/// What an error result says; its position is turned into line and column of the text that was run.
ServerError make_error(const pg_result* result, std::string_view sql);

/// `WARNING:  there is no transaction in progress`, with DETAIL and HINT on lines of their own.
std::string describe_notice(const pg_result* notice);

/// Whether it is not a notice at all but the reason why the server ends the session.
bool is_farewell(const pg_result* notice);

/// A copy of the rows.
Result rows_of(const pg_result* result);

/// libpq explains itself on further lines.
std::string first_line(std::string_view text);

}  // namespace kdb::pg
