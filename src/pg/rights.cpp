#include "pg/rights.hpp"

#include <set>

#include <fmt/format.h>

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
JOIN pg_catalog.pg_class c ON c.relnamespace = n.oid AND c.relname = w.name
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

}  // namespace kdb::pg
