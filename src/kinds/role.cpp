#include "kinds/role.hpp"

#include <algorithm>

#include <fmt/format.h>

#include "base/text.hpp"
#include "kinds/declared.hpp"
#include "kinds/difference.hpp"

namespace kdb {

namespace {

/// `work_mem`, `timescaledb.max_background_workers`: identifiers with dots in between, which is what the
/// server asks of a name. -- valid_custom_variable_name() of guc.c
bool is_setting_name(std::string_view name) {
  const auto begins = [](char c) {
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c == '_' ||
           static_cast<unsigned char>(c) >= 0x80;
  };
  const std::vector<std::string_view> parts = split(name, '.');
  return std::all_of(parts.begin(), parts.end(), [&](std::string_view part) {
    return !part.empty() && begins(part.front()) && std::all_of(part.begin(), part.end(), [&](char c) {
      return begins(c) || is_digit(c) || c == '$';
    });
  });
}

bool has_nul(std::string_view text) { return text.find('\0') != std::string_view::npos; }

/// What is wrong with a role's name; empty where nothing is.
std::string_view name_problem(const std::string& name) {
  if (name.empty()) return "belong to a role without a name";
  if (has_nul(name)) return "belong to a role with a NUL byte in its name";
  if (name.starts_with("pg_")) return "belong to one of the server's own roles, which nobody alters";
  if (name == "public" || name == "none") return "belong to no role: this is a word of SQL";
  return {};
}

void compare(std::string_view field, const Options& desired, const Options& live,
             const std::map<std::string, SettingType>& types, std::vector<FieldChange>& changes) {
  for (const auto& [name, value] : desired) {
    const std::string* now = live.find(name);
    const auto type = types.find(name);
    const bool same =
        is_reset(value)
            ? now == nullptr
            : now != nullptr &&
                  same_setting(name, type == types.end() ? SettingType{} : type->second, *now, value);
    if (!same) changes.push_back({fmt::format("{}.{}", field, name), now == nullptr ? "" : *now, value});
  }
}

}  // namespace

bool is_reset(std::string_view value) { return equals_ignore_case(value, Role::reset_word); }

std::string Role::catalog_query(const ServerFacts& facts) {
  if (!facts.with_roles) return {};
  return R"(
SELECT r.rolname AS name, s.setconfig AS settings, here.setconfig AS in_database
FROM pg_catalog.pg_roles r
LEFT JOIN pg_catalog.pg_db_role_setting s ON s.setrole = r.oid AND s.setdatabase = 0
LEFT JOIN pg_catalog.pg_db_role_setting here ON here.setrole = r.oid AND here.setdatabase = (
  SELECT d.oid FROM pg_catalog.pg_database d WHERE d.datname = pg_catalog.current_database())
ORDER BY r.rolname)";
}

Role Role::read(const Row& row) {
  return {.name = {"", row.text("name")},
          .settings = row.options("settings"),
          .in_database = row.options("in_database"),
          .types = {}};
}

std::vector<std::pair<std::string, std::string>> check(const Role& role) {
  std::vector<std::pair<std::string, std::string>> problems;
  if (const std::string_view problem = name_problem(role.name.name); !problem.empty())
    problems.emplace_back("settings", problem);
  const auto look_at = [&](const std::string& field, const Options& settings) {
    std::map<std::string, std::string> spellings;
    for (const auto& [name, value] : settings) {
      const std::string path = fmt::format("{}.{}", field, name);
      if (!is_setting_name(name)) problems.emplace_back(path, "is no name of a setting");
      const auto [other, is_new] = spellings.emplace(to_lower(name), name);
      if (!is_new) problems.emplace_back(path, fmt::format("is there as {} too", other->second));
      if (has_nul(value)) problems.emplace_back(path, "has a NUL byte");
      if (!is_reset(value) && is_setting_list(name) && !setting_list(name, value))
        problems.emplace_back(path, fmt::format("is no list of names with commas in between: {}", value));
    }
  };
  look_at("settings", role.settings);
  look_at("in_database", role.in_database);
  return problems;
}

Problem problem_if_missing(const Role&) {
  return {.message = "there is no such role",
          .hint = "roles are made by migrations or by hand: a profile holds no passwords"};
}

Problem problem_if_absent(const Role&) {
  return {.message = "a profile drops no roles",
          .hint = "a setting with the value \"default\" is taken back"};
}

std::vector<FieldChange> differing(const Declared<Role>& declared, const Role& live, std::string_view) {
  std::vector<FieldChange> changes;
  const Role& role = declared.value;
  compare("settings", role.settings, live.settings, role.types, changes);
  compare("in_database", role.in_database, live.in_database, role.types, changes);
  return changes;
}

std::vector<ChangeStep> steps(const Difference<Role>& difference, const Surroundings& around) {
  const Role& role = *difference.desired;
  std::vector<ChangeStep> steps;
  for (const FieldChange& change : difference.fields) {
    const size_t dot = change.field.find('.');
    const std::string setting = change.field.substr(dot + 1);
    const bool here = change.field.substr(0, dot) == "in_database";
    const bool reset = is_reset(change.desired);
    const std::string where = here ? " IN DATABASE " + quote_ident(around.facts.database) : std::string();
    steps.push_back(
        {.sql = fmt::format("ALTER ROLE {}{} {} {}{}", quote_ident(role.name.name), where,
                            reset ? "RESET" : "SET", setting_name_sql(setting),
                            reset ? "" : " TO " + setting_sql(setting, change.desired)),
         .purpose = fmt::format("{}for sessions that begin from now on{}", reset ? "takes it back " : "",
                                here ? ", in this database" : "")});
  }
  return steps;
}

}  // namespace kdb
