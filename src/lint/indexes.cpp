#include <fmt/format.h>

#include "base/hazard_list.hpp"
#include "base/sql_outside.hpp"
#include "lint/rules.hpp"

namespace kdb::lint {

namespace {

/// How the index can be built beside running writes, as the table is; the server refuses CONCURRENTLY on a
/// partitioned table and on a hypertable.
std::string_view online_build(const Statement& statement) {
  const KnownTables::Table* table = statement.tables.find(statement.table());
  if (table != nullptr && table->hypertable)
    return "WITH (timescaledb.transaction_per_chunk) locks one chunk at a time";
  if (table != nullptr && table->partitioned)
    return "CREATE INDEX … ON ONLY, then CONCURRENTLY on each partition, then ATTACH PARTITION";
  return "CREATE INDEX CONCURRENTLY, in a migration of its own";
}

void check_creation(const Statement& statement, Findings& findings) {
  if (!statement.is("CREATE INDEX") || statement.on_new || statement.step.what.outside_transaction) return;
  if (!statement.has_hazard(sql::hazard::share)) return;
  findings.add(statement.at(0),
               fmt::format("nobody can write to {} while the index is built", statement.table()),
               std::string(online_build(statement)));
}

void check_deletion(const Statement& statement, Findings& findings) {
  if (!statement.is("DROP INDEX") || statement.step.what.outside_transaction) return;
  if (statement.words.find("cascade", 2) != npos) return;  // has no other form
  for (const sql::StatementHazard& hazard : statement.hazards) {
    if (hazard.id != sql::hazard::index_dropped) continue;
    findings.add(statement.at(0),
                 fmt::format("dropping {} locks its table against everybody until the transaction ends",
                             hazard.object),
                 "DROP INDEX CONCURRENTLY, in a migration of its own");
    return;
  }
}

void check_reindex(const Statement& statement, Findings& findings) {
  if (!statement.is("REINDEX") || !statement.has_hazard(sql::hazard::share)) return;
  if (statement.words.is(statement.words.skip_parentheses(1), "system")) return;  // has no other form
  const std::string& object = statement.step.what.object;
  findings.add(statement.at(0),
               fmt::format("nobody can write to the table while {} is built again",
                           object.empty() ? "the index" : object),
               "REINDEX … CONCURRENTLY");
}

void check_if_not_exists(const Statement& statement, Findings& findings) {
  if (!statement.is("CREATE INDEX") || !sql::is_concurrent(statement.words, "CREATE INDEX")) return;
  const size_t condition = statement.words.find("if not exists", 2);
  if (condition == npos) return;
  findings.add(statement.at(condition),
               fmt::format("an index {} that is invalid, or another one of that name, counts as existing",
                           statement.step.what.object),
               "leave IF NOT EXISTS out: kdb itself goes on with a build that was interrupted");
}

}  // namespace

Rule require_concurrent_index_creation() {
  return {.name = "require-concurrent-index-creation",
          .summary = "CREATE INDEX on a table in use, without CONCURRENTLY",
          .why =
              "Reads go on, but every INSERT, UPDATE and DELETE waits until the index is built. A table that "
              "the same file makes is not reported.",
          .lock = "SHARE on the table while the index is built: writes wait",
          .instead =
              "kdb runs a file with CONCURRENTLY statement by statement, and after an interruption drops "
              "the invalid index and builds it again:\n"
              "  CREATE INDEX CONCURRENTLY t_a_idx ON t (a);\n"
              "On a partitioned table: ON ONLY, then CONCURRENTLY on each partition, then ALTER INDEX … "
              "ATTACH PARTITION. On a hypertable: WITH (timescaledb.transaction_per_chunk).",
          .statement = check_creation};
}

Rule require_concurrent_index_deletion() {
  return {.name = "require-concurrent-index-deletion",
          .level = Finding::Level::note,
          .summary = "DROP INDEX on a table in use, without CONCURRENTLY",
          .why =
              "The lock is held for a moment only, and kdb gives up waiting for it after lock_timeout and "
              "tries again; but beside slow statements in the same file the moment is as long as they are.",
          .lock = "ACCESS EXCLUSIVE on the index's table until the transaction ends: reads and writes wait",
          .instead = "  DROP INDEX CONCURRENTLY t_a_idx;\nAn index of a partitioned table has no such form.",
          .statement = check_deletion};
}

Rule require_concurrent_reindex() {
  return {.name = "require-concurrent-reindex",
          .summary = "REINDEX without CONCURRENTLY",
          .why = "Writes wait until the index is built again, and so do queries that would plan with it.",
          .lock = "SHARE on the table, ACCESS EXCLUSIVE on the index: writes wait, and many reads",
          .instead = "  REINDEX INDEX CONCURRENTLY t_a_idx;",
          .statement = check_reindex};
}

Rule concurrent_index_if_not_exists() {
  return {.name = "concurrent-index-if-not-exists",
          .level = Finding::Level::note,
          .summary = "CREATE INDEX CONCURRENTLY IF NOT EXISTS",
          .why =
              "A build that failed leaves an invalid index behind, which no query uses and every write "
              "maintains. IF NOT EXISTS asks for the name alone, so the second attempt does nothing and is "
              "recorded as done.",
          .lock = "",
          .instead =
              "Leave it out. kdb journals the statement, drops what its own interrupted build left, and "
              "builds again; any other index of that name is an error, as it should be.",
          .statement = check_if_not_exists};
}

}  // namespace kdb::lint
