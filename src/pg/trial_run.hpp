#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "model/change.hpp"
#include "pg/connection.hpp"

namespace kdb::pg {

/// What became of a statement that was tried.
struct TrialStep {
  std::string sql;
  /// `ACCESS EXCLUSIVE on orders`: the strongest lock on each relation that was there before its transaction
  /// and that no earlier statement of it had locked as strongly. Nothing where the statement ran outside of a
  /// transaction, whose locks are gone when it ends.
  std::optional<std::vector<std::string>> locks;
  std::optional<ServerError> error;
};

/// Runs the statements in their transactions, for good, up to the first that fails; its transaction is rolled
/// back. Names of `schema` are shown without it. Throws ServerError only where the session ends.
std::vector<TrialStep> try_steps(Connection& connection, const std::vector<ChangeStep>& steps,
                                 std::string_view schema);

/// What the server says against each of the statements, which run as `role` (empty: the session's) in one
/// transaction that is rolled back; nothing of those that it takes. Throws ServerError only where the session
/// ends.
std::vector<std::optional<ServerError>> try_and_undo(Connection& connection,
                                                     const std::vector<std::string>& statements,
                                                     const std::string& role);

}  // namespace kdb::pg
