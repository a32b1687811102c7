#include "pg/result.hpp"

#include <cstdlib>
#include <stdexcept>

#include <libpq-fe.h>

#include "base/text.hpp"

namespace kdb::pg {
namespace {

std::string field(const PGresult* result, int code) {
  const char* text = PQresultErrorField(result, code);
  if (text == nullptr) return {};
  // Under another client_encoding, or from an SQL_ASCII database, it need not be UTF-8; the history must take
  // it.
  return find_invalid_utf8(text) ? printable(text) : std::string(text);
}

/// Where character `position` (from 1) of the statement is.
void locate(std::string_view sql, int position, ServerError& error) {
  error.line = 1;
  error.column = 1;
  for (size_t at = 0; at < sql.size() && position > 1; --position) {
    if (sql[at] == '\n') {
      ++error.line;
      error.column = 1;
    } else {
      ++error.column;
    }
    // One character: a byte, and the bytes 10xxxxxx that follow it in UTF-8.
    do {
      ++at;
    } while (at < sql.size() && (static_cast<unsigned char>(sql[at]) & 0xC0U) == 0x80U);
  }
}

}  // namespace

void Result::add(std::optional<std::string_view> value) {
  if (value) bytes_ += *value;
  ends_.push_back(bytes_.size());
  is_null_.push_back(!value);
}

size_t Result::index_of(size_t row, size_t column) const {
  if (column >= columns_.size() || row >= size()) throw std::out_of_range("no such value in a result");
  return row * columns_.size() + column;
}

std::string_view Result::view(size_t row, size_t column) const {
  const size_t index = index_of(row, column);
  const size_t begin = index == 0 ? 0 : ends_[index - 1];
  return std::string_view(bytes_).substr(begin, ends_[index] - begin);
}

std::int64_t Result::integer(size_t row, size_t column) const { return std::stoll(text(row, column)); }

std::string first_line(std::string_view text) { return std::string(trim(text.substr(0, text.find('\n')))); }

ServerError make_error(const PGresult* result, std::string_view sql) {
  ServerError error;
  error.sqlstate = field(result, PG_DIAG_SQLSTATE);
  error.message = field(result, PG_DIAG_MESSAGE_PRIMARY);
  error.detail = field(result, PG_DIAG_MESSAGE_DETAIL);
  error.hint = field(result, PG_DIAG_MESSAGE_HINT);
  error.context = field(result, PG_DIAG_CONTEXT);
  // libpq's own errors (the network failed) have no fields, only text.
  if (error.message.empty()) error.message = first_line(PQresultErrorMessage(result));
  const int position = std::atoi(field(result, PG_DIAG_STATEMENT_POSITION).c_str());
  if (position > 0) locate(sql, position, error);
  return error;
}

std::string describe_notice(const PGresult* notice) {
  std::string text = field(notice, PG_DIAG_SEVERITY_NONLOCALIZED);
  text += ":  " + field(notice, PG_DIAG_MESSAGE_PRIMARY);
  const std::string detail = field(notice, PG_DIAG_MESSAGE_DETAIL);
  const std::string hint = field(notice, PG_DIAG_MESSAGE_HINT);
  if (!detail.empty()) text += "\nDETAIL:  " + detail;
  if (!hint.empty()) text += "\nHINT:  " + hint;
  return std::string(trim(text));
}

bool is_farewell(const PGresult* notice) {
  const std::string severity = field(notice, PG_DIAG_SEVERITY_NONLOCALIZED);
  return severity == "FATAL" || severity == "PANIC";
}

Result rows_of(const PGresult* result) {
  const int rows = PQntuples(result);
  const int columns = PQnfields(result);
  std::vector<std::string> names;
  names.reserve(static_cast<size_t>(columns));
  for (int column = 0; column < columns; ++column) names.emplace_back(PQfname(result, column));
  Result copy(std::move(names));
  for (int row = 0; row < rows; ++row) {
    for (int column = 0; column < columns; ++column) {
      if (PQgetisnull(result, row, column) != 0) {
        copy.add(std::nullopt);
      } else {
        const auto length = static_cast<size_t>(PQgetlength(result, row, column));
        copy.add(std::string_view(PQgetvalue(result, row, column), length));
      }
    }
  }
  return copy;
}

}  // namespace kdb::pg
