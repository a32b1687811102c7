#include "pg/settings.hpp"

#include <utility>

#include <fmt/format.h>

#include "base/text.hpp"
#include "kinds/row.hpp"
#include "kinds/session_settings.hpp"
#include "model/known_settings.hpp"

namespace kdb::pg {

namespace {

/// Why no role can have it, where sessions cannot set it (PG docs 54.24, context); empty where they can.
std::string_view why_not(const SettingFacts& setting) {
  if (setting.context == "internal") return "nobody can set it";
  if (setting.context == "postmaster") return "it is the whole server's, from its start on";
  if (setting.context == "sighup") return "it is the whole server's";
  if (setting.context.ends_with("backend")) return "only who connects can set it";
  if (setting.name.starts_with("transaction_") && setting.type.vartype != "integer")
    return "it is a transaction's; a session's has default_ in front";
  return {};
}

std::string problem_of(const ServerSettings& known, std::string_view whose, const std::string& name,
                       const std::string& value) {
  const ServerSetting* setting = known.find(name);
  if (setting == nullptr) return known.may_exist(name) ? "" : "is no setting of this server";
  if (const std::string_view why = why_not(setting->facts); !why.empty())
    return fmt::format("cannot be a {}'s: {}", whose, why);
  return is_reset(value) ? "" : setting_problem(setting->facts.type, value);
}

std::string hint_of(const ServerSettings& known, const std::string& name) {
  if (known.find(name) != nullptr) return {};
  if (const std::string_view now = renamed_setting(name); !now.empty())
    return fmt::format("it is called {} now", now);
  const auto meant = known.suggestion(name);
  return meant ? fmt::format("did you mean \"{}\"?", *meant) : "";
}

}  // namespace

ServerSettings::ServerSettings(Connection& connection) : connection_(connection) {
  const Result rows = connection.exec(
      "SELECT name, context, vartype, coalesce(unit, ''), coalesce(min_val, '0'), coalesce(max_val, '0'), "
      "enumvals, coalesce(boot_val, ''), coalesce(reset_val, ''), source, pending_restart "
      "FROM pg_catalog.pg_settings");
  for (size_t row = 0; row < rows.size(); ++row) {
    ServerSetting one{.facts = {.name = rows.text(row, 0),
                                .context = rows.text(row, 1),
                                .type = {.vartype = rows.text(row, 2),
                                         .unit = rows.text(row, 3),
                                         .least = std::stod(rows.text(row, 4)),
                                         .most = std::stod(rows.text(row, 5)),
                                         .choices = {}},
                                .standard = rows.text(row, 7)},
                      .value = rows.text(row, 8),
                      .source = rows.text(row, 9),
                      .pending_restart = rows.boolean(row, 10)};
    if (!rows.is_null(row, 6)) one.facts.type.choices = read_array(rows.text(row, 6));
    by_name_.emplace(to_lower(one.facts.name), std::move(one));
  }
}

const ServerSetting* ServerSettings::find(std::string_view name) const {
  const auto found = by_name_.find(to_lower(name));
  return found == by_name_.end() ? nullptr : &found->second;
}

bool ServerSettings::may_exist(std::string_view name) const {
  const size_t dot = name.find('.');
  if (dot != std::string_view::npos) {
    // Whoever loads a library with this prefix knows all of its settings.
    const std::string prefix = to_lower(name.substr(0, dot + 1));
    const auto first = by_name_.lower_bound(prefix);
    if (first == by_name_.end() || !first->first.starts_with(prefix)) return true;
  }
  try {
    connection_.exec("SELECT pg_catalog.current_setting($1, true)", {std::string(name)});
    return false;  // NULL, or the value of one that has another name now
  } catch (const ServerError& error) {
    constexpr std::string_view insufficient_privilege = "42501";
    if (error.sqlstate != insufficient_privilege) throw;
    return true;
  }
}

std::vector<std::string_view> ServerSettings::names() const {
  std::vector<std::string_view> names;
  names.reserve(by_name_.size());
  for (const auto& [folded, setting] : by_name_) names.push_back(setting.facts.name);
  return names;
}

std::optional<std::string_view> ServerSettings::suggestion(std::string_view name) const {
  return did_you_mean(name, names());
}

ServerFiles read_server_files(Connection& connection) {
  ServerFiles files;
  const Result right = connection.exec(
      "SELECT pg_catalog.has_function_privilege('pg_catalog.pg_show_all_file_settings()', 'EXECUTE') "
      "AND pg_catalog.has_table_privilege('pg_catalog.pg_file_settings', 'SELECT')");
  if (right.boolean(0, 0)) {
    const Result rows = connection.exec(
        "SELECT coalesce(name, ''), coalesce(setting, ''), concat_ws(':', sourcefile, sourceline), "
        "coalesce(error, '') FROM pg_catalog.pg_file_settings ORDER BY seqno");
    files.lines.emplace();
    for (size_t row = 0; row < rows.size(); ++row)
      files.lines->push_back({rows.text(row, 0), rows.text(row, 1), rows.text(row, 2), rows.text(row, 3)});
  }
  const Result rows = connection.exec(
      "SELECT c.config, coalesce(r.rolname, ''), coalesce(d.datname, '') FROM pg_catalog.pg_db_role_setting "
      "s "
      "CROSS JOIN unnest(s.setconfig) AS c(config) LEFT JOIN pg_catalog.pg_roles r ON r.oid = s.setrole "
      "LEFT JOIN pg_catalog.pg_database d ON d.oid = s.setdatabase ORDER BY 1, 2, 3");
  for (size_t row = 0; row < rows.size(); ++row) {
    const std::string config = rows.text(row, 0);
    const size_t equals = config.find('=');
    files.overrides.push_back(
        {config.substr(0, equals), config.substr(equals + 1), rows.text(row, 1), rows.text(row, 2)});
  }
  return files;
}

std::vector<JudgedValue> judge_values(Connection& connection,
                                      const std::vector<std::pair<std::string, std::string>>& values) {
  std::vector<JudgedValue> judged;
  if (values.empty()) return judged;
  connection.exec("BEGIN");
  for (const auto& [name, value] : values) {
    connection.exec("SAVEPOINT kdb_value");
    try {
      const Result row = connection.exec("SELECT pg_catalog.set_config($1, $2, true)", {name, value});
      judged.push_back({.kept = row.text(0, 0), .error = {}});
    } catch (const ServerError& error) {
      if (error.session_ended) throw;
      judged.push_back({.kept = {}, .error = error});
    }
    connection.exec_cleanup("ROLLBACK TO kdb_value");
  }
  connection.exec_cleanup("ROLLBACK");
  return judged;
}

namespace {

/// Completes one set of settings of an object.
template <class T>
void complete(const ServerSettings& known, Declared<T>& object, const std::string& field, Options& settings,
              std::vector<Problem>& problems) {
  Options here;
  for (const auto& [written, value] : settings) {
    const std::string path = fmt::format("{}.{}", field, written);
    const ServerSetting* setting = known.find(written);
    const std::string& name = setting != nullptr ? setting->facts.name : written;
    here[name] = value;
    if (setting != nullptr) object.value.types[name] = setting->facts.type;
    object.fields.emplace(fmt::format("{}.{}", field, name), object.where_of(path));
    const std::string problem = problem_of(known, T::word, name, value);
    if (problem.empty()) continue;
    problems.push_back({.message = fmt::format("[{}.{}] {} {}", T::section, object.key, path, problem),
                        .where = object.where_of(path),
                        .hint = hint_of(known, name)});
    object.undecided = true;
  }
  settings = std::move(here);
}

}  // namespace

std::vector<Problem> complete_settings(Connection& connection, DesiredSchema& desired) {
  std::vector<Problem> problems;
  if (desired.of<Role>().empty() && desired.of<DatabaseSettings>().empty()) return problems;
  const ServerSettings known(connection);
  for (Declared<Role>& role : desired.of<Role>()) {
    complete(known, role, "settings", role.value.settings, problems);
    complete(known, role, "in_database", role.value.in_database, problems);
  }
  for (Declared<DatabaseSettings>& database : desired.of<DatabaseSettings>())
    complete(known, database, "settings", database.value.settings, problems);
  return problems;
}

}  // namespace kdb::pg
