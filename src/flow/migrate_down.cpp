#include <algorithm>
#include <set>

#include <fmt/format.h>

#include "base/text.hpp"
#include "core/hazards.hpp"
#include "core/steps.hpp"
#include "core/to_report.hpp"
#include "files/migrations.hpp"
#include "flow/deployment.hpp"
#include "flow/locked_history.hpp"
#include "flow/migrate.hpp"
#include "flow/picture.hpp"

namespace kdb::flow {

namespace {

using State = MigrationStatus::State;

/// Newest first: what is half undone, then what is applied.
std::vector<MigrationStatus> select_down(const Picture& picture, const DownOptions& options) {
  std::optional<Version> stays;
  if (options.to && *options.to != "0") stays = find_version(picture, *options.to).version;
  size_t limit = options.steps ? static_cast<size_t>(*options.steps) : 1;
  if (options.to) limit = picture.rows.size();
  std::vector<MigrationStatus> selected;
  for (auto row = picture.rows.rbegin(); row != picture.rows.rend() && selected.size() < limit; ++row) {
    if (!row->applied || row->kind != MigrationKind::versioned) continue;
    if (stays && row->version <= *stays) break;
    selected.push_back(*row);
  }
  return selected;
}

/// The down section of the file, or where the file is gone the text that `up` stored.
Migration read_down(const Context& context, const Session& session, const Picture& picture,
                    const MigrationStatus& row) {
  if (row.file)
    return files::read_migration(context.profile.migrations.source, picture.folder.layout,
                                 picture.folder.files[*row.file]);
  Migration migration;
  migration.file = {.version = row.version,
                    .name = row.name,
                    .kind = row.kind,
                    .path = fmt::format("{} (as stored when it was applied)", title(row.version, row.name))};
  const std::optional<StoredMigration> stored = session.store.stored(*session.connection, key_of(row));
  if (stored && stored->down_text) {
    migration.down = Section{.text = *stored->down_text, .file = migration.file.path, .line = 1};
    if (stored->down_options.find("transaction:false") != std::string::npos)
      migration.down->options.transaction = false;
  }
  return migration;
}

std::vector<MigrationPlan> plan_down(const Context& context, const Session& session, const Picture& picture,
                                     const std::vector<MigrationStatus>& rows) {
  std::vector<Problem> problems;
  std::vector<MigrationPlan> plans;
  for (const MigrationStatus& row : rows)
    plans.push_back(plan_migration(read_down(context, session, picture, row), Direction::down, problems));
  if (!problems.empty()) throw Error(Exit::usage, std::move(problems));
  note_hazards(plans);
  return plans;
}

/// A migration whose `up` is half done cannot be undone: nobody wrote a down for a half.
void refuse_partial_up(const Picture& picture, const std::vector<MigrationStatus>& rows) {
  for (const MigrationStatus& row : rows)
    if (row.state == State::partial && picture.history.migrations[*row.applied].direction == Direction::up)
      throw Error(Exit::history,
                  fmt::format("migration {} is applied in part only", title(row.version, row.name)),
                  "finish it with `kdb migrate up` first");
}

}  // namespace

Report down(const Context& context, const DownOptions& options) {
  View view = open_and_look(context);
  const Picture& picture = view.picture;
  Report report{.command = "migrate down"};
  report.fields = {{.key = "target", .label = "target", .value = view.session.facts.target}};
  const std::vector<MigrationStatus> selected = select_down(picture, options);
  refuse_partial_up(picture, selected);
  if (selected.empty()) {
    report.summary = "nothing to undo";
    return report;
  }
  const std::vector<MigrationPlan> plans = plan_down(context, view.session, picture, selected);
  report.scripts = to_scripts(plans);
  report.summary = fmt::format("{} would be undone", count(plans.size(), "migration"));
  if (options.dry_run) return report;
  refuse_standby(view.session.facts.in_recovery, view.session.facts.target);
  if (!options.confirm(report)) throw Error(Exit::refused, "nothing was undone: the answer was no");

  std::set<std::string> left;
  for (const MigrationStatus& row : selected) left.insert(key_of(row));
  const std::string newest = key_of(selected.front());
  bool first = true;
  const auto decide = [&](Session& session) {
    const Picture now = look(context, session, picture.folder);
    // Somebody may have changed what is newest between the question and the lock.
    const std::vector<MigrationStatus> fresh = select_down(now, {});
    if (first && (fresh.empty() || key_of(fresh.front()) != newest))
      throw Error(Exit::refused, "the history changed while this was being decided",
                  "look at it and run again");
    first = false;
    std::vector<Work> work;
    for (const MigrationPlan& plan : plans)
      for (const MigrationStatus& row : now.rows)
        if (row.applied && key_of(row) == history_key(plan.migration.file.kind, plan.migration.file.version,
                                                      plan.migration.file.name))
          work.push_back({.plan = plan, .resume = row.state == State::partial});
    return work;
  };
  Deployment deployment(context, decide);
  const std::vector<Ran> ran = deployment.run(std::move(view.session));
  report.scripts.clear();
  Table table{.key = "undone", .columns = {{.key = "version"}, {.key = "name"}, {.key = "milliseconds"}}};
  for (const Ran& one : ran) table.rows.push_back({one.version.text, one.name, one.milliseconds});
  report.tables = {std::move(table)};
  report.fields.front().label.clear();
  report.summary = fmt::format("{} undone", count(ran.size(), "migration"));
  return report;
}

}  // namespace kdb::flow
