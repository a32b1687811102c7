#include "pg/rehearsal.hpp"

#include <algorithm>
#include <utility>

#include <fmt/format.h>

#include "pg/tidy.hpp"

namespace kdb::pg {

namespace {

/// Whether the error says something of the statement, and not of the server, the session or other sessions.
/// -- PG docs, appendix A: 08 connection, 40 transaction rollback, 53 insufficient resources, 55P03 lock not
/// available, 57 operator intervention, 58 system error.
bool is_verdict(const ServerError& error) {
  if (error.session_ended || error.sqlstate.size() < 2 || error.sqlstate == "55P03") return false;
  const std::string_view classes[] = {"08", "40", "53", "57", "58"};
  return std::none_of(std::begin(classes), std::end(classes),
                      [&](std::string_view one) { return error.sqlstate.starts_with(one); });
}

}  // namespace

// The settings have to come in a message of their own: the server reads all of a message by the settings from
// before it, and quotes and backslashes by standard_conforming_strings. READ WRITE, because a role may be set
// to read by default, and nothing is written here. The savepoint is there at all times: in a message it would
// be lost to a syntax error further back.
Rehearsal::Rehearsal(Connection& connection, std::string_view settings) : connection_(connection) {
  open_ = true;
  try {
    connection_.exec(
        fmt::format("BEGIN ISOLATION LEVEL READ COMMITTED READ WRITE; {} SAVEPOINT kdb", settings),
        Phase::in_transaction);
  } catch (...) {  // no destructor runs
    tidy(connection_, "ROLLBACK");
    throw;
  }
}

Rehearsal::~Rehearsal() {
  if (open_ && connection_.is_open()) tidy(connection_, "ROLLBACK");
}

void Rehearsal::roll_back() {
  connection_.exec("ROLLBACK", Phase::in_transaction);
  open_ = false;
}

void Rehearsal::run(const std::vector<std::string>& statements, const Refused& refused) {
  if (!statements.empty()) run(statements, 0, statements.size(), refused);
}

void Rehearsal::run(const std::vector<std::string>& statements, size_t begin, size_t end,
                    const Refused& refused) {
  std::string sql;
  for (size_t i = begin; i < end; ++i) sql += statements[i] + ";\n";
  const std::optional<ServerError> error = attempt(sql + "RELEASE SAVEPOINT kdb; SAVEPOINT kdb");
  if (!error) return;
  if (end - begin == 1) return refused(begin, *error);
  const size_t middle = begin + (end - begin) / 2;
  run(statements, begin, middle, refused);
  run(statements, middle, end, refused);
}

std::optional<ServerError> Rehearsal::verdict(const std::string& statement) {
  auto error = attempt(statement);
  if (!error) connection_.exec("ROLLBACK TO SAVEPOINT kdb", Phase::in_transaction);
  return error;
}

/// Nothing of it is left where it fails.
std::optional<ServerError> Rehearsal::attempt(const std::string& sql) {
  try {
    connection_.exec(sql, Phase::in_transaction);
    return std::nullopt;
  } catch (const ServerError& error) {
    if (!is_verdict(error)) throw;
    connection_.exec("ROLLBACK TO SAVEPOINT kdb", Phase::in_transaction);
    return error;
  }
}

}  // namespace kdb::pg
