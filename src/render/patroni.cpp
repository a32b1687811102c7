#include <algorithm>
#include <set>
#include <vector>

#include <fmt/format.h>
#include <fmt/ranges.h>

#include "base/text.hpp"
#include "render/formats.hpp"
#include "render/setting_lines.hpp"
#include "render/yaml.hpp"

namespace kdb::render {

namespace {

/// Of the CMDLINE_OPTIONS of Patroni's postgresql/config.py, which come from its configuration store alone,
/// those that stand on the server's command line: nothing in a file and no ALTER SYSTEM is heard.
bool is_on_command_line(std::string_view name) {
  static const std::set<std::string_view> names = {
      "max_connections", "max_locks_per_transaction", "max_prepared_transactions", "max_replication_slots",
      "max_wal_senders", "max_worker_processes",      "track_commit_timestamp",    "wal_level",
      "wal_log_hints"};
  return names.count(name) > 0;
}

/// Why Patroni does not hear of it here; empty where it does.
std::string_view own_business(std::string_view name) {
  if (name == "listen_addresses" || name == "port")
    return "Patroni takes it from postgresql.listen of its own file";
  if (name == "cluster_name") return "Patroni takes it from scope of its own file";
  if (name == "data_directory") return "Patroni takes it from postgresql.data_dir of its own file";
  if (name == "hot_standby") return "Patroni has it on always";
  return {};
}

YamlEntry dcs_entry(const SettingLine& line) {
  if (const std::string_view why = own_business(to_lower(line.name)); !why.empty())
    return {.lines = "", .left_out = std::string(why)};
  return {.lines = fmt::format("{}: {}", yaml_key(line.name), yaml_string(line.value)), .left_out = ""};
}

}  // namespace

std::string render_patroni(const Report& report, const Style&) {
  const std::vector<SettingLine> settings = report.settings.value_or(std::vector<SettingLine>{});
  std::vector<std::string> passed;
  for (const SettingLine& line : settings)
    if (is_on_command_line(to_lower(line.name))) passed.push_back(line.name);
  std::string text = yaml_head(report, "The server's settings in Patroni's configuration store");
  text += yaml_comment(0, "\npatronictl edit-config --apply FILE");
  if (!passed.empty())
    text += yaml_comment(
        0, fmt::format(
               "\nPatroni passes {} on the server's command line: only this store changes that, and neither "
               "postgresql.conf nor Patroni's own file nor ALTER SYSTEM.",
               fmt::join(passed, ", ")));
  return text + "postgresql:\n" + yaml_settings(settings, 2, "parameters", "{}", dcs_entry) +
         yaml_foot(report);
}

}  // namespace kdb::render
