#include "core/steps.hpp"

#include <fmt/format.h>

#include "base/sql.hpp"

namespace kdb {

namespace {

using sql::TransactionControl;

bool is_control(const Step& step) {
  return step.what.control != TransactionControl::none && step.what.control != TransactionControl::savepoint;
}

bool opens(const Step& step) { return step.what.control == TransactionControl::begin; }
bool closes(const Step& step) {
  return step.what.control == TransactionControl::commit ||
         step.what.control == TransactionControl::commit_chain;
}

Problem problem_at(const Step& step, std::string message, std::string hint) {
  return {.message = std::move(message), .where = step.where, .hint = std::move(hint)};
}

/// Every statement of the section as a step of its own, positions counted in the file.
std::vector<Step> statements_of(const Section& section, std::vector<Problem>& problems) {
  std::vector<Problem> found;
  const std::vector<sql::Statement> statements = sql::split(section.text, found);
  for (Problem& problem : found) {
    problem.where.file = section.file;
    if (problem.where.line > 0) problem.where.line += section.line - 1;
    problems.push_back(std::move(problem));
  }
  std::vector<Step> steps;
  steps.reserve(statements.size());
  for (const sql::Statement& statement : statements) {
    Step step;
    step.sql = statement.text;
    step.where = {
        .file = section.file, .line = statement.line + section.line - 1, .column = statement.column};
    step.what = sql::classify(statement.text);
    if (step.what.redefines_strings)
      problems.push_back(problem_at(step, "kdb reads strings as standard_conforming_strings = on has them",
                                    "leave this statement out, and write E'…' where a backslash escapes"));
    step.in_transaction = !step.what.outside_transaction;
    step.rerunnable = statement.rerunnable;
    step.newer_grammar = statement.newer_grammar;
    steps.push_back(std::move(step));
  }
  return steps;
}

/// Gathers explicit BEGIN … COMMIT blocks into one step each. COMMIT AND CHAIN ends one and begins the next
/// with the same options.
std::vector<Step> gather_blocks(std::vector<Step> steps, std::vector<Problem>& problems) {
  std::vector<Step> result;
  std::optional<Step> block;
  for (Step& step : steps) {
    if (step.what.control == TransactionControl::prepare) {
      problems.push_back(
          problem_at(step, fmt::format("{} leaves a transaction open that nobody owns", step.what.command),
                     "run two-phase commits outside of migrations"));
    } else if (step.what.control == TransactionControl::rollback ||
               step.what.control == TransactionControl::rollback_chain) {
      problems.push_back(problem_at(step, "ROLLBACK would undo statements that are recorded as done",
                                    "delete the block, or end it with COMMIT"));
    } else if (opens(step)) {
      if (block)
        problems.push_back(
            problem_at(step, "BEGIN inside of an explicit transaction", "end the one before with COMMIT"));
      block = std::move(step);
      block->in_transaction = true;
      block->block_begin = block->sql;
    } else if (closes(step)) {
      if (!block) {
        problems.push_back(
            problem_at(step, "COMMIT without a BEGIN before it", "write BEGIN where the block begins"));
        continue;
      }
      const bool chain = step.what.control == TransactionControl::commit_chain;
      Step next = *block;
      next.sql = next.block_begin;
      next.block.clear();
      next.where = step.where;
      for (const Step& inner : block->block) block->sql += ";\n" + inner.sql;
      block->sql += ";\nCOMMIT";
      result.push_back(std::move(*block));
      if (chain)
        block = std::move(next);
      else
        block.reset();
    } else if (block) {
      if (step.what.outside_transaction)
        problems.push_back(problem_at(step,
                                      fmt::format("{} cannot run inside of a transaction", step.what.command),
                                      "move it out of the BEGIN … COMMIT block"));
      block->block.push_back(std::move(step));
    } else {
      result.push_back(std::move(step));
    }
  }
  if (block)
    problems.push_back(problem_at(*block, "BEGIN without a COMMIT after it", "end the block with COMMIT"));
  std::erase_if(result, [](const Step& step) { return opens(step) && step.block.empty(); });
  return result;
}

/// State that lives in the session only would be gone when a run is resumed between two steps.
void refuse_session_bound(const std::vector<Step>& steps, std::vector<Problem>& problems) {
  if (steps.size() < 2) return;
  for (const Step& step : steps)
    if (!step.what.session_bound.empty())
      problems.push_back(problem_at(
          step,
          fmt::format("{} would not survive between statements that run separately", step.what.session_bound),
          "put what needs it into one BEGIN … COMMIT block, or into a migration of its own"));
}

void number(std::vector<Step>& steps) {
  int ordinal = 0;
  for (Step& step : steps) step.ordinal = ++ordinal;
}

/// Drops the file's own BEGIN and COMMIT where they are its first and last statement and there is no other
/// control between; kdb's transaction takes their place and keeps the options.
void unwrap(MigrationPlan& plan) {
  std::vector<Step>& steps = plan.steps;
  if (steps.size() < 2 || !opens(steps.front()) || steps.back().what.control != TransactionControl::commit)
    return;
  for (size_t i = 1; i + 1 < steps.size(); ++i)
    if (is_control(steps[i])) return;
  plan.begin = steps.front().sql;
  steps.pop_back();
  steps.erase(steps.begin());
}

/// A COMMIT at the very end without a BEGIN ends the transaction that such a tool began, or that its
/// multi-statement query is, and the tool's own COMMIT finds none: kdb's takes the place of both. What the
/// file did is then committed with its row of the history, which the tool wrote later, in a transaction of
/// its own.
void drop_lone_commit(std::vector<Step>& steps) {
  if (steps.empty() || steps.back().what.control != TransactionControl::commit) return;
  for (size_t i = 0; i + 1 < steps.size(); ++i)
    if (is_control(steps[i])) return;
  steps.pop_back();
}

/// The layout's word against a transaction is named only where the file passes with it.
std::string hint_for_control(const std::vector<Step>& steps, const Section& section) {
  std::vector<Problem> left;
  refuse_session_bound(gather_blocks(steps, left), left);
  if (!left.empty() || section.without_transaction.empty())
    return "leave it out: kdb begins a transaction before the file and commits it behind";
  return fmt::format("leave it out, or let the statements run separately with {}",
                     section.without_transaction);
}

void refuse_control(const std::vector<Step>& steps, const Section& section, std::vector<Problem>& problems) {
  const std::string hint = hint_for_control(steps, section);
  for (const Step& step : steps)
    if (is_control(step))
      problems.push_back(problem_at(
          step, fmt::format("{} inside of a file that runs in one transaction of kdb's", step.what.command),
          hint));
}

}  // namespace

MigrationPlan plan_migration(const Migration& migration, Direction direction,
                             std::vector<Problem>& problems) {
  return plan_migration(migration, direction, problems, problems);
}

MigrationPlan plan_migration(const Migration& migration, Direction direction, std::vector<Problem>& malformed,
                             std::vector<Problem>& refused) {
  MigrationPlan plan;
  plan.migration = migration;
  plan.direction = direction;
  const std::optional<Section>& section = direction == Direction::up ? migration.up : migration.down;
  if (!section) {
    malformed.push_back(
        {.message = fmt::format("migration {} {} has no {} section", migration.file.version.text,
                                migration.file.name, direction == Direction::up ? "up" : "down"),
         .where = {.file = migration.file.path},
         .hint = direction == Direction::up ? "" : "write a new migration that undoes it"});
    return plan;
  }
  plan.options = section->options;
  plan.steps = statements_of(*section, malformed);
  for (const Step& step : plan.steps) plan.own_lock_timeout |= step.what.sets_lock_timeout;

  const bool says_no = section->options.transaction == false;
  const bool had_begin = !plan.steps.empty() && opens(plan.steps.front());
  if (!says_no) unwrap(plan);
  if (section->tool_takes_lone_commit) drop_lone_commit(plan.steps);
  const bool unwrapped = had_begin && (plan.steps.empty() || !opens(plan.steps.front()));
  bool controls = false;
  for (const Step& step : plan.steps) controls |= is_control(step);

  if (says_no || (controls && section->tool_adds_no_transaction)) {
    plan.one_transaction = false;
    plan.mode_reason = says_no ? "the file wants no transaction" : "the file has transactions of its own";
    plan.steps = gather_blocks(std::move(plan.steps), refused);
  } else if (controls) {
    refuse_control(plan.steps, *section, refused);
  } else {
    for (const Step& step : plan.steps) {
      if (!step.what.outside_transaction) continue;
      if (unwrapped || section->options.transaction == true) {
        refused.push_back(
            problem_at(step, fmt::format("{} cannot run inside of a transaction", step.what.command),
                       unwrapped ? "take the file's BEGIN and COMMIT out"
                                 : "give it a migration of its own, which does not ask for a transaction"));
      } else if (plan.one_transaction) {
        plan.one_transaction = false;
        plan.mode_reason =
            fmt::format("line {}: {} cannot run in a transaction", step.where.line, step.what.command);
      }
    }
  }
  if (!plan.one_transaction) refuse_session_bound(plan.steps, refused);
  number(plan.steps);
  return plan;
}

std::optional<MigrationPlan> as_separate_steps(const MigrationPlan& plan, std::string reason) {
  if (!plan.one_transaction || plan.begin != "BEGIN" || plan.options.transaction == true) return std::nullopt;
  std::vector<Problem> problems;
  refuse_session_bound(plan.steps, problems);
  if (!problems.empty()) return std::nullopt;
  MigrationPlan result = plan;
  result.one_transaction = false;
  result.mode_reason = std::move(reason);
  return result;
}

}  // namespace kdb
