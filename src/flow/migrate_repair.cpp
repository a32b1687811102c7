#include <fmt/format.h>

#include "base/text.hpp"
#include "core/to_report.hpp"
#include "files/migrations.hpp"
#include "flow/locked_history.hpp"
#include "flow/migrate.hpp"
#include "flow/picture.hpp"

namespace kdb::flow {

namespace {

using State = MigrationStatus::State;

Report simple_report(std::string command, const Session& session, std::string summary) {
  Report report{.command = std::move(command)};
  report.fields = {{.key = "target", .label = "", .value = session.facts.target}};
  report.summary = std::move(summary);
  return report;
}

std::string accept_sql(const Context& context, const Session& session, const Picture& picture,
                       const MigrationStatus& row, std::int64_t run) {
  if (!row.file || !row.applied)
    throw Error(Exit::usage, fmt::format("migration {} has no file and no history row to bring together",
                                         title(row.version, row.name)));
  if (row.state == State::partial)
    throw Error(Exit::refused,
                fmt::format("migration {} was interrupted in its middle: no file is what was applied",
                            title(row.version, row.name)),
                "`kdb migrate up` goes on with it, once its finished statements are in the file as they ran");
  const MigrationPlan plan{.migration =
                               files::read_migration(context.profile.migrations.source, picture.folder.layout,
                                                     picture.folder.files[*row.file])};
  return session.store.accept_sql(run, plan);
}

std::string statement_sql(const Session& session, const MigrationStatus& row, const RepairOptions& options) {
  const std::string key = history_key(row.kind, row.version, row.name);
  const std::vector<pg::JournalRow> journal = session.store.journal(*session.connection, key);
  for (const pg::JournalRow& step : journal) {
    if (step.ordinal != *options.statement) continue;
    if (step.state == "done")
      throw Error(Exit::refused, fmt::format("statement {} of migration {} is recorded as done already",
                                             step.ordinal, title(row.version, row.name)));
    return session.store.decide_step_sql(key, step.ordinal, options.done);
  }
  throw Error(Exit::usage,
              fmt::format("statement {} of migration {} was never begun", *options.statement,
                          title(row.version, row.name)),
              "`kdb migrate up` says which statement it cannot decide");
}

}  // namespace

Report baseline(const Context& context, const std::string& version) {
  View view = open_and_look(context);
  Session& session = view.session;
  LockedHistory locked(context, session);
  const Picture picture = look(context, session, std::move(view.picture.folder));
  const MigrationStatus& row = find_version(picture, version);
  for (const AppliedMigration& applied : picture.history.migrations) {
    if (applied.kind == MigrationKind::baseline && applied.version == row.version)
      return simple_report("migrate baseline", session,
                           fmt::format("nothing to do: the baseline is {}", row.version.text));
    if (applied.kind != MigrationKind::repeatable)
      throw Error(
          Exit::refused,
          fmt::format("the history is not empty: {} is applied", title(applied.version, applied.name)),
          "a baseline only declares what a database had before kdb; `kdb migrate status` shows its history");
  }
  locked.write(session.store.baseline_sql(locked.run(), row.version), "baseline",
               "B:" + row.version.key_text(), "baseline " + row.version.text);
  return simple_report("migrate baseline", session,
                       fmt::format("baseline {}: migrations up to it count as applied", row.version.text));
}

Report repair(const Context& context, const RepairOptions& options) {
  View view = open_and_look(context);
  Session& session = view.session;
  LockedHistory locked(context, session);
  const Picture picture = look(context, session, std::move(view.picture.folder));
  const MigrationStatus row = find_version(picture, options.version);
  const std::string key = history_key(row.kind, row.version, row.name);
  const std::string name = title(row.version, row.name);
  if (options.statement) {
    locked.write(statement_sql(session, row, options), "repaired", key,
                 fmt::format("statement {}: {}", *options.statement, options.done ? "done" : "again"));
    return simple_report("migrate repair", session,
                         fmt::format("statement {} of {} {}; `kdb migrate up` goes on", *options.statement,
                                     name, options.done ? "counts as done" : "will run again"));
  }
  if (options.accept) {
    locked.write(accept_sql(context, session, picture, row, locked.run()), "repaired", key,
                 "accepted the file");
    return simple_report("migrate repair", session,
                         fmt::format("{}: the file as it is now counts as applied", name));
  }
  if (!row.applied) throw Error(Exit::usage, fmt::format("migration {} is not in the history", name));
  if (row.file)
    throw Error(Exit::refused,
                fmt::format("migration {} has its file: forgetting it would apply it again", name),
                "move the file away first, if that is meant");
  if (row.state == State::baseline)
    throw Error(Exit::refused, fmt::format("{} is the baseline: what it covers would be applied", name));
  locked.write(session.store.forget_sql(key), "repaired", key, "forgotten");
  return simple_report(
      "migrate repair", session,
      fmt::format("{} is no longer in the history{}", name,
                  row.state == State::partial ? "; what it did before it was interrupted stays" : ""));
}

}  // namespace kdb::flow
