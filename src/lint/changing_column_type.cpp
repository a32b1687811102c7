#include <fmt/format.h>

#include "base/hazard_list.hpp"
#include "lint/rules.hpp"

namespace kdb::lint {

namespace {

/// Whether the migrations say what the type was, and that the change costs nothing.
bool is_free(const Statement& statement, const TableAction& action, const ColumnDefinition& column) {
  const sql::Words& words = statement.words;
  if (words.find("using", column.type, action.last) != npos) return false;
  const KnownTables::Table* table = statement.tables.find(statement.table());
  if (table == nullptr) return false;
  const auto known = table->columns.find(sql::folded(words.text(column.name)));
  return known != table->columns.end() &&
         is_free_change(known->second, read_type(words, column.type, column.last));
}

void check(const Statement& statement, Findings& findings) {
  for (const TableAction& action : statement.actions) {
    if (action.kind != TableAction::Kind::alter_column) continue;
    for (const ColumnDefinition& column : statement.columns) {
      if (column.name != action.name || is_free(statement, action, column)) continue;
      if (!statement.has_hazard(action, sql::hazard::table_rewrite)) continue;
      findings.add(statement.at(action.first),
                   fmt::format("changing the type of {} may write all of {} again, and nobody can read it "
                               "meanwhile",
                               statement.words.text(column.name), statement.table()),
                   "add a column of the new type, fill it in batches, then let it take the name");
    }
  }
}

}  // namespace

Rule changing_column_type() {
  return {.name = "changing-column-type",
          .summary = "another type for a column of a table in use",
          .why =
              "The table and its indexes are written again, and programs may not expect the new type. Some "
              "changes cost nothing: varchar to text or to a longer varchar, numeric to more digits. Where "
              "the migrations say what the type was, kdb knows them and keeps quiet.",
          .lock = "ACCESS EXCLUSIVE on the table while it is written: reads and writes wait",
          .instead =
              "A column beside it, kept up to date by a trigger while the old rows are filled in:\n"
              "  ALTER TABLE t ADD COLUMN c_new bigint;\n"
              "  UPDATE t SET c_new = c WHERE c_new IS NULL AND id BETWEEN 1 AND 10000; -- …\n"
              "  ALTER TABLE t RENAME COLUMN c TO c_old; ALTER TABLE t RENAME COLUMN c_new TO c;",
          .statement = check};
}

}  // namespace kdb::lint
