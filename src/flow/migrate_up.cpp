#include <algorithm>
#include <map>
#include <set>

#include <fmt/format.h>

#include "base/text.hpp"
#include "core/hazards.hpp"
#include "core/plan_report.hpp"
#include "core/to_report.hpp"
#include "flow/at_stake.hpp"
#include "flow/deployment.hpp"
#include "flow/locked_history.hpp"
#include "flow/migrate.hpp"
#include "flow/picture.hpp"
#include "flow/unfinished.hpp"

namespace kdb::flow {

namespace {

using State = MigrationStatus::State;

/// Throws what forbids to go on: changed, missing, out-of-order and half-undone migrations, all of them.
void refuse_inconsistent(const Picture& picture, const UpOptions& options) {
  std::vector<Problem> problems =
      history_problems(picture.rows, picture.folder, picture.history, options.allow_out_of_order);
  problems.insert(problems.begin(), picture.changed.begin(), picture.changed.end());
  if (!problems.empty()) throw Error(Exit::history, std::move(problems));
}

/// An older release is deployed again: what the newer one applied stays, and nothing runs.
std::optional<Problem> older_release(const Picture& picture) {
  std::string names;
  for (const MigrationStatus& row : picture.rows)
    if (row.state == State::ahead) names += (names.empty() ? "" : ", ") + title(row.version, row.name);
  if (names.empty()) return std::nullopt;
  return Problem{.message = fmt::format("the database is ahead of {}: {}", picture.folder.path, names),
                 .hint = "this looks like an older release; nothing is undone"};
}

UpSelection selection_of(const Picture& picture, const UpOptions& options) {
  UpSelection selection{.steps = options.steps, .out_of_order = options.allow_out_of_order};
  if (options.to) selection.to = find_version(picture, *options.to).version;
  return selection;
}

struct Selected {
  std::vector<MigrationPlan> plans;
  bool at_stake = false;  // the hazards meet something
};

/// The plans of all that is selected, hazards noted; refused where the profile says so.
Selected plan_selected(const Context& context, const View& view, const std::vector<MigrationStatus>& rows,
                       const UpOptions& options) {
  Selected planned{.plans = plan_rows(context, view.picture, rows, Direction::up)};
  planned.at_stake = note_hazards_now(view.session, planned.plans);
  if (planned.at_stake && context.profile.migrations.refuse_hazards)
    refuse_hazards(planned.plans, options.allow);
  return planned;
}

bool is_known(const Picture& picture, const Change& change) {
  return std::any_of(picture.rows.begin(), picture.rows.end(), [&](const MigrationStatus& row) {
    return title(row.version, row.name) == change.object;
  });
}

bool was_shown(const std::vector<Change>& shown, const Change& now) {
  return std::any_of(shown.begin(), shown.end(), [&](const Change& one) {
    return one.object == now.object && one.fingerprint == now.fingerprint && one.reason == now.reason;
  });
}

/// The answer was about what was shown, and the folder may have changed since.
void refuse_unseen(const Picture& picture, const std::vector<Change>& shown,
                   const std::vector<MigrationPlan>& plans) {
  std::vector<Problem> problems;
  for (const Change& one : shown)
    if (!is_known(picture, one))
      problems.push_back({.message = fmt::format("migration {} is gone since it was shown", one.object),
                          .where = one.where});
  for (const MigrationPlan& plan : plans)
    if (const Change now = to_change(plan, false); !was_shown(shown, now))
      problems.push_back(
          {.message = fmt::format("migration {} is not what was shown", now.object), .where = now.where});
  if (problems.empty()) return;
  problems.back().hint = "the folder changed meanwhile; look at it and run again";
  throw Error(Exit::refused, std::move(problems));
}

Report base_report(const Picture& picture, const Session& session) {
  Report report{.command = "migrate up"};
  report.fields = {{.key = "target", .label = "", .value = session.facts.target}};
  for (const std::string& warning : picture.folder.warnings) report.warnings.push_back({.message = warning});
  return report;
}

std::string nothing_to_do(const Picture& picture) {
  size_t applied = 0;
  const MigrationStatus* newest = nullptr;
  for (const MigrationStatus& row : picture.rows) {
    applied += row.applied ? 1U : 0U;
    if (row.applied && row.kind != MigrationKind::repeatable) newest = &row;
  }
  if (newest == nullptr) return "nothing to do: no migrations";
  return fmt::format("nothing to do: {} applied, the newest is {}", count(applied, "migration"),
                     title(newest->version, newest->name));
}

void add_applied(Report& report, const std::vector<Ran>& ran) {
  Table table{.key = "applied", .columns = {{.key = "version"}, {.key = "name"}, {.key = "milliseconds"}}};
  std::int64_t total = 0;
  for (const Ran& one : ran) {
    table.rows.push_back({one.version.text, one.name, one.milliseconds});
    total += one.milliseconds;
  }
  report.summary = ran.empty() ? "nothing to do: another deployer was faster"
                               : fmt::format("{} applied in {}", count(ran.size(), "migration"),
                                             human_duration(static_cast<double>(total) / 1000.0));
  report.tables.push_back(std::move(table));
}

/// One line per migration; nobody reads a hundred of them.
void show_hazards(const Context& context, const std::vector<MigrationPlan>& plans) {
  constexpr size_t most_lines = 10;
  size_t lines = 0;
  for (const MigrationPlan& plan : plans) {
    const std::string summary = hazard_summary(plan);
    if (summary.empty() || ++lines > most_lines) continue;
    const MigrationFile& file = plan.migration.file;
    context.events({.kind = Event::Kind::warning,
                    .message = fmt::format("{}: {}", title(file.version, file.name), summary)});
  }
  if (lines > most_lines)
    context.events({.kind = Event::Kind::warning,
                    .message = fmt::format("{} more with hazards; --dry-run shows them all",
                                           count(lines - most_lines, "migration"))});
}

}  // namespace

Report up(const Context& context, const UpOptions& options) {
  View view = open_and_look(context);
  // Also where nothing is pending: a standby may only not have heard of it yet.
  if (!options.dry_run) refuse_standby(view.session.facts.in_recovery, view.session.facts.target);
  const Picture& picture = view.picture;
  Report report = base_report(picture, view.session);
  refuse_inconsistent(picture, options);
  if (std::optional<Problem> older = older_release(picture)) {
    if (options.strict) throw Error(Exit::history, *older);
    report.warnings.push_back(std::move(*older));
    report.summary = nothing_to_do(picture);
    if (!options.allow_out_of_order) return report;
  }
  const std::vector<MigrationStatus> selected = select_up(picture.rows, selection_of(picture, options));
  if (selected.empty()) {
    if (options.shown) refuse_unseen(picture, *options.shown, {});
    add_applied(report, {});
    report.summary = nothing_to_do(picture);
    return report;
  }
  Selected planned = plan_selected(context, view, selected, options);
  std::vector<MigrationPlan>& plans = planned.plans;
  if (options.shown) refuse_unseen(picture, *options.shown, plans);
  if (options.dry_run) {
    for (size_t i = 0; i < plans.size(); ++i)
      if (selected[i].state == State::partial)
        plans[i] = without_finished_steps(view.session, selected[i], std::move(plans[i]));
    report.scripts = to_scripts(plans);
    report.summary = fmt::format("{} would run", count(plans.size(), "migration"));
    return report;
  }

  // Under the lock another deployer's work may be there already: what is left of this selection runs.
  std::map<std::string, const MigrationPlan*> wanted;
  for (size_t i = 0; i < selected.size(); ++i) wanted[key_of(selected[i])] = &plans[i];
  bool shown = false;
  const auto decide = [&](Session& session) {
    const Picture now = look(context, session, picture.folder);
    refuse_inconsistent(now, options);
    std::vector<Work> work;
    for (const MigrationStatus& row : select_up(now.rows, {.out_of_order = options.allow_out_of_order})) {
      const auto found = wanted.find(key_of(row));
      if (found != wanted.end())
        work.push_back({.plan = *found->second, .resume = row.state == State::partial});
    }
    if (!work.empty() && !shown && planned.at_stake) show_hazards(context, plans);
    shown = true;
    return work;
  };
  Deployment deployment(context, decide);
  add_applied(report, deployment.run(std::move(view.session)));
  return report;
}

}  // namespace kdb::flow
