#include "flow/apply.hpp"

#include <algorithm>
#include <map>
#include <optional>
#include <set>
#include <utility>

#include <fmt/format.h>

#include "base/statement.hpp"
#include "core/change_plan.hpp"
#include "core/hazards.hpp"
#include "core/plan_report.hpp"
#include "core/saved_plan.hpp"
#include "core/setting_changes.hpp"
#include "core/to_report.hpp"
#include "flow/asked_server.hpp"
#include "flow/deployment.hpp"
#include "flow/disk_space.hpp"
#include "flow/locked_history.hpp"
#include "flow/migrate.hpp"
#include "flow/settings_trial.hpp"
#include "pg/failure.hpp"
#include "pg/obstacles.hpp"
#include "pg/rights.hpp"
#include "pg/trial_run.hpp"

namespace kdb::flow {

namespace {

void refuse_problems(const Differences& found) {
  if (!found.problems.empty()) throw Error(Exit::failed, found.problems);
}

/// Everything that is not as declared after all was done.
void refuse_rest(const Differences& found, const ApplyOptions& options) {
  std::vector<Problem> problems = found.problems;
  for (const Change& change : found.changes) {
    if (options.saved && !has_object_of(*options.saved, change)) continue;
    problems.push_back(
        {.message = fmt::format("{} {} is still not as declared: {}", change.kind, change.object,
                                change.reason.empty() && !change.fields.empty()
                                    ? change.fields.front().field + " differs"
                                    : change.reason),
         .where = change.where,
         .hint = "another session may have changed it meanwhile: run `kdb plan` again"});
  }
  problems.insert(problems.end(), found.undecided.begin(), found.undecided.end());
  if (!problems.empty()) throw Error(Exit::failed, std::move(problems));
}

/// What is left beside a saved plan, which says nothing of it; empty where nothing is.
std::string said_of_others(const ApplyOptions& options, const std::vector<Change>& changes) {
  const auto others =
      options.saved
          ? std::count_if(changes.begin(), changes.end(),
                          [&](const Change& change) { return !has_object_of(*options.saved, change); })
          : 0;
  if (others == 0) return {};
  return fmt::format("{} that the plan does not name {}: see `kdb plan`",
                     count(static_cast<size_t>(others), "change"), others == 1 ? "is left" : "are left");
}

/// Of what would run, what the saved plan has; all of it without one.
std::vector<Change> wanted(const ApplyOptions& options, std::vector<Change> changes) {
  return options.saved ? keep_planned(*options.saved, std::move(changes)) : changes;
}

/// The settings of roles, or of databases, that are to be changed.
pg::SessionSettings session_settings_of(const std::vector<Change>& changes, std::string_view kind) {
  pg::SessionSettings settings;
  for (const Change& change : changes) {
    if (change.kind != kind) continue;
    for (const FieldChange& field : change.fields)
      settings[parse_name(change.object, "").name].insert(field.field.substr(field.field.find('.') + 1));
  }
  return settings;
}

/// Each right that is missing for what will be changed: before anything is, not in its middle.
void refuse_missing_rights(const Context& context, Session& session, const std::vector<Change>& changes) {
  const std::string& schema = context.profile.database.schema;
  std::map<std::string, bool> tables;  // and whether something is made there
  for (const Change& change : changes)
    // A statistics object may be in another schema than its table.
    if (!change.table.empty())
      tables[change.table] |=
          change.action != Action::alter && change.action != Action::drop && change.kind != Statistics::word;
  // What is built for an index, or renamed, may be of partitions that have owners and schemas of their own.
  for (const Change& change : changes)
    for (const ChangeStep& step : change.steps)
      if (change.kind == Index::word && !step.lock.relation.empty())
        tables[step.lock.relation] |= change.action != Action::drop && change.action != Action::alter;
  std::vector<pg::Use> uses;
  for (const auto& [table, creates] : tables) uses.push_back({parse_name(table, schema), creates});
  std::vector<Problem> problems =
      pg::missing_rights(*session.connection, uses, context.profile.database.role, schema);
  const auto add = [&](std::vector<Problem> missing) {
    problems.insert(problems.end(), missing.begin(), missing.end());
  };
  pg::Connection& connection = *session.connection;
  const std::string& role = context.profile.database.role;
  if (std::any_of(changes.begin(), changes.end(), is_of_server)) {
    std::set<std::string> settings;
    for (const Change& change : changes)
      if (change.kind == Setting::word) settings.insert(change.object);
    add(pg::missing_setting_rights(connection, settings, role));
  }
  add(pg::missing_role_rights(connection, session_settings_of(changes, Role::word), role));
  add(pg::missing_database_rights(connection, session_settings_of(changes, DatabaseSettings::word), role));
  if (!problems.empty()) throw Error(Exit::failed, std::move(problems));
}

/// Values of settings that only the server can judge, a time zone or a locale: all that it refuses, and
/// before anything else is done.
void refuse_refused_settings(const Context& context, Session& session, const std::vector<Change>& changes) {
  std::vector<std::string> statements;
  std::vector<const Change*> whose;
  for (const Change& change : changes) {
    if (change.kind != Role::word && change.kind != DatabaseSettings::word) continue;
    for (const ChangeStep& step : change.steps) {
      statements.push_back(step.sql);
      whose.push_back(&change);
    }
  }
  const auto errors = pg::try_and_undo(*session.connection, statements, context.profile.database.role);
  std::vector<Problem> problems;
  for (size_t at = 0; at < errors.size(); ++at)
    if (errors[at])
      problems.push_back(
          {.message = fmt::format("{} {}: {}", whose[at]->kind, whose[at]->object, pg::describe(*errors[at])),
           .where = whose[at]->where,
           .hint = errors[at]->hint,
           .details = statements[at]});
  if (!problems.empty()) throw Error(Exit::failed, std::move(problems));
}

/// What a throwaway server says of the settings that are to be changed; throws where it does not start.
std::vector<std::string> try_changed_settings(const Context& context, const std::vector<Change>& changes) {
  std::vector<SettingLine> lines;
  for (const Change& change : changes)
    if (change.kind == Setting::word) {
      SettingLine& line = lines.emplace_back();
      line.name = change.object;
      line.value = change.fields.front().desired;
    }
  if (lines.empty()) return {};
  return read_again(context, [&] {
    Session session = open_session(context);
    const AskedServer asked = ask_server(context, session, {});
    return try_settings(context, asked, find_local_server(session, asked), lines, "");
  });
}

/// Builds wait for old snapshots too, whatever these read.
bool builds_concurrently(const sql::Classified& what) {
  return what.patient && (what.recovery == sql::Recovery::create_index || what.command == "REINDEX");
}

/// The lock for whose holders the step waits. CONCURRENTLY takes SHARE UPDATE EXCLUSIVE, and then waits for
/// those who write (a build) or use the index (a drop).
LockMode waited_for(const ChangeStep& step, const sql::Classified& what) {
  if (what.recovery == sql::Recovery::drop_index) return LockMode::access_exclusive;
  return builds_concurrently(what) ? LockMode::share : step.lock.mode;
}

/// Says what the profile's changes will have to wait for, before anybody is asked. A help and never a
/// condition: the role may not be allowed to look.
void tell_obstacles(const Context& context, const std::vector<Change>& changes) {
  constexpr std::chrono::milliseconds long_transaction(3'000);  // where waiting has no limit
  const std::string& schema = context.profile.database.schema;
  std::set<pg::Intent> intents;
  bool builds = false;
  for (const Change& change : changes)
    for (const ChangeStep& step : change.steps) {
      if (step.lock.mode == LockMode::none || change.table.empty()) continue;
      const sql::Classified what = sql::classify(step.sql);
      intents.insert({parse_name(change.table, schema), waited_for(step, what)});
      builds = builds || builds_concurrently(what);
    }
  if (intents.empty()) return;
  const auto limit = context.profile.connection.lock_timeout;
  try {
    const std::vector<Event> obstacles = read_again(context, [&] {
      const Session session = open_session(context);
      return pg::read_obstacles(*session.connection, intents, builds,
                                limit.count() > 0 ? limit : long_transaction, schema);
    });
    for (const Event& obstacle : obstacles) context.events(obstacle);
  } catch (const pg::ServerError& error) {
    context.events({.kind = Event::Kind::debug, .message = error.message});
  }
}

bool makes_extension(const std::vector<Change>& changes) {
  return std::any_of(changes.begin(), changes.end(), [](const Change& change) {
    return change.kind == Extension::word && change.action == Action::create;
  });
}

/// Changes the objects, each until it is done; the catalog says what is left after a lost connection.
/// `shown`: what somebody has agreed to, if that is all.
std::vector<Ran> change_objects(const Context& context, const ApplyOptions& options,
                                std::optional<SavedPlan> shown) {
  const DiffOptions diff_options{.prune = options.plan.prune};
  const auto decide = [&](Session& session) {
    const Differences found = compare(context, session, options.plan, diff_options).objects;
    refuse_problems(found);
    std::vector<Change> changes = wanted(options, found.changes);
    // Before anything of it is done, what differs is another session's doing.
    if (const auto plan = std::exchange(shown, std::nullopt))
      changes = keep_planned(*plan, std::move(changes));
    refuse_hazards(changes, options.allow);
    refuse_missing_rights(context, session, changes);
    refuse_refused_settings(context, session, changes);
    std::vector<Work> work;
    for (const Change& change : changes) {
      // They come first. What stands on a new one can be compared, and its edition is known, when it is
      // there.
      const bool is_extension = change.kind == Extension::word;
      if (!is_extension && makes_extension(changes)) {
        work.back().decide_again = true;
        break;
      }
      work.push_back({.plan = to_plan(change), .resume = false});
    }
    return work;
  };
  return Deployment(context, decide).run(open_session(context));
}

/// What is left, when the server has read its files: it does so when it comes to it, and says nothing.
Compared compare_when_read(const Context& context, const PlanOptions& options) {
  constexpr int attempts = 50;
  constexpr std::chrono::milliseconds interval(100);
  for (int attempt = 1;; ++attempt) {
    Compared left = read_again(context, [&] {
      Session session = open_session(context);
      return compare(context, session, options, {.prune = options.prune});
    });
    const auto& changes = left.objects.changes;
    if (attempt == attempts || std::none_of(changes.begin(), changes.end(), is_reload)) return left;
    context.watchdog.sleep(interval);
  }
}

void add_ran(Report& report, const std::vector<Ran>& ran) {
  Table table{.key = "changed", .columns = {{.key = "object"}, {.key = "milliseconds"}}};
  for (const Ran& one : ran) table.rows.push_back({one.name, one.milliseconds});
  report.tables.push_back(std::move(table));
}

}  // namespace

Report apply(const Context& context, const ApplyOptions& options) {
  if (options.saved) refuse_sandbox_plan(options.saved->origin);
  Planned planned = plan(context, options.plan);
  refuse_standby(planned.standby, planned.target);
  if (options.saved) {
    refuse_other_origin(options.saved->origin, planned.origin);
    if (options.plan.migrations) refuse_missing_migrations(*options.saved, planned.known);
  }
  refuse_problems(planned.objects);
  planned.migrations = wanted(options, std::move(planned.migrations));
  const std::string others = said_of_others(options, planned.objects.changes);
  planned.objects.changes = wanted(options, std::move(planned.objects.changes));
  refuse_hazards(planned.objects.changes, options.allow);
  Report report = to_report(planned, "apply");
  if (planned.migrations.empty() && planned.objects.changes.empty()) {
    report.summary = others.empty() ? "nothing to do" : "nothing of the plan is to be done; " + others;
    return report;
  }
  refuse_full_disk(context, planned.objects.changes, options.allow);
  if (auto said = try_changed_settings(context, planned.objects.changes); !said.empty())
    report.fields.push_back({.key = "trial_start", .label = "trial start", .value = std::move(said)});
  tell_obstacles(context, planned.objects.changes);
  if (!options.confirm(report)) throw Error(Exit::refused, "nothing was changed: the answer was no");

  report.changes.reset();
  for (Field& field : report.fields) field.label.clear();
  std::vector<Ran> ran;
  std::string rest = "the database is as declared";
  if (!planned.migrations.empty()) up(context, {.allow = options.allow, .shown = planned.migrations});
  if (options.plan.profile || options.plan.settings) {
    // Behind migrations nobody could say before what exactly is left to do.
    std::optional<SavedPlan> shown;
    if (planned.migrations.empty())
      shown = SavedPlan{.origin = planned.origin, .changes = planned.objects.changes};
    ran = change_objects(context, options, std::move(shown));
    const Compared left = compare_when_read(context, options.plan);
    refuse_rest(left.objects, options);
    if (std::string said = said_of_others(options, left.objects.changes); !said.empty())
      rest = std::move(said);
    report.tables = {to_table(left.objects.undeclared), waiting_table(left.waiting)};
  }
  add_ran(report, ran);
  report.summary = fmt::format(
      "{}; {}",
      fmt::format(
          "{}{}{}",
          planned.migrations.empty() ? "" : count(planned.migrations.size(), "migration") + " applied",
          planned.migrations.empty() || ran.empty() ? "" : ", ",
          ran.empty() ? "" : count(ran.size(), "object") + " changed"),
      rest);
  return report;
}

}  // namespace kdb::flow
