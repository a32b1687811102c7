#include "kinds/database_settings.hpp"

#include <fmt/format.h>

#include "base/text.hpp"
#include "kinds/declared.hpp"
#include "kinds/difference.hpp"
#include "kinds/session_settings.hpp"

namespace kdb {

std::string DatabaseSettings::catalog_query(const ServerFacts& facts) {
  if (!facts.with_databases) return {};
  return R"(
SELECT d.datname AS name, s.setconfig AS settings
FROM pg_catalog.pg_database d
LEFT JOIN pg_catalog.pg_db_role_setting s ON s.setdatabase = d.oid AND s.setrole = 0
ORDER BY d.datname)";
}

DatabaseSettings DatabaseSettings::read(const Row& row) {
  return {.name = {"", row.text("name")}, .settings = row.options("settings"), .types = {}};
}

std::vector<std::pair<std::string, std::string>> check(const DatabaseSettings& database) {
  std::vector<std::pair<std::string, std::string>> problems;
  const std::string& name = database.name.name;
  if (name.empty()) problems.emplace_back("settings", "belong to a database without a name");
  if (name.find('\0') != std::string::npos)
    problems.emplace_back("settings", "belong to a database with a NUL byte in its name");
  check_session_settings("settings", database.settings, problems);
  return problems;
}

Problem problem_if_missing(const DatabaseSettings&) {
  return {.message = "there is no such database",
          .hint = "a profile makes no databases; their names are as the catalog has them"};
}

Problem problem_if_absent(const DatabaseSettings&) {
  return {.message = "a profile drops no databases",
          .hint = "a setting with the value \"default\" is taken back"};
}

std::vector<FieldChange> differing(const Declared<DatabaseSettings>& declared, const DatabaseSettings& live,
                                   std::string_view) {
  std::vector<FieldChange> changes;
  compare_session_settings("settings", declared.value.settings, live.settings, declared.value.types, changes);
  return changes;
}

std::vector<ChangeStep> steps(const Difference<DatabaseSettings>& difference, const Surroundings&) {
  const std::string whose = "DATABASE " + quote_ident(difference.desired->name.name);
  std::vector<ChangeStep> steps;
  for (const FieldChange& change : difference.fields)
    steps.push_back(session_setting_step(whose, change.field.substr(change.field.find('.') + 1),
                                         change.desired, ", in this database"));
  return steps;
}

}  // namespace kdb
