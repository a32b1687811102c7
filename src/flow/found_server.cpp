#include "flow/found_server.hpp"

#include <algorithm>
#include <cstdlib>
#include <map>
#include <utility>

#include <fmt/format.h>

#include "core/setting_changes.hpp"
#include "core/standby_settings.hpp"
#include "host/control_data.hpp"
#include "pg/estimates.hpp"

namespace kdb::flow {

FoundServer find_server(const Context& context, const TuneOptions& options) {
  Session session = open_session(context);
  AskedServer asked = ask_server(context, session, options);
  auto local = find_local_server(session, asked);
  return {std::move(session), std::move(asked), std::move(local)};
}

SettingDiff FoundServer::difference(const std::vector<SettingLine>& lines, std::vector<Problem>* refused) {
  return difference_of(session, asked, lines, refused);
}

bool waits_for_restart(const SettingDiff& diff) {
  return std::any_of(diff.waiting.begin(), diff.waiting.end(),
                     [](const SettingDifference& one) { return one.restart; });
}

bool waits_for_reload(const SettingDiff& diff) {
  return std::any_of(diff.waiting.begin(), diff.waiting.end(),
                     [](const SettingDifference& one) { return !one.restart; });
}

std::vector<Problem> broken_lines(const SettingDiff& diff) {
  std::vector<Problem> problems;
  for (const Finding& finding : diff.findings)
    if (finding.level == Finding::Level::error) problems.push_back(finding.problem);
  return problems;
}

namespace {

void refuse_all(std::vector<Problem> problems, Exit exit = Exit::refused) {
  if (!problems.empty()) throw Error(exit, std::move(problems));
}

void refuse_unknown(const Tuned& tuned, const SettingDiff& diff) {
  std::vector<Problem> problems;
  for (const Finding& finding : tuned.findings)
    if (finding.level == Finding::Level::error) problems.push_back(finding.problem);
  for (const Finding& finding : diff.findings)
    if (finding.rule == "hidden-setting") problems.push_back(finding.problem);
  refuse_all(std::move(problems));
}

/// What the chosen way cannot change: the command line, a server that forbids it, and for a file what
/// postgresql.auto.conf says.
void refuse_obstacles(const FoundServer& found, const SettingDiff& diff, SettingsMethod method) {
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
  refuse_all(std::move(problems));
}

/// What would lead kdb away from a server that it is to look at after its restart.
void refuse_lost_way(const SettingDiff& diff) {
  std::vector<Problem> problems;
  for (const SettingDifference& one : diff.differences)
    for (const char* name : {"port", "listen_addresses", "unix_socket_directories"})
      if (one.name == name)
        problems.push_back(
            {.message = fmt::format("{} = {} (now {}): kdb could not tell behind a restart whether "
                                    "the server runs",
                                    one.name, one.desired, one.live),
             .where = {},
             .hint = "without --restart-command it is written, and waits for yours"});
  refuse_all(std::move(problems));
}

/// What has to be done on other servers first.
void refuse_disorder(const FoundServer& found, const std::vector<SettingLine>& lines, const SettingDiff& diff,
                     bool standbys_follow) {
  if (!found.session.facts.in_recovery) {
    if (standbys_follow) return;
    return refuse_all(primary_problems(diff.differences, found.asked.lookup(),
                                       pg::count_replicas(*found.session.connection)));
  }
  std::map<std::string, std::int64_t> primary;
  if (found.local) primary = host::read_primary_settings(found.local->pg_bin, found.local->data);
  if (primary.empty())  // it follows its primary now, so that has no more than this
    for (const SettingLine& line : lines)
      if (is_followed_by_standbys(line.name))
        primary[line.name] = std::strtoll(found.asked.value(line.name).c_str(), nullptr, 10);
  refuse_all(standby_problems(lines, found.asked.lookup(), primary));
}

}  // namespace

void refuse_unfit(const FoundServer& found, const Tuned& tuned, const SettingDiff& diff,
                  const TuneApplyOptions& options) {
  if (!found.asked.same_major)
    throw Error(Exit::usage,
                fmt::format("--pg is not what the server is: PostgreSQL {}", found.session.facts.version));
  refuse_all(broken_lines(diff), Exit::failed);
  refuse_unknown(tuned, diff);
  refuse_obstacles(found, diff, options.method);
  if (!options.restart_command.empty()) refuse_lost_way(diff);
  refuse_disorder(found, tuned.lines, diff, options.standbys_follow);
}

}  // namespace kdb::flow
