#include "core/standby_settings.hpp"

#include <algorithm>
#include <array>
#include <optional>
#include <string_view>

#include <fmt/format.h>

#include "core/to_report.hpp"

namespace kdb {

namespace {

constexpr std::array<std::string_view, 5> followed = {"max_connections", "max_locks_per_transaction",
                                                      "max_prepared_transactions", "max_wal_senders",
                                                      "max_worker_processes"};

std::optional<double> number_of(const std::string& value, const ServerSettingLookup& live,
                                const std::string& name) {
  const ServerSetting* setting = live(name);
  return setting == nullptr ? std::nullopt : setting_number(value, setting->facts.type);
}

}  // namespace

bool is_followed_by_standbys(const std::string& name) {
  return std::find(followed.begin(), followed.end(), name) != followed.end();
}

std::vector<Problem> primary_problems(const std::vector<SettingDifference>& differences,
                                      const ServerSettingLookup& live, std::int64_t standbys) {
  std::vector<Problem> problems;
  if (standbys == 0) return problems;
  for (const SettingDifference& one : differences) {
    if (!is_followed_by_standbys(one.name)) continue;
    const auto now = number_of(one.live, live, one.name);
    const auto then = number_of(one.desired, live, one.name);
    if (!now || !then || *then <= *now) continue;
    problems.push_back(
        {.message =
             fmt::format("{} = {} (now {}): {} must have that much first, or {} when this server starts "
                         "again",
                         one.name, one.desired, one.live,
                         standbys == 1 ? "its standby" : fmt::format("its {} standbys", standbys),
                         standbys == 1 ? "stops" : "they stop"),
         .where = {},
         .hint = "`kdb tune apply` on each of them and restart it, then here with --standbys-follow"});
  }
  return problems;
}

std::vector<Problem> standby_problems(const std::vector<SettingLine>& lines, const ServerSettingLookup& live,
                                      const std::map<std::string, std::int64_t>& primary) {
  std::vector<Problem> problems;
  for (const SettingLine& line : lines) {
    const auto least = primary.find(line.name);
    const auto wanted = number_of(line.value, live, line.name);
    if (least == primary.end() || !wanted || *wanted >= static_cast<double>(least->second)) continue;
    problems.push_back(
        {.message = fmt::format("{} = {}: the primary has {}, and a standby that has less does "
                                "not start or stops replaying",
                                line.name, line.value, least->second),
         .where = {},
         .hint = "lower it on the primary first, and restart that"});
  }
  return problems;
}

}  // namespace kdb
