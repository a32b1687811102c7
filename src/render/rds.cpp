#include <algorithm>
#include <set>
#include <utility>

#include <fmt/format.h>
#include <fmt/ranges.h>
#include <nlohmann/json.hpp>

#include "base/text.hpp"
#include "render/formats.hpp"
#include "render/setting_lines.hpp"

namespace kdb::render {

namespace {

using Json = nlohmann::ordered_json;

/// Of ModifyDBParameterGroup. -- Amazon RDS API reference
constexpr size_t most_parameters = 20;

/// What has `IsModifiable: false` in RDS' families of PostgreSQL, as far as somebody may want to set it: what
/// is about the machine, the files and the replication that RDS itself looks after. Anything else that RDS
/// refuses, it refuses with a message.
bool is_rds_own(std::string_view name) {
  static const std::set<std::string_view> names = {"allow_alter_system",
                                                   "allow_system_table_mods",
                                                   "archive_cleanup_command",
                                                   "archive_command",
                                                   "archive_library",
                                                   "archive_mode",
                                                   "bonjour",
                                                   "bonjour_name",
                                                   "cluster_name",
                                                   "config_file",
                                                   "data_directory",
                                                   "data_sync_retry",
                                                   "event_source",
                                                   "external_pid_file",
                                                   "hba_file",
                                                   "hot_standby",
                                                   "huge_pages",
                                                   "ident_file",
                                                   "jit_provider",
                                                   "listen_addresses",
                                                   "log_directory",
                                                   "log_file_mode",
                                                   "log_truncate_on_rotation",
                                                   "logging_collector",
                                                   "port",
                                                   "primary_conninfo",
                                                   "primary_slot_name",
                                                   "recovery_end_command",
                                                   "recovery_min_apply_delay",
                                                   "restart_after_crash",
                                                   "restore_command",
                                                   "ssl_ca_file",
                                                   "ssl_cert_file",
                                                   "ssl_crl_file",
                                                   "ssl_key_file",
                                                   "stats_temp_directory",
                                                   "syslog_facility",
                                                   "syslog_ident",
                                                   "syslog_sequence_numbers",
                                                   "syslog_split_messages",
                                                   "unix_socket_directories",
                                                   "unix_socket_group",
                                                   "unix_socket_permissions",
                                                   "wal_level"};
  return names.count(name) > 0 || name.starts_with("recovery_target");
}

/// Bare, in the setting's own unit; a boolean is a digit, a list of plain names has no spaces.
std::string parameter_value(const SettingLine& line, const std::string& raw) {
  if (line.facts.type.vartype == "bool") return raw == "on" ? "1" : "0";
  const auto names = is_setting_list(line.name) ? setting_list(line.name, raw) : std::nullopt;
  const auto is_plain = [](const std::string& name) {
    return !name.empty() && name.find_first_of(" \t,\"") == std::string::npos && to_lower(name) == name;
  };
  if (names && std::all_of(names->begin(), names->end(), is_plain))
    return fmt::format("{}", fmt::join(*names, ","));
  return raw;
}

std::string why_left_out(const SettingLine& line, const std::optional<std::string>& raw) {
  if (std::string why = why_unwritable(line); !why.empty()) return why;
  if (line.name.starts_with("timescaledb.")) return "RDS has no TimescaleDB";
  const std::string name = to_lower(line.name);
  if (name == "wal_level") return "RDS sets it; rds.logical_replication = 1 makes it logical";
  if (is_rds_own(name)) return "RDS looks after it, and lets nobody change it";
  if (line.facts.type.vartype.empty())
    return "kdb does not know its type, and RDS takes a number only in the setting's own unit";
  if (!raw) return fmt::format("its value is no {} that kdb can read", line.facts.type.vartype);
  return {};
}

Json call_of(Json parameters) {
  Json call;
  call["DBParameterGroupName"] = "REPLACE-WITH-YOUR-PARAMETER-GROUP";
  call["Parameters"] = std::move(parameters);
  return call;
}

}  // namespace

std::string render_rds(const Report& report, const Style&) {
  Json calls = Json::array();
  Json left_out = Json::array();
  Json parameters = Json::array();
  for (const SettingLine& line : report.settings.value_or(std::vector<SettingLine>{})) {
    const auto raw = raw_value(line);
    if (const std::string why = why_left_out(line, raw); !why.empty()) {
      left_out.push_back({{"name", line.name}, {"value", line.value}, {"why", why}});
      continue;
    }
    const bool waits = line.facts.context.empty() || line.facts.needs_restart();
    parameters.push_back({{"ParameterName", line.name},
                          {"ParameterValue", parameter_value(line, *raw)},
                          {"ApplyMethod", waits ? "pending-reboot" : "immediate"}});
    if (parameters.size() == most_parameters)
      calls.push_back(call_of(std::exchange(parameters, Json::array())));
  }
  if (!parameters.empty()) calls.push_back(call_of(std::move(parameters)));
  Json json;
  json["usage"] =
      "name your parameter group, then for each N: aws rds modify-db-parameter-group --cli-input-json "
      "\"$(jq '.calls[N]' FILE)\"";
  json["calls"] = std::move(calls);
  json["left_out"] = std::move(left_out);
  return json.dump(2, ' ', false, Json::error_handler_t::replace) + "\n";
}

}  // namespace kdb::render
