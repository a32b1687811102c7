#include "flow/tune_apply.hpp"

#include <algorithm>
#include <chrono>
#include <utility>
#include <vector>

#include <fmt/format.h>
#include <fmt/ranges.h>

#include "core/setting_changes.hpp"
#include "core/standby_settings.hpp"
#include "core/to_report.hpp"
#include "core/tuning_report.hpp"
#include "flow/asked_server.hpp"
#include "flow/settings_trial.hpp"
#include "flow/settings_writer.hpp"
#include "host/control_data.hpp"
#include "host/process.hpp"
#include "pg/estimates.hpp"
#include "pg/rights.hpp"

namespace kdb::flow {

namespace {

/// A server as it was found.
struct Found {
  Session session;
  AskedServer asked;
  std::optional<LocalServer> local;
};

Found look(const Context& context, const TuneOptions& options) {
  Session session = open_session(context);
  AskedServer asked = ask_server(context, session, options);
  auto local = find_local_server(session, asked);
  return {std::move(session), std::move(asked), std::move(local)};
}

SettingDiff difference(const Found& found, const std::vector<SettingLine>& lines) {
  return diff_settings(lines, found.asked.lookup(), found.asked.files, found.asked.settings.names());
}

bool waits_for(const SettingDiff& diff, bool restart) {
  return std::any_of(diff.waiting.begin(), diff.waiting.end(),
                     [&](const SettingDifference& one) { return one.restart == restart; });
}

/// Each broken line of the server's files.
std::vector<Problem> broken_lines(const SettingDiff& diff) {
  std::vector<Problem> problems;
  for (const Finding& finding : diff.findings)
    if (finding.level == Finding::Level::error) problems.push_back(finding.problem);
  return problems;
}

void refuse(std::vector<Problem> problems, Exit exit = Exit::refused) {
  if (!problems.empty()) throw Error(exit, std::move(problems));
}

void refuse_unknown(const Tuned& tuned, const SettingDiff& diff) {
  std::vector<Problem> problems;
  for (const Finding& finding : tuned.findings)
    if (finding.level == Finding::Level::error) problems.push_back(finding.problem);
  for (const Finding& finding : diff.findings)
    if (finding.rule == "hidden-setting") problems.push_back(finding.problem);
  refuse(std::move(problems));
}

/// What the chosen way cannot change: the command line, a server that forbids it, and for a file what
/// postgresql.auto.conf says.
void refuse_obstacles(const Found& found, const SettingDiff& diff, SettingsMethod method) {
  std::vector<Problem> problems;
  for (const SettingDifference& one : diff.differences) {
    if (!one.obstacle.empty())
      problems.push_back(
          {.message = fmt::format("{} = {} (now {}): {}", one.name, one.desired, one.live, one.obstacle),
           .where = {},
           .hint = "change it where the server is started: its unit, its container, its operator (Patroni)"});
    else if (method == SettingsMethod::conf_d &&
             one.place.find("/postgresql.auto.conf:") != std::string::npos)
      problems.push_back({.message = fmt::format("{} = {}: {} says {}, which wins over every other file",
                                                 one.name, one.desired, one.place, one.coming),
                          .where = {},
                          .hint = fmt::format("ALTER SYSTEM RESET {}, or --method alter-system", one.name)});
  }
  if (method == SettingsMethod::alter_system) {
    const ServerSetting* allows = found.asked.settings.find("allow_alter_system");
    const auto changes = setting_changes(
        diff, {}, [](std::string_view) { return Source{}; }, allows == nullptr || allows->value == "on");
    for (const Problem& problem : changes.problems) problems.push_back(problem);
  }
  refuse(std::move(problems));
}

/// What has to be done on other servers first.
void refuse_disorder(const Found& found, const std::vector<SettingLine>& lines, const SettingDiff& diff,
                     bool standbys_follow) {
  if (!found.session.facts.in_recovery) {
    if (standbys_follow) return;
    return refuse(primary_problems(diff.differences, found.asked.lookup(),
                                   pg::count_replicas(*found.session.connection)));
  }
  std::map<std::string, std::int64_t> primary;
  if (found.local) primary = host::read_primary_settings(found.local->pg_bin, found.local->data);
  if (primary.empty())  // it follows its primary now, so that has no more than this
    for (const SettingLine& line : lines)
      if (is_followed_by_standbys(line.name)) primary[line.name] = std::stoll(found.asked.value(line.name));
  refuse(standby_problems(lines, found.asked.lookup(), primary));
}

/// The road of one `kdb tune apply`.
class Applier {
 public:
  Applier(const Context& context, const TuneApplyOptions& options) : context_(context), options_(options) {}

