#include <algorithm>

#include <fmt/format.h>

#include "base/hazard_list.hpp"
#include "lint/rules.hpp"

namespace kdb::lint {

namespace {

using Kind = TableAction::Kind;

/// Whether a CHECK that holds already says so: then the server does not search (PG docs, ALTER TABLE).
bool is_proven(const Statement& statement, std::string_view column) {
  const KnownTables::Table* table = statement.tables.find(statement.table());
  if (table == nullptr) return false;
  return std::any_of(table->not_null_checks.begin(), table->not_null_checks.end(), [&](const auto& check) {
    return check.second.valid && check.second.column == sql::folded(column);
  });
}

/// The column that the action makes NOT NULL; npos if it makes none.
size_t required_column(const sql::Words& words, const TableAction& action) {
  if (action.kind == Kind::alter_column && words.match(action.body, "set not null")) return action.name;
  const bool constraint = action.kind == Kind::add_constraint && words.match(action.body, "not null");
  return constraint ? action.body + 2 : npos;  // ADD CONSTRAINT … NOT NULL column: 18
}

void check_set(const Statement& statement, Findings& findings) {
  for (const TableAction& action : statement.actions) {
    const size_t column = required_column(statement.words, action);
    if (column == npos || !statement.has_hazard(action, sql::hazard::access_exclusive)) continue;
    if (is_proven(statement, statement.words.text(column))) continue;
    findings.add(statement.at(action.first),
                 fmt::format("nobody can read or write {} while column {} is searched for nulls",
                             statement.table(), statement.words.text(column)),
                 "first add CHECK (… IS NOT NULL) NOT VALID and validate it: then nothing is searched");
  }
}

void check_drop(const Statement& statement, Findings& findings) {
  if (statement.on_new) return;
  for (const TableAction& action : statement.actions) {
    if (action.kind != Kind::alter_column || !statement.words.match(action.body, "drop not null")) continue;
    findings.add(statement.at(action.first),
                 fmt::format("programs that read {} may not expect null in {}", statement.table(),
                             statement.words.text(action.name)));
  }
}

}  // namespace

Rule adding_not_nullable_field() {
  return {.name = "adding-not-nullable-field",
          .summary = "SET NOT NULL on a column of a table in use",
          .why =
              "The server reads the whole table to see that no row holds null, unless a valid CHECK already "
              "proves it. kdb knows such a CHECK if a migration made it.",
          .lock = "ACCESS EXCLUSIVE on the table during the search: reads and writes wait",
          .instead =
              "Prove it first, each in a migration of its own:\n"
              "  ALTER TABLE t ADD CONSTRAINT a_set CHECK (a IS NOT NULL) NOT VALID;\n"
              "  ALTER TABLE t VALIDATE CONSTRAINT a_set;\n"
              "  ALTER TABLE t ALTER COLUMN a SET NOT NULL; ALTER TABLE t DROP CONSTRAINT a_set;",
          .statement = check_set};
}

Rule ban_drop_not_null() {
  return {.name = "ban-drop-not-null",
          .level = Finding::Level::note,
          .summary = "DROP NOT NULL on a column of a table in use",
          .why = "Programs that were written when the column could hold no null may fail on the first one.",
          .lock = "",
          .instead = "See that all readers can take it, then go on.",
          .in_down = false,
          .statement = check_drop};
}

}  // namespace kdb::lint
