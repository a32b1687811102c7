#include "pg/trial_run.hpp"

#include <algorithm>
#include <array>
#include <map>

#include <fmt/format.h>

#include "model/object.hpp"

namespace kdb::pg {

namespace {

/// From the weakest to the strongest, as pg_locks and as people write them (PG docs 13.3.1).
constexpr std::array<std::pair<std::string_view, std::string_view>, 8> lock_modes = {
    {{"AccessShareLock", "ACCESS SHARE"},
     {"RowShareLock", "ROW SHARE"},
     {"RowExclusiveLock", "ROW EXCLUSIVE"},
     {"ShareUpdateExclusiveLock", "SHARE UPDATE EXCLUSIVE"},
     {"ShareLock", "SHARE"},
     {"ShareRowExclusiveLock", "SHARE ROW EXCLUSIVE"},
     {"ExclusiveLock", "EXCLUSIVE"},
     {"AccessExclusiveLock", "ACCESS EXCLUSIVE"}}};

size_t strength_of(std::string_view mode) {
  const auto found =
      std::find_if(lock_modes.begin(), lock_modes.end(), [&](const auto& row) { return row.first == mode; });
  return static_cast<size_t>(found - lock_modes.begin());
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
    std::map<ObjectName, size_t> stronger;
    for (size_t row = 0; row < rows.size(); ++row) {
      const ObjectName name{rows.text(row, 0), rows.text(row, 1)};
      const size_t strength = strength_of(rows.view(row, 2));
      const auto [held, is_new] = held_.try_emplace(name, strength);
      if (!is_new && held->second >= strength) continue;
      held->second = strength;
      stronger[name] = strength;
    }
    std::vector<std::string> locks;
    for (const auto& [name, strength] : stronger)
      if (strength < lock_modes.size())
        locks.push_back(fmt::format("{} on {}", lock_modes[strength].second, to_text(name, schema_)));
    return locks;
  }

 private:
  Connection& connection_;
  std::string schema_;
  std::string newest_;  // the greatest number of a relation at its beginning
  std::map<ObjectName, size_t> held_;
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

}  // namespace kdb::pg
