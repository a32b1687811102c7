#include "pg/rights.hpp"

#include <set>

#include <fmt/format.h>

#include "base/setting_value.hpp"
#include "base/text.hpp"

namespace kdb::pg {

std::vector<Problem> missing_rights(Connection& connection, const std::vector<Use>& uses,
                                    const std::string& role, std::string_view default_schema) {
  if (uses.empty()) return {};
  std::string values;
  for (const Use& use : uses)
    values += fmt::format("{}({}, {}, {})", values.empty() ? "" : ", ", quote_literal(use.table.schema),
                          quote_literal(use.table.name), use.creates);
  const Result rows = connection.exec(fmt::format(
      R"(
SELECT w.schema, w.name, r.name, pg_catalog.pg_get_userbyid(c.relowner),
       pg_catalog.pg_has_role(r.name, c.relowner, 'USAGE'),
       NOT w.creates OR c.relkind = 'v' OR pg_catalog.has_schema_privilege(r.name, n.oid, 'CREATE')
FROM (VALUES {}) AS w (schema, name, creates)
CROSS JOIN (SELECT {}::pg_catalog.name AS name) AS r
JOIN pg_catalog.pg_namespace n ON n.nspname = w.schema
JOIN pg_catalog.pg_class c ON c.relnamespace = n.oid AND c.relname = w.name AND c.relkind NOT IN ('i', 'I')
ORDER BY w.schema, w.name)",
      values, role.empty() ? "current_user" : quote_literal(role)));
  std::vector<Problem> problems;
  std::set<std::string> schemas;
  for (size_t row = 0; row < rows.size(); ++row) {
    const ObjectName table{rows.text(row, 0), rows.text(row, 1)};
    const std::string who = rows.text(row, 2);
    const std::string owner = rows.text(row, 3);
    if (!rows.boolean(row, 4))
      problems.push_back({.message = fmt::format("role {} may not change {}, which belongs to {}", who,
                                                 to_text(table, default_schema), owner),
                          .where = {},
                          .hint = fmt::format("GRANT {} TO {}; or run with --role {}", quote_ident(owner),
                                              quote_ident(who), owner)});
    if (!rows.boolean(row, 5) && schemas.insert(table.schema).second)
      problems.push_back(
          {.message = fmt::format("role {} may create nothing in schema {}", who, table.schema),
           .where = {},
           .hint =
               fmt::format("GRANT CREATE ON SCHEMA {} TO {}", quote_ident(table.schema), quote_ident(who))});
  }
  return problems;
}

namespace {

std::string list_of(const std::set<std::string>& names) {
  std::string list;
  for (const std::string& name : names) list += (list.empty() ? "" : ", ") + quote_literal(name);
  return list;
}

/// What only a superuser sets, for whom it is not granted.
void add_reserved(Connection& connection, const std::string& who, const std::set<std::string>& names,
                  std::vector<Problem>& problems) {
  const int version = connection.server_version();
  const Result reserved = connection.exec(fmt::format(
      "SELECT w.name, me.rolname FROM {} CROSS JOIN pg_catalog.unnest(ARRAY[{}]) AS w (name) "
      "LEFT JOIN pg_catalog.pg_settings s ON pg_catalog.lower(s.name) = pg_catalog.lower(w.name) "
      // What the server does not know, or hides, only a superuser sets.
      "WHERE NOT me.rolsuper AND (s.context IS NULL OR s.context LIKE 'superuser%'){} ORDER BY 1",
      who, list_of(names),
      version >= 150000 ? " AND NOT pg_catalog.has_parameter_privilege(me.oid, w.name, 'SET')" : ""));
  for (size_t row = 0; row < reserved.size(); ++row)
    problems.push_back({.message = fmt::format("role {} may not set {}, which is a superuser's",
                                               reserved.text(row, 1), reserved.text(row, 0)),
                        .where = {},
                        .hint = version >= 150000
                                    ? fmt::format("GRANT SET ON PARAMETER {} TO {}", reserved.text(row, 0),
                                                  quote_ident(reserved.text(row, 1)))
                                    : "run as a superuser"});
}

std::string who_is(const std::string& role) {
  return fmt::format("(SELECT * FROM pg_catalog.pg_roles WHERE rolname = {}) AS me",
                     role.empty() ? "current_user" : quote_literal(role));
}

}  // namespace

