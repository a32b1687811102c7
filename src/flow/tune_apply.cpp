#include "flow/tune_apply.hpp"

#include <algorithm>
#include <chrono>
#include <utility>
#include <vector>

#include <fmt/format.h>
#include <fmt/ranges.h>

#include "core/to_report.hpp"
#include "core/tuning_report.hpp"
#include "flow/found_server.hpp"
#include "flow/settings_writer.hpp"
#include "host/process.hpp"
#include "pg/rights.hpp"

namespace kdb::flow {

namespace {

/// The road of one `kdb tune apply`.
class Applier {
 public:
  Applier(const Context& context, const TuneApplyOptions& options) : context_(context), options_(options) {}

  Report run() {
    FoundServer found = find_server(context_, options_.tune);
    const Tuned tuned = tune_or_refuse(found.asked.facts, context_.profile, found.asked.knowledge());
    lines_ = tuned.lines;
    std::vector<Problem> refused;
    const SettingDiff diff = found.difference(lines_, &refused);
    if (!refused.empty()) throw Error(Exit::refused, std::move(refused));
    refuse_unfit(found, tuned, diff, options_);
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
    if (!writes && waits_for_restart(diff) && !options_.restart_command.empty())
      throw Error(Exit::refused,
                  "--restart-command: what waits for a restart was written before, and kdb could "
                  "not put back what was there then",
                  "restart the server by hand");
    if (!writes && !waits_for_reload(diff)) return end(nothing_to_do(diff), tuned, diff, diff);
    if (options_.method == SettingsMethod::none)
      return end("nothing was changed: " + report_.summary, tuned, diff, diff);
    if (const auto missing =
            pg::missing_setting_rights(*found.session.connection, {}, context_.profile.database.role);
        !missing.empty())
      throw Error(Exit::failed, missing);
    if (options_.confirm && !options_.confirm(report_))
      throw Error(Exit::refused, "nothing was changed: the answer was no");
    if (writes) write(writer, tuned, found);
    report_.fields.push_back({.key = "written", .label = "written", .value = writer.written()});
    const SettingDiff after = read_by_server(writer);
    if (waits_for_restart(after) && !options_.restart_command.empty())
      return restart(writer, found, tuned, diff);
    return end(summary_of(diff, after), tuned, diff, after);
  }

 private:
  void write(SettingsWriter& writer, const Tuned& tuned, const FoundServer& found) {
    Report settings{.command = "tune apply", .fields = {}, .settings = tuned.lines};
    // What changes by itself is no reason for another file.
    for (const Field& field : tuning_fields(found.asked.facts))
      if (field.key.empty() && !field.moves) settings.fields.push_back(field);
    try {
      writer.write(lines_, options_.conf(settings));
    } catch (const Error& error) {
      if (context_.watchdog.interrupted()) throw;
      give_up(writer, error.problems(), error.exit());
    }
  }

  /// Until the server has read its files. What it does not take is taken back.
  SettingDiff read_by_server(SettingsWriter& writer) {
    constexpr int attempts = 50;
    constexpr std::chrono::milliseconds interval(100);
    for (int attempt = 0;; ++attempt) {
      const SettingDiff diff = read_again(context_, [&] {
        FoundServer now = find_server(context_, options_.tune);
        if (attempt % 10 == 0) now.session.connection->exec("SELECT pg_catalog.pg_reload_conf()");
        return now.difference(lines_);
      });
      std::vector<Problem> problems = broken_lines(diff);
      for (const SettingDifference& one : diff.differences)
        problems.push_back(
            {.message = fmt::format("{} is still '{}' and not '{}'{}", one.name, one.coming, one.desired,
                                    one.place.empty() ? "" : ": " + one.place + " says so")});
      if (problems.empty() && !waits_for_reload(diff)) return diff;
      if (problems.empty() && attempt == attempts)
        problems.push_back({.message = "the server has not read its files within 5 s"});
      if (!problems.empty()) give_up(writer, std::move(problems));
      if (context_.watchdog.interrupted())
        throw Error(context_.watchdog.interruption(),
                    fmt::format("interrupted; written and not proved: {}", fmt::join(writer.written(), ", ")),
                    "`kdb tune diff` says how the server stands, and the next apply ends it");
      context_.watchdog.sleep(interval);
    }
  }

  [[noreturn]] void give_up(SettingsWriter& writer, std::vector<Problem> problems, Exit exit = Exit::failed) {
    if (writer.can_take_back()) {
      take_back(writer);
      problems.back().hint +=
          fmt::format("{}the files are as they were before", problems.back().hint.empty() ? "" : "; ");
    }
    throw Error(exit, std::move(problems));
  }

  /// Puts the files back, and has the server read them. Returns when it last started (in µs), if it runs.
  std::optional<std::int64_t> take_back(SettingsWriter& writer) {
    writer.take_back();
    try {
      const Session session = open_session(context_);
      session.connection->exec("SELECT pg_catalog.pg_reload_conf()");
      return pg::read_tuning(*session.connection).started_us;
    } catch (const Error&) {
      context_.watchdog.check();
      return std::nullopt;
    }
  }

  /// Nothing where the server runs again, since then; else why not.
  std::optional<Problem> run_restart_command(std::int64_t started_us) {
    context_.events({.kind = Event::Kind::info, .message = "restarting: " + options_.restart_command});
    const auto pause = [&](std::chrono::milliseconds time) { context_.watchdog.sleep(time); };
    if (const int status = host::run_in_shell(options_.restart_command, pause); status != 0)
      return Problem{.message = fmt::format("the restart command ended with status {}", status)};
    try {
      const Session session = open_session(context_);
      if (pg::read_tuning(*session.connection).started_us != started_us) return std::nullopt;
      return Problem{.message = "the restart command ended well, and the server was not restarted"};
    } catch (const Error& error) {
      context_.watchdog.check();
      return error.problems().front();
    }
  }

  Report restart(SettingsWriter& writer, const FoundServer& before, const Tuned& tuned,
                 const SettingDiff& diff) {
    const std::int64_t started_us = before.asked.server.started_us;
    auto problem = run_restart_command(started_us);
    if (!problem) {
      const SettingDiff after = find_server(context_, options_.tune).difference(lines_);
      if (after.differences.empty() && after.waiting.empty())
        return end(summary_of(diff, after) + "; the server was restarted", tuned, diff, after);
      throw Error(Exit::failed, "the server was restarted with what was written, and is not as rendered",
                  "`kdb tune diff` says where");
    }
    const auto runs_since = take_back(writer);
    if (runs_since == started_us)
      problem->hint = "the server was never stopped, and runs with the files as they were before";
    else if (const auto again = run_restart_command(runs_since.value_or(0)))
      problem->hint = "the files are as before, and the server does not run again: " + again->message;
    else
      problem->hint = "the files are as before, and the server runs again with them";
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
    if (waits_for_restart(after))
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
