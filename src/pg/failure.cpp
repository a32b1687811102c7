#include "pg/failure.hpp"

#include <algorithm>

#include <fmt/format.h>

#include "base/retry.hpp"
#include "base/sql.hpp"
#include "base/text.hpp"

namespace kdb::pg {

namespace {

/// Version tables of other runners: migrations written for those sometimes touch them.
constexpr std::string_view foreign_tables[] = {"__diesel_schema_migrations",
                                               "_prisma_migrations",
                                               "_sqlx_migrations",
                                               "alembic_version",
                                               "databasechangelog",
                                               "django_migrations",
                                               "flyway_schema_history",
                                               "goose_db_version",
                                               "knex_migrations",
                                               "schema_migrations"};

/// Where in its file the error of a step lies.
Source place(const Step& step, const ServerError& error) {
  Source where = step.where;
  // What fails at the end was sent by kdb: its position is none of the file's.
  if (error.line <= 0 || error.phase == Phase::committing || !step.block.empty()) return where;
  where.column =
      error.line > 1 || where.column == 0 ? error.column : where.column + std::max(error.column, 1) - 1;
  where.line += error.line - 1;
  return where;
}

/// The version table of another runner that a statement looked for in vain; empty for every other error.
std::string_view missing_foreign_table(const ServerError& error) {
  if (error.sqlstate != "42P01") return {};
  for (const std::string_view table : foreign_tables)
    if (error.message.find(table) != std::string::npos) return table;
  return {};
}

}  // namespace

std::string title(const MigrationPlan& plan) {
  if (plan.object) return plan.object->name;
  const MigrationFile& file = plan.migration.file;
  return file.version.text.empty() ? file.name : file.version.text + " " + file.name;
}

std::string subject(const MigrationPlan& plan) {
  return plan.object ? plan.object->name : "migration " + title(plan);
}

Source beginning(const MigrationPlan& plan) {
  const std::optional<Section>& section =
      plan.direction == Direction::up ? plan.migration.up : plan.migration.down;
  if (!section) return {.file = plan.migration.file.path};
  return {.file = section->file, .line = section->line, .column = 1};
}

bool needs_own_transaction(const ServerError& error) {
  return error.sqlstate == "25001" || error.sqlstate == "2D000" || error.sqlstate == "55P04";
}

std::string describe(const ServerError& error) {
  return error.sqlstate.empty() ? error.message : fmt::format("{} ({})", error.message, error.sqlstate);
}

std::string details_of(const ServerError& error, const std::string& blockers) {
  std::string details;
  const auto add = [&](std::string_view label, std::string_view text) {
    if (!text.empty()) details += fmt::format("{}{}: {}", details.empty() ? "" : "\n", label, text);
  };
  add("detail", error.detail);
  add("server's hint", error.hint);
  for (const std::string_view line : split(blockers, '\n')) add("blocked by", line);
  return details;
}

void refuse_changed_steps(const MigrationPlan& plan, const std::vector<JournalRow>& journal) {
  for (const JournalRow& row : journal) {
    const auto index = static_cast<size_t>(row.ordinal - 1);
    const Step* step = index < plan.steps.size() ? &plan.steps[index] : nullptr;
    if (row.state == "failed" || (step != nullptr && sql::equal_tokens(row.sql, step->sql))) continue;
    throw Error(
        Exit::history,
        Problem{.message = fmt::format("statement {} of migration {} was begun with other contents",
                                       row.ordinal, title(plan)),
                .where = step != nullptr ? step->where : beginning(plan),
                .hint = "bring back the statements that are done, and change only what comes after them",
                .details = fmt::format("ran: {}", row.sql)});
  }
}

Error insists_on_one_transaction(const MigrationPlan& plan) {
  return {Exit::history,
          Problem{.message = fmt::format(
                      "migration {} is half done, but the file now insists on one transaction", title(plan)),
                  .where = beginning(plan),
                  .hint = "bring back the file as it was when it was begun"}};
}

Error ended_transaction(const MigrationPlan& plan, const Step& step) {
  return {Exit::failed,
          Problem{.message = fmt::format(
                      "migration {}: this statement ended the transaction that kdb runs the file in; "
                      "what came before it is committed, and not recorded",
                      title(plan)),
                  .where = step.where,
                  .hint = "look at what is there, take it back or out of the file, and run again",
                  .details = step.sql}};
}

Error undecided(const MigrationPlan& plan, const Step& step, const JournalRow& row) {
  const std::string began = row.started_at.empty() ? "" : fmt::format("began at {} UTC and ", row.started_at);
  return {
      Exit::history,
      Problem{
          .message = fmt::format("nobody can tell whether statement {} of migration {} took effect: it {}{}",
                                 step.ordinal, title(plan), began,
                                 row.state == "failed" ? "failed, perhaps after it committed a part"
                                                       : "was never heard of again"),
          .where = step.where,
          .hint = fmt::format("look at the data, then `kdb migrate repair {0} --statement {1} --done` or "
                              "`kdb migrate repair {0} --statement {1} --again`",
                              plan.migration.file.version.text, step.ordinal),
          .details = step.sql}};
}

Error failed(const MigrationPlan& plan, const Step& step, const ServerError& error,
             const std::string& blockers) {
  Problem problem;
  problem.where = place(step, error);
  problem.details = details_of(error, blockers);
  if (is_lock_lost(error)) {
    problem.message = fmt::format("{} gave up the lock that keeps other deployers out", subject(plan));
    problem.details.clear();
    problem.hint = "take DISCARD ALL, pg_advisory_unlock_all() and the like out of the file";
    return {Exit::failed, std::move(problem)};
  }
  problem.message = fmt::format(
      "{} failed: {}", subject(plan),
      is_unrecorded(error) ? "what it did to kdb's own tables kept kdb from recording it" : describe(error));
  if (error.sqlstate == "53100") {
    problem.hint = "make room on the server's disk, and run again: what came before is done and recorded";
  } else if (plan.object) {
    problem.hint = "what came before is done and recorded; run again once the way is free";
  } else if (plan.one_transaction) {
    problem.hint = "nothing of it was applied; mend it and run again";
  } else if (step.ordinal > 1) {
    problem.hint = fmt::format("{} of its {} statements are done and recorded; mend this one and run again",
                               step.ordinal - 1, plan.steps.size());
  } else {
    problem.hint = "mend the statement and run again";
  }
  if (const std::string_view table = missing_foreign_table(error); !table.empty())
    problem.hint = fmt::format(
        "{} is the version table of another runner, which kdb does not make: create an empty one "
        "first, or leave the statement out",
        table);
  const bool lock =
      classify_error(Phase::in_transaction, error.sqlstate, false, error.message) == RetryClass::lock;
  if (lock) problem.hint = "run again when the way is free, or allow longer waits with --lock-timeout";
  return {lock ? Exit::lock : Exit::failed, std::move(problem)};
}

}  // namespace kdb::pg
