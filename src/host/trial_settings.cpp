#include "host/trial_settings.hpp"

#include <algorithm>
#include <array>

#include <fmt/format.h>

#include "base/text.hpp"
#include "model/known_settings.hpp"

namespace kdb::host {
namespace {

struct Forced {
  const char* name;
  const char* value;
};

// Everything in the table of known settings that runs a command, writes or removes a file, connects or opens
// a port, and what would keep kdb itself out. A trial that archived has put its first segment into the
// archive of the live server.
//
// Not here: background jobs of extensions (TimescaleDB's, pg_cron's), which stand in catalogs, and those of a
// fresh cluster have none; replication slots and subscriptions for the same reason; recovery, which needs a
// signal file. What a preloaded library does of its own accord when it is loaded cannot be known.
constexpr std::array forced{
    // run commands or code in a server that has work to do
    Forced{"archive_mode", "off"},
    Forced{"archive_command", ""},
    Forced{"archive_library", ""},
    Forced{"archive_cleanup_command", ""},
    Forced{"recovery_end_command", ""},
    Forced{"restore_command", ""},
    Forced{"ssl_passphrase_command", ""},
    Forced{"autovacuum", "off"},
    // connect, or open a port, or announce it
    Forced{"primary_conninfo", ""},
    Forced{"primary_slot_name", ""},
    Forced{"synchronous_standby_names", ""},  // a commit would wait for them
    Forced{"listen_addresses", ""},
    Forced{"bonjour", "off"},
    // write, remove or watch files
    Forced{"promote_trigger_file", ""},  // removed when it is found
    Forced{"external_pid_file", ""},
    Forced{"stats_temp_directory", "pg_stat_tmp"},  // a server that starts empties it, be it another's
    Forced{"logging_collector", "off"},
    Forced{"log_destination", "stderr"},
    Forced{"log_directory", "log"},
    Forced{"jit_profiling_support", "off"},  // LLVM writes to ~/.debug/jit
    Forced{"default_tablespace", ""},
    Forced{"temp_tablespaces", ""},
    // nothing that the folder's file system must have, which is not that of the other server's data
    Forced{"debug_io_direct", ""},
    Forced{"fsync", "off"},
    // let kdb in, in no time
    Forced{"unix_socket_group", ""},
    Forced{"unix_socket_permissions", "0700"},
    Forced{"db_user_namespace", "off"},
    Forced{"pre_auth_delay", "0"},
    Forced{"post_auth_delay", "0"},
    // the log is read for the reason of a failure
    Forced{"log_line_prefix", ""},
    Forced{"log_min_messages", "warning"},
    Forced{"log_error_verbosity", "default"},
    Forced{"lc_messages", "C"},
};

// Where another server's files are: not even `postgres -C` may see them, for data_directory leads it there.
// Those of the trial are where they are by default. The server refuses some of them in a file, too, but has
// them from its command line on Debian.
constexpr std::array<std::string_view, 4> places{"data_directory", "config_file", "hba_file", "ident_file"};

constexpr std::array<std::string_view, 7> read_files{
    "ssl_cert_file", "ssl_key_file",       "ssl_ca_file",       "ssl_crl_file",
    "ssl_crl_dir",   "ssl_dh_params_file", "krb_server_keyfile"};

template <class Names>
bool names_one(const Names& names, std::string_view name) {
  return std::any_of(names.begin(), names.end(),
                     [&](std::string_view one) { return equals_ignore_case(one, name); });
}

// guc-file.l: letters, bytes above 127, digits, underscore, dollar; and dots between the parts.
bool is_name(std::string_view name) {
  const auto is_part = [](char c) {
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || is_digit(c) || c == '_' || c == '$' ||
           c == '.' || static_cast<unsigned char>(c) > 127;
  };
  return !name.empty() && std::all_of(name.begin(), name.end(), is_part);
}

// `FILE:/etc/krb5.keytab` is no relative name.
std::string absolute_in(const std::string& data, const std::string& file) {
  const bool is_relative = !file.empty() && file[0] != '/' && file.find(':') == std::string::npos;
  return is_relative ? fmt::format("{}/{}", data, file) : file;
}

bool begins_with_one(std::string_view line, const std::vector<std::string_view>& words) {
  return std::any_of(words.begin(), words.end(), [&](std::string_view word) {
    return line.starts_with(word) && line.substr(word.size()).starts_with(":  ");
  });
}

// ` in file "/tmp/…/kdb.conf" line 3` is of no use to anybody.
std::string without_place(std::string_view line) {
  const std::size_t begin = line.find(" in file \"");
  const std::size_t end = begin == std::string_view::npos ? begin : line.find("\" line ", begin);
  if (end == std::string_view::npos) return std::string(line);
  const std::size_t rest = line.find_first_not_of("0123456789", end + 7);
  return fmt::format("{}{}", line.substr(0, begin),
                     rest == std::string_view::npos ? std::string_view() : line.substr(rest));
}

}  // namespace

std::optional<Problem> trial_name_problem(const Settings& settings) {
  for (const auto& [name, value] : settings)
    if (!is_name(name) || to_lower(name).starts_with("include"))
      return Problem{.message = fmt::format("\"{}\" is not the name of a setting", printable_line(name))};
  return std::nullopt;
}

Settings declared_for_trial(const TrialStart& trial) {
  Settings result;
  for (const auto& [name, value] : trial.settings) {
    if (names_one(places, name)) continue;
    result.emplace_back(name, names_one(read_files, name) ? absolute_in(trial.data, value) : value);
  }
  // By default they are in the data directory, which is another one here.
  for (const char* name : {"ssl_cert_file", "ssl_key_file"})
    if (const SettingFacts* facts = find_known_setting(trial.major, name);
        facts != nullptr && !setting_of(result, name))
      result.emplace_back(name, absolute_in(trial.data, facts->standard));
  return result;
}

Settings forced_in_trial(int major) {
  Settings result;
  for (const Forced& one : forced)
    if (find_known_setting(major, one.name) != nullptr) result.emplace_back(one.name, one.value);
  return result;
}

// The command line goes before every file.
const std::vector<std::string>& legible_log() {
  static const std::vector<std::string> arguments{"-c", "log_line_prefix=",
                                                  "-c", "log_min_messages=warning",
                                                  "-c", "log_error_verbosity=default",
                                                  "-c", "log_destination=stderr",
                                                  "-c", "lc_messages=C"};
  return arguments;
}

std::vector<std::string> ssl_files(const TrialStart& trial) {
  std::vector<std::string> result;
  for (const auto& [name, value] : declared_for_trial(trial))
    if (name.starts_with("ssl_") && names_one(read_files, name) && !value.empty()) result.push_back(value);
  return result;
}

std::optional<std::string> setting_of(const Settings& settings, std::string_view name) {
  for (const auto& [one, value] : settings)
    if (equals_ignore_case(one, name)) return value;
  return std::nullopt;
}

std::string telling_lines(std::string_view log, bool with_log_lines) {
  std::vector<std::string_view> tellers{"FATAL", "PANIC", "ERROR"};
  if (with_log_lines) tellers.emplace_back("LOG");
  std::string result;
  bool tells = false;
  for (const std::string_view line : split(log, '\n')) {
    if (line.empty()) continue;
    const bool goes_on = line[0] == '\t' || begins_with_one(line, {"DETAIL", "HINT", "CONTEXT"});
    if (!goes_on) tells = begins_with_one(line, tellers);
    if (!tells) continue;
    // Said behind the lines that say what is wrong with it.
    if (line.starts_with("FATAL:  configuration file ") && !result.empty()) continue;
    result += without_place(line) + '\n';
  }
  if (result.empty()) result = log;
  return std::string(trim(result));
}

}  // namespace kdb::host
