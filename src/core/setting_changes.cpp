#include "core/setting_changes.hpp"

#include <string_view>
#include <utility>

#include <fmt/format.h>
#include <fmt/ranges.h>

#include "base/setting_value.hpp"

namespace kdb {

namespace {

constexpr std::string_view server_word = "server";

/// Why ALTER SYSTEM does not bring it about; empty where it does.
std::string obstacle_of(const SettingDifference& one, bool may_alter) {
  if (!one.obstacle.empty()) return one.obstacle;
  if (!may_alter) return "the server refuses ALTER SYSTEM (allow_alter_system = off)";
  return std::string(alter_system_problem(one.name, one.desired));
}

std::string hint_of(const SettingDifference& one) {
  if (!one.obstacle.empty())
    return "it is set where the server is started: in its unit, its container or its operator (Patroni)";
  return "`kdb tune apply --method conf.d` writes a file of the server's instead";
}

Change reload(const std::string& reason) {
  return {.action = Action::alter,
          .kind = std::string(server_word),
          .object = "configuration",
          .table = {},
          .where = {},
          .reason = reason,
          .fields = {},
          .fingerprint = {},
          .provisional = false,
          .estimate = {},
          .steps = {{.sql = "SELECT pg_catalog.pg_reload_conf()",
                     .purpose = "the server reads its files again, without a pause",
                     .lock = {},
                     .hazards = {}}}};
}

}  // namespace

Differences setting_changes(const SettingDiff& diff, const ServerFacts& facts, const SettingPlace& place,
                            bool may_alter) {
  DesiredSchema desired;
  LiveSchema live;
  std::vector<Problem> problems;
  for (const SettingDifference& one : diff.differences) {
    const Source where = place(one.name);
    if (const std::string obstacle = obstacle_of(one, may_alter); !obstacle.empty()) {
      problems.push_back({.message = fmt::format("setting {} = {}: {}", one.name, one.desired, obstacle),
                          .where = where,
                          .hint = hint_of(one)});
      continue;
    }
    const ObjectName name{"", one.name};
    desired.of<Setting>().push_back({.key = one.name,
                                     .value = {.name = name, .value = one.desired},
                                     .where = where,
                                     .fields = {{"value", where}}});
    live.of<Setting>().push_back(
        {.value = {.name = name, .value = one.coming}, .facts = {.needs_restart = one.restart}});
  }
  Differences found = kdb::diff(desired, live, facts, {});
  found.problems.insert(found.problems.end(), problems.begin(), problems.end());
  sort_by_position(found.problems);
  std::vector<std::string_view> unread;
  for (const SettingDifference& one : diff.waiting)
    if (!one.restart) unread.push_back(one.name);
  if (!found.changes.empty())
    found.changes.push_back(reload("for what is changed above"));
  else if (!unread.empty())
    found.changes.push_back(
        reload(fmt::format("has not read yet what its files say of {}", fmt::join(unread, ", "))));
  return found;
}

bool is_reload(const Change& change) { return change.kind == server_word; }

bool is_of_server(const Change& change) { return is_reload(change) || change.kind == Setting::word; }

Table waiting_table(const std::vector<SettingDifference>& waiting) {
  Table table{.key = "waiting",
              .columns = {{.key = "setting", .title = "waits for a restart"},
                          {.key = "live", .title = "server"},
                          {.key = "desired", .title = "in its files"}}};
  for (const SettingDifference& one : waiting)
    if (one.restart) table.rows.push_back({one.name, one.live, one.desired});
  return table;
}

}  // namespace kdb
