#include <algorithm>
#include <set>
#include <string>

#include <fmt/format.h>

#include "base/hazard_list.hpp"
#include "base/text.hpp"
#include "lint/rules.hpp"

namespace kdb::lint {

namespace {

using Kind = TableAction::Kind;

void check_foreign_key(const Statement& statement, Findings& findings) {
  for (const TableAction& action : statement.actions) {
    if (action.kind != Kind::add_constraint || !statement.has_hazard(action, sql::hazard::share)) continue;
    findings.add(statement.at(action.first),
                 fmt::format("nobody can write to {} or the table it refers to while all rows are checked",
                             statement.table()),
                 "add it NOT VALID, and VALIDATE CONSTRAINT in a migration of its own");
  }
}

bool is_index(const sql::Words& words, const TableAction& action, std::string_view constraint) {
  if (action.kind == Kind::add_constraint) return words.match(action.body, constraint);
  return action.kind == Kind::add_column && words.find(constraint, action.body, action.last) != npos;
}

void check_unique(const Statement& statement, Findings& findings) {
  for (const TableAction& action : statement.actions) {
    if (!is_index(statement.words, action, "unique")) continue;
    if (!statement.has_hazard(action, sql::hazard::index_build)) continue;
    findings.add(statement.at(action.first),
                 fmt::format("builds a unique index while nobody can read or write {}", statement.table()),
                 "CREATE UNIQUE INDEX CONCURRENTLY first, then ADD CONSTRAINT … UNIQUE USING INDEX");
  }
}

void check_not_valid(const Statement& statement, Findings& findings) {
  const sql::Words& words = statement.words;
  for (const TableAction& action : statement.actions) {
    const bool check =
        action.kind == Kind::add_constraint
            ? words.is(action.body, "check")
            : action.kind == Kind::add_column && words.find("check", action.body, action.last) != npos;
    if (!check || !statement.has_hazard(action, sql::hazard::access_exclusive)) continue;
    findings.add(statement.at(action.first),
                 fmt::format("nobody can read or write {} while all its rows are checked", statement.table()),
                 "add it NOT VALID, and VALIDATE CONSTRAINT in a migration of its own");
  }
}

/// Calls `visit(step, begins)` for each statement in order; `begins` says that a transaction begins with it.
template <class Visit>
void each_in_transaction(const MigrationPlan& plan, Visit visit) {
  for (const Step& step : plan.steps) {
    if (step.block.empty()) visit(step, !plan.one_transaction || &step == &plan.steps.front());
    for (const Step& inner : step.block) visit(inner, &inner == &step.block.front());
  }
}

/// `TABLE CONSTRAINT` of each ADD CONSTRAINT … NOT VALID or VALIDATE CONSTRAINT, and the word it begins at.
std::vector<std::pair<std::string, size_t>> constraints(const Statement& statement, bool validated) {
  std::vector<std::pair<std::string, size_t>> found;
  const sql::Words& words = statement.words;
  for (const TableAction& action : statement.actions) {
    const bool wanted = validated ? action.kind == Kind::validate_constraint
                                  : action.kind == Kind::add_constraint && action.name != npos &&
                                        words.find("not valid", action.body, action.last) != npos;
    if (!wanted) continue;
    const ObjectName table = statement.tables.name_of(statement.table());
    found.emplace_back(fmt::format("{} {}", table.name, sql::folded(words.text(action.name))), action.first);
  }
  return found;
}

/// Hardly any script has one, and most need not be read again.
bool may_validate(const MigrationPlan& plan) {
  const auto says_so = [](const Step& step) {
    return step.what.command == "ALTER TABLE" && to_lower(step.sql).find("validate") != std::string::npos;
  };
  return std::any_of(plan.steps.begin(), plan.steps.end(), [&](const Step& step) {
    return says_so(step) || std::any_of(step.block.begin(), step.block.end(), says_so);
  });
}

/// A constraint that is validated in the transaction which added it holds the lock of the one during the scan
/// of the other.
void check_validated_at_once(const MigrationScripts&, const Script& script, Findings& findings) {
  if (!may_validate(script.plan)) return;
  std::set<std::string> added;
  const KnownTables tables("public");
  sql::NewRelations made;
  each_in_transaction(script.plan, [&](const Step& step, bool begins) {
    if (begins) added.clear();
    if (step.what.command == "ALTER TABLE") {
      const Statement statement(script, step, tables, made);
      for (const auto& [name, word] : constraints(statement, true)) {
        if (added.count(name) == 0 || statement.on_new) continue;
        findings.add(
            statement.at(word),
            fmt::format("{} stays locked by the ADD CONSTRAINT before while all its rows are checked",
                        statement.table()),
            "VALIDATE CONSTRAINT in a migration of its own: that blocks nobody");
      }
      for (const auto& [name, word] : constraints(statement, false)) added.insert(name);
    }
    made.run(step.sql, step.what);
  });
}

}  // namespace

Rule adding_foreign_key_constraint() {
  return {.name = "adding-foreign-key-constraint",
          .summary = "a foreign key that is checked while it is added",
          .why =
              "Every row of the table is looked up in the other one before the statement ends. A column that "
              "is new and has no default needs no such search, and is not reported.",
          .lock = "SHARE ROW EXCLUSIVE on both tables while rows are checked: writes to both wait",
          .instead =
              "New rows are checked from the first statement on; the second looks at the old ones and "
              "blocks nobody:\n"
              "  ALTER TABLE t ADD CONSTRAINT t_a_fkey FOREIGN KEY (a) REFERENCES o NOT VALID;\n"
              "  ALTER TABLE t VALIDATE CONSTRAINT t_a_fkey; -- in a migration of its own",
          .statement = check_foreign_key};
}

Rule constraint_missing_not_valid() {
  return {.name = "constraint-missing-not-valid",
          .summary = "a CHECK that is checked while it is added",
          .why = "The whole table is read before the statement ends.",
          .lock = "ACCESS EXCLUSIVE on the table while rows are checked: reads and writes wait",
          .instead =
              "New rows are checked from the first statement on; the second looks at the old ones under "
              "SHARE UPDATE EXCLUSIVE, which blocks nobody:\n"
              "  ALTER TABLE t ADD CONSTRAINT t_a_check CHECK (a > 0) NOT VALID;\n"
              "  ALTER TABLE t VALIDATE CONSTRAINT t_a_check; -- in a migration of its own",
          .statement = check_not_valid};
}

Rule validating_in_same_transaction() {
  return {
      .name = "validating-in-same-transaction",
      .summary = "VALIDATE CONSTRAINT in the transaction that added the constraint",
      .why =
          "ADD CONSTRAINT … NOT VALID is quick because it looks at no row, but its lock is kept until the "
          "transaction ends. With VALIDATE CONSTRAINT in the same one it is kept for as long as the "
          "search takes, which is what NOT VALID was to avoid.",
      .lock =
          "that of ADD CONSTRAINT, during the whole of VALIDATE: ACCESS EXCLUSIVE for a CHECK, SHARE ROW "
          "EXCLUSIVE for a foreign key",
      .instead = "kdb runs a file in one transaction, so VALIDATE CONSTRAINT belongs into the next file.",
      .script = check_validated_at_once};
}

Rule disallowed_unique_constraint() {
  return {.name = "disallowed-unique-constraint",
          .summary = "a UNIQUE constraint whose index is built while it is added",
          .why = "The index is built while the table is locked.",
          .lock = "ACCESS EXCLUSIVE on the table while the index is built: reads and writes wait",
          .instead =
              "Build the index beside running writes, then make it the constraint:\n"
              "  CREATE UNIQUE INDEX CONCURRENTLY t_a_key ON t (a);\n"
              "  ALTER TABLE t ADD CONSTRAINT t_a_key UNIQUE USING INDEX t_a_key;",
          .statement = check_unique};
}

}  // namespace kdb::lint
