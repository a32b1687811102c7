#include "pg/name_holders.hpp"

#include <fmt/format.h>

#include "base/text.hpp"

namespace kdb::pg {

namespace {

std::string holders_sql(const std::set<ObjectName>& names) {
  std::string rows;
  for (const ObjectName& name : names)
    rows += fmt::format("{}({}, {})", rows.empty() ? "" : ", ", quote_literal(name.schema),
                        quote_literal(name.name));
  return fmt::format(R"(
SELECT w.schema, w.name,
       CASE WHEN k.conname IS NOT NULL THEN 'constraint ' || k.conname
            ELSE CASE c.relkind WHEN 'r' THEN 'a table' WHEN 'p' THEN 'a table' WHEN 'v' THEN 'a view'
                 WHEN 'm' THEN 'a materialized view' WHEN 'S' THEN 'a sequence' WHEN 'f' THEN 'a foreign table'
                 WHEN 'c' THEN 'a type' ELSE 'an index' END END,
       tn.nspname, t.relname, k.conname IS NULL AND c.relkind IN ('i', 'I')
FROM (VALUES {}) AS w (schema, name)
JOIN pg_catalog.pg_namespace n ON n.nspname = w.schema
JOIN pg_catalog.pg_class c ON c.relnamespace = n.oid AND c.relname = w.name
LEFT JOIN pg_catalog.pg_index i ON i.indexrelid = c.oid
LEFT JOIN pg_catalog.pg_class t ON t.oid = i.indrelid
LEFT JOIN pg_catalog.pg_namespace tn ON tn.oid = t.relnamespace
LEFT JOIN pg_catalog.pg_constraint k ON k.conindid = c.oid AND k.contype IN ('p', 'u', 'x')
ORDER BY 1, 2)",
                     rows);
}

}  // namespace

NameHolders read_name_holders(Connection& connection, const std::set<ObjectName>& names,
                              std::string_view default_schema) {
  NameHolders holders;
  if (names.empty()) return holders;
  const Result rows = connection.exec(holders_sql(names));
  for (size_t row = 0; row < rows.size(); ++row) {
    NameHolder holder{.what = rows.text(row, 2), .indexed = {}};
    if (!rows.is_null(row, 4)) {
      const ObjectName table{rows.text(row, 3), rows.text(row, 4)};
      holder.what += fmt::format(" of table {}", to_text(table, default_schema));
      if (rows.boolean(row, 5)) holder.indexed = table;
    }
    holders[{rows.text(row, 0), rows.text(row, 1)}] = std::move(holder);
  }
  return holders;
}

}  // namespace kdb::pg
