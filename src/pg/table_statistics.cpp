#include "pg/table_statistics.hpp"

#include <fmt/format.h>

#include "base/text.hpp"

namespace kdb::pg {

namespace {

constexpr std::string_view statistics_sql = R"(
SELECT w.schema, w.name, c.relhassubclass OR c.reltuples >= {}, a.attname, t.typname,
       a.attlen > 0 OR a.atttypmod >= 0, s.avg_width, s.correlation
FROM (VALUES {}) AS w (schema, name)
JOIN pg_catalog.pg_namespace n ON n.nspname = w.schema
JOIN pg_catalog.pg_class c ON c.relnamespace = n.oid AND c.relname = w.name
JOIN pg_catalog.pg_attribute a ON a.attrelid = c.oid AND a.attnum > 0 AND NOT a.attisdropped
JOIN pg_catalog.pg_type t ON t.oid = a.atttypid
LEFT JOIN pg_catalog.pg_stats s ON s.schemaname = w.schema AND s.tablename = w.name AND s.attname = a.attname
  AND s.inherited = c.relhassubclass
ORDER BY w.schema, w.name, a.attnum)";

/// Of fewer rows nobody minds how an index finds them.
constexpr int large = 10'000;

}  // namespace

std::map<ObjectName, TableStatistics> read_table_statistics(Connection& connection,
                                                            const std::vector<ObjectName>& tables) {
  std::map<ObjectName, TableStatistics> statistics;
  if (tables.empty()) return statistics;
  std::string names;
  for (const ObjectName& table : tables)
    names += fmt::format("{}({}, {})", names.empty() ? "" : ", ", quote_literal(table.schema),
                         quote_literal(table.name));
  const Result rows = connection.exec(fmt::format(statistics_sql, large, names));
  for (size_t row = 0; row < rows.size(); ++row) {
    TableStatistics& table = statistics[{rows.text(row, 0), rows.text(row, 1)}];
    table.large = rows.boolean(row, 2);
    ColumnStatistics& column = table.columns[rows.text(row, 3)];
    column.type = rows.text(row, 4);
    column.bounded = rows.boolean(row, 5);
    if (!rows.is_null(row, 6)) column.average_width = static_cast<int>(rows.integer(row, 6));
    if (!rows.is_null(row, 7)) column.correlation = std::stod(rows.text(row, 7));
  }
  return statistics;
}

}  // namespace kdb::pg
