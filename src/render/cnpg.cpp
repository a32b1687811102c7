#include <algorithm>
#include <set>

#include <fmt/format.h>

#include "base/text.hpp"
#include "render/formats.hpp"
#include "render/setting_lines.hpp"
#include "render/yaml.hpp"

namespace kdb::render {

namespace {

constexpr std::string_view libraries_setting = "shared_preload_libraries";

/// FixedConfigurationParameters of cloudnative-pg's pkg/postgres/configuration.go, but for the libraries (as
/// of its b122f63).
bool is_fixed(std::string_view name) {
  static const std::set<std::string_view> fixed = {"allow_system_table_mods",
                                                   "archive_cleanup_command",
                                                   "archive_command",
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
                                                   "ident_file",
                                                   "jit_provider",
                                                   "listen_addresses",
                                                   "log_destination",
                                                   "log_directory",
                                                   "log_file_mode",
                                                   "log_filename",
                                                   "log_rotation_age",
                                                   "log_rotation_size",
                                                   "log_truncate_on_rotation",
                                                   "logging_collector",
                                                   "pg_failover_slots.primary_dsn",
                                                   "pg_failover_slots.standby_slot_names",
                                                   "port",
                                                   "primary_conninfo",
                                                   "primary_slot_name",
                                                   "promote_trigger_file",
                                                   "recovery_end_command",
                                                   "recovery_min_apply_delay",
                                                   "recovery_target",
                                                   "recovery_target_action",
                                                   "recovery_target_inclusive",
                                                   "recovery_target_lsn",
                                                   "recovery_target_name",
                                                   "recovery_target_time",
                                                   "recovery_target_timeline",
                                                   "recovery_target_xid",
                                                   "restart_after_crash",
                                                   "restore_command",
                                                   "ssl",
                                                   "ssl_ca_file",
                                                   "ssl_cert_file",
                                                   "ssl_crl_file",
                                                   "ssl_dh_params_file",
                                                   "ssl_ecdh_curve",
                                                   "ssl_key_file",
                                                   "ssl_passphrase_command",
                                                   "ssl_passphrase_command_supports_reload",
                                                   "ssl_prefer_server_ciphers",
                                                   "stats_temp_directory",
                                                   "synchronized_standby_slots",
                                                   "synchronous_standby_names",
                                                   "syslog_facility",
                                                   "syslog_ident",
                                                   "syslog_sequence_numbers",
                                                   "syslog_split_messages",
                                                   "temp_tablespaces",
                                                   "unix_socket_directories",
                                                   "unix_socket_group",
                                                   "unix_socket_permissions"};
  return fixed.count(name) > 0;
}

/// The operator doubles quotes, and leaves backslashes for the server to read (escapePostgresConfValue).
std::string operator_value(std::string_view value) {
  std::string text;
  for (const char c : value) text += c == '\\' ? "\\\\" : std::string(1, c);
  return text;
}

/// A name of the list as the operator joins it with others: in the server's quotes where it needs them.
std::string library_item(const std::string& name) {
  const bool bare = !name.empty() && name.find_first_of(" \t,\"") == std::string::npos;
  return "- " + yaml_string(operator_value(bare ? name : quote_ident(name)));
}

std::string library_list(const SettingLine& line) {
  const auto names = setting_list(line.name, line.value);
  if (!names) return {};
  std::string text;
  for (const std::string& name : *names)
    if (!name.empty() || names->size() > 1) text += "\n  " + library_item(name);
  return text;
}

YamlEntry library_entry(const SettingLine& line) {
  if (!setting_list(line.name, line.value)) return {.lines = "", .left_out = "it is no list of names"};
  const std::string list = library_list(line);
  return {.lines = fmt::format("{}:{}", libraries_setting, list.empty() ? " []" : list), .left_out = ""};
}

YamlEntry parameter_entry(const SettingLine& line) {
  const std::string name = to_lower(line.name);
  if (is_fixed(name)) return {.lines = "", .left_out = "the operator sees to it, and refuses it here"};
  if (name == "allow_alter_system")
    return {.lines = "", .left_out = "the operator sets it by spec.postgresql.enableAlterSystem"};
  return {.lines = fmt::format("{}: {}", yaml_key(line.name), yaml_string(operator_value(line.value))),
          .left_out = ""};
}

}  // namespace

std::string render_cnpg(const Report& report, const Style&) {
  std::vector<SettingLine> parameters;
  std::vector<SettingLine> libraries;
  for (const SettingLine& line : report.settings.value_or(std::vector<SettingLine>{}))
    (equals_ignore_case(line.name, libraries_setting) ? libraries : parameters).push_back(line);
  for (SettingLine& line : libraries) line.group.clear();
  std::string text = yaml_head(report, "A part of a Cluster of CloudNativePG");
  text += yaml_comment(0, "\nkubectl patch cluster NAME --type merge --patch-file FILE");
  text += "apiVersion: postgresql.cnpg.io/v1\nkind: Cluster\nspec:\n  postgresql:\n";
  if (!libraries.empty()) text += yaml_entries(libraries, 4, library_entry).text + "\n";
  return text + yaml_settings(parameters, 4, "parameters", "{}", parameter_entry) + yaml_foot(report);
}

}  // namespace kdb::render
