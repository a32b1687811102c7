#include "base/sql_fingerprint.hpp"

#include <vector>

#include <pg_query.h>

#include "base/sql.hpp"

namespace kdb::sql {

std::optional<std::string> fingerprint(std::string_view statement) {
  if (statement.size() > longest_fingerprinted) return std::nullopt;
  // The library reads up to the first NUL, and takes several statements for one.
  std::vector<Problem> problems;
  const std::vector<Statement> statements = split(statement, problems);
  if (statements.size() != 1 || !problems.empty()) return std::nullopt;
  const PgQueryFingerprintResult result = pg_query_fingerprint(statements.front().text.c_str());
  std::optional<std::string> text;
  if (result.error == nullptr && result.fingerprint_str != nullptr) text = result.fingerprint_str;
  pg_query_free_fingerprint_result(result);
  return text;
}

}  // namespace kdb::sql