  Report run() {
    Found found = look(context_, options_.tune);
    if (!found.asked.same_major)
      throw Error(Exit::usage,
                  fmt::format("--pg is not what the server is: PostgreSQL {}", found.session.facts.version));
    const Tuned tuned = tune_or_refuse(found.asked.facts, context_.profile, found.asked.knowledge());
    lines_ = tuned.lines;
    SettingDiff diff = difference(found, lines_);
    refuse(broken_lines(diff), Exit::failed);
    refuse_unknown(tuned, diff);
    refuse_obstacles(found, diff, options_.method);
    refuse_disorder(found, lines_, diff, options_.standbys_follow);
    SettingsWriter writer(context_, found.session, found.asked, found.local, options_.method);
    if (!options_.restart_command.empty() && !writer.can_take_back())
      throw Error(Exit::refused, "--restart-command: kdb could not put back what the server starts with",
                  "run kdb on the server's machine, as its user or root");
    const bool writes = !diff.differences.empty() || !writer.is_as_rendered(found.asked, lines_);
    report_ = to_report(found.asked.facts, diff, lines_.size());
    report_.command = "tune apply";
    report_.fields.insert(report_.fields.begin(),
                          {.key = "target", .label = "target", .value = found.session.facts.target});
    if (writes)
      report_.fields.push_back(
          {.key = "trial_start",
           .label = "trial start",
           .value = try_settings(context_, found.asked, found.local, lines_, writer.file())});
    if (!writes && !waits_for(diff, false)) return end(nothing_to_do(diff), tuned, diff, diff);
    if (options_.method == SettingsMethod::none)
      return end("nothing was changed: " + report_.summary, tuned, diff, diff);
    refuse(pg::missing_setting_rights(*found.session.connection, {}, context_.profile.database.role),
           Exit::failed);
    if (options_.confirm && !options_.confirm(report_))
      throw Error(Exit::refused, "nothing was changed: the answer was no");
    if (writes) write(writer, tuned, found);
    const SettingDiff after = read_by_server(writer);
    report_.fields.push_back({.key = "written", .label = "written", .value = writer.written()});
    if (waits_for(after, true) && !options_.restart_command.empty())
      return restart(writer, found, tuned, diff);
    return end(summary_of(diff, after), tuned, diff, after);
  }

 private:
  void write(SettingsWriter& writer, const Tuned& tuned, const Found& found) {
    Report settings{.command = "tune apply", .fields = {}, .settings = tuned.lines};
    for (const Field& field : tuning_fields(found.asked.facts))
      if (field.key.empty()) settings.fields.push_back(field);
    writer.write(lines_, options_.conf(settings));
  }

  /// Until the server has read its files. What it does not take is taken back.
  SettingDiff read_by_server(SettingsWriter& writer) {
    constexpr int attempts = 50;
    constexpr std::chrono::milliseconds interval(100);
    for (int attempt = 0;; ++attempt) {
      const SettingDiff diff = read_again(context_, [&] {
        const Found now = look(context_, options_.tune);
        if (attempt % 10 == 0) now.session.connection->exec("SELECT pg_catalog.pg_reload_conf()");
        return difference(now, lines_);
      });
      std::vector<Problem> problems = broken_lines(diff);
      for (const SettingDifference& one : diff.differences)
        problems.push_back(
            {.message = fmt::format("{} is still {} and not {}{}", one.name, one.coming, one.desired,
                                    one.place.empty() ? "" : ": " + one.place + " says so")});
      if (problems.empty() && !waits_for(diff, false)) return diff;
      if (problems.empty() && attempt == attempts)
        problems.push_back({.message = "the server has not read its files within 5 s"});
      if (!problems.empty()) give_up(writer, std::move(problems));
      context_.watchdog.sleep(interval);
    }
  }

