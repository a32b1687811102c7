#include "pg/settings.hpp"

#include <fmt/format.h>

#include "base/text.hpp"
#include "kinds/row.hpp"

namespace kdb::pg {

namespace {

/// Who sets it for all sessions at once, where no session can have its own (PG docs 54.24, context).
std::string_view whose(std::string_view context) {
  if (context == "internal") return "nobody can set it";
  if (context == "postmaster") return "it is the whole server's, from its start on";
  if (context == "sighup") return "it is the whole server's";
  return {};
}

std::string problem_of(const ServerSettings& known, const std::string& name, const std::string& value) {
  const ServerSetting* setting = known.find(name);
  if (setting == nullptr) return known.may_exist(name) ? "" : "is no setting of this server";
  if (const std::string_view owner = whose(setting->context); !owner.empty())
    return fmt::format("cannot be a role's: {}", owner);
  return value == Role::reset_word ? "" : setting_problem(setting->type, value);
}

std::string hint_of(const ServerSettings& known, const std::string& name) {
  if (known.find(name) != nullptr) return {};
  const auto meant = known.suggestion(name);
  return meant ? fmt::format("did you mean \"{}\"?", *meant) : "";
}

}  // namespace

ServerSettings::ServerSettings(Connection& connection) : connection_(connection) {
  const Result rows = connection.exec(
      "SELECT name, context, vartype, coalesce(unit, ''), coalesce(min_val, '0'), coalesce(max_val, '0'), "
      "enumvals, pg_catalog.pg_has_role('pg_read_all_settings', 'USAGE') FROM pg_catalog.pg_settings");
  for (size_t row = 0; row < rows.size(); ++row) {
    ServerSetting one{.name = rows.text(row, 0),
                      .context = rows.text(row, 1),
                      .type = {.vartype = rows.text(row, 2),
                               .unit = rows.text(row, 3),
                               .least = std::stod(rows.text(row, 4)),
                               .most = std::stod(rows.text(row, 5)),
                               .choices = {}}};
    if (!rows.is_null(row, 6)) one.type.choices = read_array(rows.text(row, 6));
    sees_all_ = rows.boolean(row, 7);
    by_name_.emplace(to_lower(one.name), std::move(one));
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
    return first == by_name_.end() || !first->first.starts_with(prefix);
  }
  if (!sees_all_) return true;
  return !connection_.exec("SELECT pg_catalog.current_setting($1, true)", {std::string(name)}).is_null(0, 0);
}

std::optional<std::string_view> ServerSettings::suggestion(std::string_view name) const {
  std::vector<std::string_view> names;
  names.reserve(by_name_.size());
  for (const auto& [folded, setting] : by_name_) names.push_back(setting.name);
  return did_you_mean(name, names);
}

std::vector<Problem> complete_settings(Connection& connection, DesiredSchema& desired) {
  std::vector<Problem> problems;
  if (desired.of<Role>().empty()) return problems;
  const ServerSettings known(connection);
  for (Declared<Role>& role : desired.of<Role>()) {
    const auto look_at = [&](const std::string& field, const Options& settings) {
      for (const auto& [name, value] : settings) {
        if (const ServerSetting* setting = known.find(name)) role.value.types[name] = setting->type;
        const std::string path = fmt::format("{}.{}", field, name);
        const std::string problem = problem_of(known, name, value);
        if (problem.empty()) continue;
        problems.push_back({.message = fmt::format("[{}.{}] {} {}", Role::section, role.key, path, problem),
                            .where = role.where_of(path),
                            .hint = hint_of(known, name)});
        role.undecided = true;
      }
    };
    look_at("settings", role.value.settings);
    look_at("in_database", role.value.in_database);
  }
  return problems;
}

}  // namespace kdb::pg
