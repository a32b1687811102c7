#include <algorithm>
#include <array>

#include <fmt/format.h>

#include "base/hazard_list.hpp"
#include "base/sql_outside.hpp"
#include "lint/rules.hpp"

namespace kdb::lint {

namespace {

using Kind = TableAction::Kind;

/// Other layouts have no line for options.
std::string permission(const Statement& statement, const std::string& object) {
  if (statement.script.layout != Layout::native)
    return "if this is meant, say so: -- kdb:ignore RULE: reason";
  const std::string allowance = object.empty() ? "DELETES_DATA" : "DELETES_DATA:" + object;
  return fmt::format("if this is meant, say so on the section's line: allow:{}", allowance);
}

bool deletes(const Statement& statement, std::string_view object) {
  return std::any_of(statement.hazards.begin(), statement.hazards.end(), [&](const auto& hazard) {
    return hazard.id == sql::hazard::deletes_data && hazard.object == object;
  });
}

void check_drop_column(const Statement& statement, Findings& findings) {
  for (const TableAction& action : statement.actions) {
    if (action.kind != Kind::drop_column || !deletes(statement, statement.step.what.object)) continue;
    findings.add(statement.at(action.first),
                 fmt::format("dropping {} deletes what it holds, and breaks programs that still name it",
                             statement.words.text(action.name)),
                 permission(statement, statement.table()));
  }
}

void check_drop_table(const Statement& statement, Findings& findings) {
  if (!statement.is("DROP TABLE")) return;
  for (const auto& part : statement.words.list(statement.object)) {
    const std::string name = statement.words.name(part.first);
    if (!deletes(statement, name)) continue;
    findings.add(statement.at(part.first), fmt::format("dropping {} deletes all its rows", name),
                 permission(statement, name));
  }
}

void check_database(const Statement& statement, Findings& findings) {
  if (!statement.is("DROP DATABASE")) return;
  findings.add(statement.at(0), fmt::format("drops the whole database {}", statement.step.what.object),
               "no migration of a database should end another one; do it by hand");
}

void check_truncate(const Statement& statement, Findings& findings) {
  if (!statement.is("TRUNCATE TABLE")) return;
  const size_t cascade = statement.words.find("cascade", 1);
  if (cascade == npos || !statement.has_hazard(sql::hazard::deletes_data)) return;
  findings.add(statement.at(cascade),
               "CASCADE empties every table that refers to this one, and every one that refers to those",
               "name all tables that are meant: TRUNCATE a, b");
}

/// Commands that rules above have a better word for.
bool is_named_elsewhere(const Statement& statement) {
  if (sql::one_of(statement.step.what.command, {"ALTER TABLE", "DROP TABLE", "DROP DATABASE"})) return true;
  return statement.is("TRUNCATE TABLE") && statement.words.find("cascade", 1) != npos;
}

void check_rest(const Statement& statement, Findings& findings) {
  if (is_named_elsewhere(statement)) return;
  for (const sql::StatementHazard& hazard : statement.hazards) {
    if (hazard.id != sql::hazard::deletes_data) continue;
    findings.add(statement.at(0), hazard.reason, permission(statement, hazard.object));
  }
}

constexpr std::string_view drop_instead =
    "First a release that no longer uses it, then the migration. Where the loss is meant, say so on the "
    "section's line, which `hazards = \"refuse\"` asks for as well:\n"
    "  -- migrate:up allow:DELETES_DATA:users";

}  // namespace

Rule ban_drop_column() {
  return {
      .name = "ban-drop-column",
      .summary = "a column with its data is dropped",
      .why =
          "What it holds is gone, no down section brings it back, and programs that still name the column "
          "fail from that moment on.",
      .lock = "ACCESS EXCLUSIVE on the table, for a moment",
      .instead = drop_instead,
      .in_down = false,
      .statement = check_drop_column};
}

Rule ban_drop_table() {
  return {
      .name = "ban-drop-table",
      .summary = "a table with its rows is dropped",
      .why =
          "Its rows are gone, no down section brings them back, and programs that still read it fail from "
          "that moment on.",
      .lock = "ACCESS EXCLUSIVE on the table, for a moment",
      .instead = drop_instead,
      .in_down = false,
      .statement = check_drop_table};
}

Rule ban_drop_database() {
  return {
      .name = "ban-drop-database",
      .level = Finding::Level::error,
      .summary = "a whole database is dropped",
      .why =
          "A migration changes the database that it runs in; one that drops another cannot be undone, and "
          "runs wherever the folder is deployed.",
      .lock = "",
      .instead = "Drop it by hand, once.",
      .statement = check_database};
}

Rule ban_truncate_cascade() {
  return {
      .name = "ban-truncate-cascade",
      .level = Finding::Level::error,
      .summary = "TRUNCATE … CASCADE",
      .why =
          "It follows foreign keys backwards, without end: a table that refers to one of those that refer "
          "to this one is emptied too. Which ones that are is not in the statement, and changes with "
          "every foreign key that is added later.",
      .lock = "ACCESS EXCLUSIVE on all of them",
      .instead = "Name every table that is to be emptied:\n  TRUNCATE orders, order_lines;",
      .statement = check_truncate};
}

Rule deletes_data() {
  return {
      .name = "deletes-data",
      .summary = "rows are deleted in some other way than by DROP TABLE or DROP COLUMN",
      .why =
          "TRUNCATE, DELETE without a condition, DROP SCHEMA … CASCADE, drop_chunks(), a retention policy: "
          "what they delete no down section brings back. Statements in a DO are seen as well, as far as "
          "they can be read.",
      .lock = "",
      .instead = drop_instead,
      .in_down = false,
      .statement = check_rest};
}

}  // namespace kdb::lint