  [[noreturn]] void give_up(SettingsWriter& writer, std::vector<Problem> problems) {
    if (writer.can_take_back()) {
      writer.take_back();
      open_session(context_).connection->exec("SELECT pg_catalog.pg_reload_conf()");
      problems.back().hint = "the files are as they were before";
    }
    throw Error(Exit::failed, std::move(problems));
  }

  /// Nothing where the server runs again, since then; else why not.
  std::optional<Problem> run_restart_command(std::int64_t started) {
    context_.events({.kind = Event::Kind::info, .message = "restarting: " + options_.restart_command});
    if (const int status = host::run_in_shell(options_.restart_command); status != 0)
      return Problem{.message = fmt::format("the restart command ended with status {}", status)};
    try {
      const Session session = open_session(context_);
      if (pg::read_tuning(*session.connection).started != started) return std::nullopt;
      return Problem{.message = "the restart command ended well, and the server was not restarted"};
    } catch (const Error& error) {
      return error.problems().front();
    }
  }

  Report restart(SettingsWriter& writer, const Found& before, const Tuned& tuned, const SettingDiff& diff) {
    auto problem = run_restart_command(before.asked.server.started);
    if (!problem) {
      const SettingDiff after = difference(look(context_, options_.tune), lines_);
      if (after.differences.empty() && after.waiting.empty())
        return end(summary_of(diff, after) + "; the server was restarted", tuned, diff, after);
      problem =
          Problem{.message = "the server was restarted, and is not as rendered: `kdb tune diff` says where"};
      throw Error(Exit::failed, *problem);
    }
    writer.take_back();
    const auto again = run_restart_command(before.asked.server.started);
    problem->hint = again ? "the files are as before, and the server does not start again: " + again->message
                          : "the files are as before, and the server runs again with them";
    throw Error(Exit::failed, *problem);
  }

  std::string nothing_to_do(const SettingDiff& diff) const {
    std::string text = fmt::format("nothing to do: {} as wanted", count(lines_.size(), "setting"));
    if (!diff.waiting.empty()) text += fmt::format("; {} for a restart", waiting_text(diff));
    return text;
  }

  static std::string waiting_text(const SettingDiff& diff) {
    const auto waiting = std::count_if(diff.waiting.begin(), diff.waiting.end(),
                                       [](const SettingDifference& one) { return one.restart; });
    return waiting == 1 ? "1 waits" : fmt::format("{} wait", waiting);
  }

  static std::string summary_of(const SettingDiff& diff, const SettingDiff& after) {
    std::string text =
        fmt::format("{} written, read by the server and compared", count(diff.differences.size(), "setting"));
    if (waits_for(after, true))
      text += fmt::format("; RESTART_REQUIRED: {} for the server to start again", waiting_text(after));
    return text;
  }

  Report end(const std::string& summary, const Tuned& tuned, const SettingDiff& diff,
             const SettingDiff& after) {
    const bool written = std::any_of(report_.fields.begin(), report_.fields.end(),
                                     [](const Field& field) { return field.key == "written"; });
    SettingDiff shown;
    shown.differences = diff.differences;
    shown.waiting = after.waiting;
    Report ended = to_report(TuningFacts{}, std::move(shown), lines_.size());
    report_.tables = std::move(ended.tables);
    if (written) {
      report_.tables.front().key = "changed";
      report_.tables.front().columns[0].title = "changed";
      report_.tables.front().columns[1].title = "before";
      report_.tables.front().columns[2].title = "now";
      report_.tables.front().columns[4].title = "set before in";
    }
    for (const Finding& finding : tuned.findings)
      if (finding.rule == "setting-from-environment") report_.findings.push_back(finding);
    report_.summary = summary;
    return std::move(report_);
  }

  const Context& context_;
  const TuneApplyOptions& options_;
  std::vector<SettingLine> lines_;
  Report report_;
};

}  // namespace

Report apply_server_settings(const Context& context, const TuneApplyOptions& options) {
  return Applier(context, options).run();
}

}  // namespace kdb::flow
