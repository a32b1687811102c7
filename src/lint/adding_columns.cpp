#include <fmt/format.h>

#include "base/hazard_list.hpp"
#include "base/sql_outside.hpp"
#include "base/text.hpp"
#include "lint/rules.hpp"

namespace kdb::lint {

namespace {

using Kind = TableAction::Kind;

void check_default(const Statement& statement, Findings& findings) {
  for (const TableAction& action : statement.actions) {
    if (action.kind != Kind::add_column || !statement.has_hazard(action, sql::hazard::table_rewrite))
      continue;
    findings.add(
        statement.at(action.name),
        fmt::format("adding column {} writes every row of {} again, and nobody can read it meanwhile",
                    statement.words.text(action.name), statement.table()),
        "add it without a default, set the default, then fill the old rows in batches");
  }
}

/// Whether the server gives the column a value of its own in each row.
bool fills_itself(const sql::Words& words, const TableAction& action) {
  const std::string type = to_lower(words.text(action.body));
  if (type.find("serial") != std::string::npos) return true;
  for (const std::string_view phrase : {"default", "generated"})
    if (words.find(phrase, action.body, action.last) != npos) return true;
  return false;
}

void check_required(const Statement& statement, Findings& findings) {
  if (statement.on_new) return;
  const sql::Words& words = statement.words;
  for (const TableAction& action : statement.actions) {
    if (action.kind != Kind::add_column || fills_itself(words, action)) continue;
    if (words.find("not null", action.body, action.last) == npos) continue;
    findings.add(statement.at(action.name),
                 fmt::format("column {} must not be null and has no default: this fails if {} has a row",
                             words.text(action.name), statement.table()),
                 "give it a constant default, which takes no time, or add it without NOT NULL first");
  }
}

void check_primary_key(const Statement& statement, Findings& findings) {
  const sql::Words& words = statement.words;
  for (const TableAction& action : statement.actions) {
    const bool added = action.kind == Kind::add_column || action.kind == Kind::add_constraint;
    if (!added || words.find("primary key", action.body, action.last) == npos) continue;
    if (!statement.has_hazard(action, sql::hazard::access_exclusive)) continue;
    findings.add(
        statement.at(action.first),
        fmt::format("builds the primary key's index while nobody can read or write {}", statement.table()),
        "CREATE UNIQUE INDEX CONCURRENTLY first, then ADD PRIMARY KEY USING INDEX");
  }
}

}  // namespace

Rule adding_field_with_default() {
  return {.name = "adding-field-with-default",
          .summary = "a new column whose value is computed for every row",
          .why =
              "A volatile default, an identity, a serial and a stored generated column give each row a value "
              "of its own, so the whole table and all of its indexes are written again. A constant or stable "
              "default costs nothing, and is not reported. A function that kdb does not know counts as "
              "volatile.",
          .lock = "ACCESS EXCLUSIVE on the table until the last row is written: reads and writes wait",
          .instead =
              "Add the column without it, let new rows have the default, and fill the old ones in "
              "batches:\n"
              "  ALTER TABLE t ADD COLUMN c uuid;\n"
              "  ALTER TABLE t ALTER COLUMN c SET DEFAULT gen_random_uuid();\n"
              "  UPDATE t SET c = gen_random_uuid() WHERE c IS NULL AND id BETWEEN 1 AND 10000; -- …",
          .statement = check_default};
}

Rule adding_required_field() {
  return {.name = "adding-required-field",
          .level = Finding::Level::error,
          .summary = "a new column that is NOT NULL and has no default",
          .why =
              "The rows that the table has would hold null in it, so the statement fails on every table that "
              "is not empty. It works in a test whose tables are.",
          .lock = "",
          .instead =
              "With a constant default no row is written, and the default can be dropped afterwards:\n"
              "  ALTER TABLE t ADD COLUMN c text NOT NULL DEFAULT '';",
          .in_down = true,
          .statement = check_required};
}

Rule adding_serial_primary_key_field() {
  return {.name = "adding-serial-primary-key-field",
          .summary = "a primary key that is added to a table in use",
          .why =
              "The index of the key is built while the table is locked, and its columns are searched for "
              "nulls.",
          .lock = "ACCESS EXCLUSIVE on the table while the index is built: reads and writes wait",
          .instead =
              "Build the index beside running writes, then make it the key (columns NOT NULL before "
              "that):\n"
              "  CREATE UNIQUE INDEX CONCURRENTLY t_pkey ON t (id);\n"
              "  ALTER TABLE t ADD CONSTRAINT t_pkey PRIMARY KEY USING INDEX t_pkey;",
          .aliases = {"adding-primary-key-constraint"},
          .statement = check_primary_key};
}

}  // namespace kdb::lint
