#include <fmt/format.h>

#include "base/hazard_list.hpp"
#include "lint/rules.hpp"

namespace kdb::lint {

namespace {

using Kind = TableAction::Kind;

void check(const Statement& statement, Kind kind, Findings& findings) {
  for (const TableAction& action : statement.actions) {
    if (action.kind != kind || !statement.has_hazard(sql::hazard::dependencies)) continue;
    const bool table = kind == Kind::rename_table;
    const std::string name = table ? statement.table() : std::string(statement.words.text(action.name));
    findings.add(statement.at(action.first),
                 fmt::format("programs that know {} by its old name fail from this moment on", name),
                 table ? "let a view have the old name until nobody uses it"
                       : "add the new column beside it, or let a view have the old name");
  }
}

void check_rename_column(const Statement& statement, Findings& findings) {
  check(statement, Kind::rename_column, findings);
}

void check_rename_table(const Statement& statement, Findings& findings) {
  check(statement, Kind::rename_table, findings);
}

}  // namespace

Rule renaming_column() {
  return {.name = "renaming-column",
          .summary = "a column of a table in use gets another name",
          .why =
              "Programs of the old release run on while the migration is deployed, and fail on the first "
              "statement that names the column.",
          .lock = "ACCESS EXCLUSIVE on the table, for a moment",
          .instead =
              "A new column, written by both releases, filled in batches, and the old one dropped when "
              "nobody reads it. Or the table under another name, and a view that has the old names.",
          .in_down = false,
          .statement = check_rename_column};
}

Rule renaming_table() {
  return {.name = "renaming-table",
          .summary = "a table in use gets another name",
          .why =
              "Programs of the old release run on while the migration is deployed, and fail on the first "
              "statement that names the table.",
          .lock = "ACCESS EXCLUSIVE on the table, for a moment",
          .instead =
              "A view of the old name in the same transaction; simple ones can be written to as well:\n"
              "  ALTER TABLE users RENAME TO people;\n"
              "  CREATE VIEW users AS SELECT * FROM people;",
          .in_down = false,
          .statement = check_rename_table};
}

}  // namespace kdb::lint