std::vector<Problem> missing_role_rights(Connection& connection, const SessionSettings& settings,
                                         const std::string& role) {
  if (settings.empty()) return {};
  std::set<std::string> roles;
  std::set<std::string> names;
  for (const auto& [name, of_role] : settings) {
    roles.insert(name);
    names.insert(of_role.begin(), of_role.end());
  }
  const int version = connection.server_version();
  const std::string who = who_is(role);
  std::vector<Problem> problems;
  const Result others = connection.exec(fmt::format(
      "SELECT r.rolname, me.rolname, r.rolsuper FROM {} JOIN pg_catalog.pg_roles r ON r.rolname IN ({}) "
      "WHERE NOT me.rolsuper AND (r.rolsuper OR (r.oid <> me.oid AND NOT (me.rolcreaterole{}))) ORDER BY 1",
      who, list_of(roles),
      version >= 160000 ? " AND pg_catalog.pg_has_role(me.oid, r.oid, 'MEMBER WITH ADMIN OPTION')" : ""));
  for (size_t row = 0; row < others.size(); ++row)
    problems.push_back(
        {.message = fmt::format("role {} may not change the settings of role {}", others.text(row, 1),
                                others.text(row, 0)),
         .where = {},
         .hint = others.boolean(row, 2) ? "that one is a superuser, whom only superusers change"
                 : version >= 160000
                     ? "it needs CREATEROLE, and the other role WITH ADMIN OPTION; or run as a superuser"
                     : "it needs CREATEROLE; or run as a superuser"});
  add_reserved(connection, who, names, problems);
  return problems;
}

std::vector<Problem> missing_database_rights(Connection& connection, const SessionSettings& settings,
                                             const std::string& role) {
  if (settings.empty()) return {};
  std::set<std::string> databases;
  std::set<std::string> names;
  for (const auto& [name, of_database] : settings) {
    databases.insert(name);
    names.insert(of_database.begin(), of_database.end());
  }
  const std::string who = who_is(role);
  std::vector<Problem> problems;
  const Result others = connection.exec(fmt::format(
      "SELECT d.datname, me.rolname, pg_catalog.pg_get_userbyid(d.datdba) FROM {} "
      "JOIN pg_catalog.pg_database d ON d.datname IN ({}) "
      "WHERE NOT me.rolsuper AND NOT pg_catalog.pg_has_role(me.oid, d.datdba, 'USAGE') ORDER BY 1",
      who, list_of(databases)));
  for (size_t row = 0; row < others.size(); ++row)
    problems.push_back({.message = fmt::format("role {} may not change the settings of database {}",
                                               others.text(row, 1), others.text(row, 0)),
                        .where = {},
                        .hint = fmt::format("its owner may, which is {}", others.text(row, 2))});
  add_reserved(connection, who, names, problems);
  return problems;
}

std::vector<Problem> missing_setting_rights(Connection& connection, const std::set<std::string>& settings,
                                            const std::string& role) {
  const int version = connection.server_version();
  const std::string who = who_is(role);
  std::vector<Problem> problems;
  if (!settings.empty()) {
    const Result reserved = connection.exec(fmt::format(
        "SELECT w.name, me.rolname FROM {} CROSS JOIN pg_catalog.unnest(ARRAY[{}]) AS w (name) "
        "WHERE NOT me.rolsuper{} ORDER BY 1",
        who, list_of(settings),
        version >= 150000 ? " AND NOT pg_catalog.has_parameter_privilege(me.oid, w.name, 'ALTER SYSTEM')"
                          : ""));
    for (size_t row = 0; row < reserved.size(); ++row)
      problems.push_back({.message = fmt::format("role {} may not change the server's {}",
                                                 reserved.text(row, 1), reserved.text(row, 0)),
                          .where = {},
                          .hint = version >= 150000 ? fmt::format("GRANT ALTER SYSTEM ON PARAMETER {} TO {}",
                                                                  setting_name_sql(reserved.text(row, 0)),
                                                                  quote_ident(reserved.text(row, 1)))
                                                    : "run as a superuser"});
  }
  const Result reload = connection.exec(
      fmt::format("SELECT me.rolname FROM {} WHERE NOT pg_catalog.has_function_privilege(me.oid, "
                  "'pg_catalog.pg_reload_conf()', 'EXECUTE')",
                  who));
  if (!reload.empty())
    problems.push_back(
        {.message = fmt::format("role {} may not make the server read its files", reload.text(0, 0)),
         .where = {},
         .hint = fmt::format("GRANT EXECUTE ON FUNCTION pg_reload_conf() TO {}",
                             quote_ident(reload.text(0, 0)))});
  return problems;
}

}  // namespace kdb::pg
