#include "kinds/role.hpp"

#include <fmt/format.h>

#include "base/text.hpp"
#include "kinds/declared.hpp"
#include "kinds/difference.hpp"
#include "kinds/session_settings.hpp"

namespace kdb {

namespace {

/// What is wrong with a role's name; empty where nothing is.
std::string_view name_problem(const std::string& name) {
  if (name.empty()) return "belong to a role without a name";
  if (name.find('\0') != std::string::npos) return "belong to a role with a NUL byte in its name";
  if (name.starts_with("pg_")) return "belong to one of the server's own roles, which nobody alters";
  if (name == "public" || name == "none") return "belong to no role: this is a word of SQL";
  return {};
}

}  // namespace

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
  check_session_settings("settings", role.settings, problems);
  check_session_settings("in_database", role.in_database, problems);
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
  compare_session_settings("settings", role.settings, live.settings, role.types, changes);
  compare_session_settings("in_database", role.in_database, live.in_database, role.types, changes);
  return changes;
}

std::vector<ChangeStep> steps(const Difference<Role>& difference, const Surroundings& around) {
  const Role& role = *difference.desired;
  std::vector<ChangeStep> steps;
  for (const FieldChange& change : difference.fields) {
    const size_t dot = change.field.find('.');
    const bool here = change.field.substr(0, dot) == "in_database";
    const std::string whose =
        fmt::format("ROLE {}{}", quote_ident(role.name.name),
                    here ? " IN DATABASE " + quote_ident(around.facts.database) : std::string());
    steps.push_back(session_setting_step(whose, change.field.substr(dot + 1), change.desired,
                                         here ? ", in this database" : ""));
  }
  return steps;
}

}  // namespace kdb
