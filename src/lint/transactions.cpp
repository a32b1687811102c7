#include <algorithm>

#include <fmt/format.h>

#include "lint/rules.hpp"

namespace kdb::lint {

namespace {

using sql::Recovery;

/// Calls `visit(step, inside)` for each statement; `inside` of a transaction that cannot be left.
template <class Visit>
void each_statement(const MigrationPlan& plan, Visit visit) {
  for (const Step& step : plan.steps) {
    if (step.block.empty()) visit(step, plan.one_transaction);
    for (const Step& inner : step.block) visit(inner, true);
  }
}

bool stands_at(const Step& step, const Problem& problem) { return step.where == problem.where; }

/// The refusals that are about a statement which cannot run in the transaction it stands in.
bool is_outsider(const Script& script, const Problem& problem) {
  bool found = false;
  each_statement(script.plan, [&](const Step& step, bool inside) {
    found |= inside && step.what.outside_transaction && stands_at(step, problem);
  });
  return found;
}

void check_refused(const MigrationScripts&, const Script& script, bool outsiders, Findings& findings) {
  for (const Problem& problem : script.refusals)
    if (is_outsider(script, problem) == outsiders) findings.add(problem.where, problem.message, problem.hint);
}

void check_outsiders(const MigrationScripts& migration, const Script& script, Findings& findings) {
  check_refused(migration, script, true, findings);
}

void check_control(const MigrationScripts& migration, const Script& script, Findings& findings) {
  check_refused(migration, script, false, findings);
}

/// What of a file may stand beside a statement that runs by itself: it changes nothing that stays.
bool is_incidental(const Step& step) {
  return step.what.session_state || step.what.command == "COMMENT" || step.what.command == "ANALYZE";
}

void check_mixed(const MigrationScripts&, const Script& script, Findings& findings) {
  const MigrationPlan& plan = script.plan;
  if (plan.one_transaction || plan.options.transaction == false || !script.refusals.empty()) return;
  const auto count = [&](auto wanted) { return std::count_if(plan.steps.begin(), plan.steps.end(), wanted); };
  const auto inside = count([](const Step& step) { return step.in_transaction && !is_incidental(step); });
  const auto outside = std::find_if(plan.steps.begin(), plan.steps.end(),
                                    [](const Step& step) { return !step.in_transaction; });
  if (inside < 2 || outside == plan.steps.end()) return;
  findings.add(outside->where,
               fmt::format("because of {} the {} other statements of the file run one by one: if one fails, "
                           "those before it stay",
                           outside->what.command, inside),
               "give it a migration of its own, so that the others are one transaction");
}

void check_unknown(const Statement& statement, Findings& findings) {
  const sql::Classified& what = statement.step.what;
  if (!what.outside_transaction || what.recovery != Recovery::unknown || statement.step.rerunnable) return;
  findings.add(statement.at(0),
               fmt::format("if kdb is killed in the middle of {}, nobody can tell whether it took effect",
                           what.command),
               "write `-- kdb:rerunnable` before it if it may run again");
}

}  // namespace

Rule transaction_nesting() {
  return {.name = "transaction-nesting",
          .level = Finding::Level::error,
          .summary = "transaction control that kdb refuses to run",
          .why =
              "kdb runs a file in one transaction, its record inside. A COMMIT in its middle would end that "
              "transaction, and a BEGIN without its COMMIT leaves one open that holds its locks.",
          .lock = "",
          .instead =
              "Leave BEGIN and COMMIT out, or around the whole file. A file that must control its "
              "transactions itself says so:\n"
              "  -- migrate:up transaction:false",
          .aliases = {"ban-uncommitted-transaction"},
          .script = check_control};
}

Rule ban_concurrent_index_creation_in_transaction() {
  return {.name = "ban-concurrent-index-creation-in-transaction",
          .level = Finding::Level::error,
          .summary = "a statement that cannot run in a transaction, in one",
          .why =
              "CREATE INDEX CONCURRENTLY, VACUUM and their like commit on their own, so the server refuses "
              "them between BEGIN and COMMIT, and kdb under `transaction:true`.",
          .lock = "",
          .instead =
              "Without BEGIN, COMMIT and `transaction:true` kdb sees what the statement needs, and runs "
              "the file statement by statement.",
          .script = check_outsiders};
}

Rule mixed_transactions() {
  return {
      .name = "mixed-transactions",
      .level = Finding::Level::note,
      .summary = "a file whose statements run one by one because of one of them",
      .why =
          "CREATE INDEX CONCURRENTLY and its like cannot run in a transaction, so none of the file's "
          "statements shares one with another. kdb records each and goes on where it stopped, but what "
          "is done is seen by everybody, and stays if a later one fails. One statement beside it, such as "
          "ADD CONSTRAINT … USING INDEX, is not reported.",
      .lock = "",
      .instead = "Two files: what belongs together in one transaction, and the other statement by itself.",
      .script = check_mixed};
}

Rule prefer_robust_stmts() {
  return {.name = "prefer-robust-stmts",
          .level = Finding::Level::note,
          .summary = "a statement whose end nobody can know if kdb is killed in its middle",
          .why =
              "kdb repeats nothing that may have happened: it stops with exit 5 and waits for `kdb migrate "
              "repair`. What runs in a transaction, builds an index, drops one or can be repeated anyway is "
              "settled by kdb itself, so IF NOT EXISTS is never needed for that.",
          .lock = "",
          .instead =
              "If it may run twice, say so in the line before:\n"
              "  -- kdb:rerunnable\n"
              "  CALL archive_old_orders();",
          .statement = check_unknown};
}

}  // namespace kdb::lint
