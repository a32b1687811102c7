#include "pg/trial_run.hpp"

#include <algorithm>
#include <array>
#include <map>

#include <fmt/format.h>

#include "base/text.hpp"
#include "model/object.hpp"

namespace kdb::pg {

namespace {

/// The lock modes as pg_locks names them, in their order.
constexpr std::array<std::string_view, 8> lock_modes = {
    "AccessShareLock", "RowShareLock",          "RowExclusiveLock", "ShareUpdateExclusiveLock",
    "ShareLock",       "ShareRowExclusiveLock", "ExclusiveLock",    "AccessExclusiveLock"};

LockMode lock_mode_of(std::string_view name) {
  const auto found = std::find(lock_modes.begin(), lock_modes.end(), name);
  if (found == lock_modes.end()) return LockMode::none;
  return static_cast<LockMode>(found - lock_modes.begin() + static_cast<int>(LockMode::access_share));
}

class TrialTransaction {
 public:
  TrialTransaction(Connection& connection, std::string_view schema)
      : connection_(connection), schema_(schema) {}

  bool is_open() const { return open_; }
  void begin() {
    held_.clear();
    newest_ =
        connection_.exec("SELECT coalesce(max(oid::pg_catalog.int8), 0) FROM pg_catalog.pg_class").text(0, 0);
    connection_.exec("BEGIN");
    open_ = true;
  }
  void commit() {
    open_ = false;
    connection_.exec("COMMIT", Phase::committing);
  }
  void roll_back() {
    open_ = false;
    connection_.exec_cleanup("ROLLBACK");
  }

  /// What is locked, and was not before. What the transaction made itself is nobody else's yet.
  std::vector<std::string> new_locks() {
    const Result rows = connection_.exec(
        fmt::format(
            "SELECT n.nspname, c.relname, l.mode FROM pg_catalog.pg_locks l "
            "JOIN pg_catalog.pg_class c ON c.oid = l.relation "
            "JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace "
            "WHERE l.pid = pg_catalog.pg_backend_pid() AND l.granted AND l.locktype = 'relation' "
            "AND l.relation::pg_catalog.int8 <= {} AND n.nspname <> 'information_schema' "
            "AND n.nspname !~ '^pg_' AND (c.relkind NOT IN ('i', 'I') OR l.mode <> 'AccessShareLock') "
            "ORDER BY 1, 2, 3",
            newest_),
        Phase::in_transaction);
    std::map<ObjectName, LockMode> stronger;
    for (size_t row = 0; row < rows.size(); ++row) {
      const ObjectName name{rows.text(row, 0), rows.text(row, 1)};
      const LockMode mode = lock_mode_of(rows.view(row, 2));
      LockMode& held = held_[name];
      if (held >= mode) continue;
      held = mode;
      stronger[name] = mode;
    }
    std::vector<std::string> locks;
    for (const auto& [name, mode] : stronger)
      locks.push_back(fmt::format("{} on {}", to_string(mode), to_text(name, schema_)));
    return locks;
  }

 private:
  Connection& connection_;
  std::string schema_;
  std::string newest_;  // the greatest number of a relation at its beginning
  std::map<ObjectName, LockMode> held_;
  bool open_ = false;
};

}  // namespace

std::vector<TrialStep> try_steps(Connection& connection, const std::vector<ChangeStep>& steps,
                                 std::string_view schema) {
  std::vector<TrialStep> tried;
  TrialTransaction transaction(connection, schema);
  const auto attempt = [&](const auto& work) {
    try {
      work();
      return true;
    } catch (const ServerError& error) {
      if (error.session_ended) throw;
      tried.back().error = error;
      tried.back().locks.reset();
      if (transaction.is_open()) transaction.roll_back();
      return false;
    }
  };
  for (const ChangeStep& step : steps) {
    // A deferred constraint fails only now: it counts for the statement before.
    if (transaction.is_open() && (!step.in_transaction || step.begins) &&
        !attempt([&] { transaction.commit(); }))
      return tried;
    tried.push_back({.sql = step.sql, .locks = std::nullopt, .error = std::nullopt});
    const bool done = attempt([&] {
      if (!step.in_transaction) {
        connection.exec(step.sql);
        return;
      }
      if (!transaction.is_open()) transaction.begin();
      connection.exec(step.sql, Phase::in_transaction);
      tried.back().locks = transaction.new_locks();
    });
    if (!done) return tried;
  }
  if (transaction.is_open()) attempt([&] { transaction.commit(); });
  return tried;
}

std::vector<std::optional<ServerError>> try_and_undo(Connection& connection,
                                                     const std::vector<std::string>& statements,
                                                     const std::string& role) {
  std::vector<std::optional<ServerError>> errors(statements.size());
  if (statements.empty()) return errors;
  connection.exec(role.empty() ? "BEGIN" : "BEGIN; SET LOCAL ROLE " + quote_ident(role),
                  Phase::in_transaction);
  for (size_t at = 0; at < statements.size(); ++at) {
    connection.exec("SAVEPOINT kdb_trial", Phase::in_transaction);
    try {
      connection.exec(statements[at], Phase::in_transaction);
    } catch (const ServerError& error) {
      if (error.session_ended) throw;
      errors[at] = error;
      connection.exec_cleanup("ROLLBACK TO SAVEPOINT kdb_trial");
    }
  }
  connection.exec_cleanup("ROLLBACK");
  return errors;
}

}  // namespace kdb::pg
