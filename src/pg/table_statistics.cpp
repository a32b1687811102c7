#include "pg/table_statistics.hpp"

#include <fmt/format.h>

#include "base/text.hpp"

namespace kdb::pg {

namespace {

constexpr std::string_view statistics_sql = R"(
SELECT w.schema, w.name, c.relhassubclass OR c.reltuples >= {}, a.attname, t.typname,
       a.attlen > 0 OR a.atttypmod >= 0, s.avg_width, s.correlation, c.reltuples, s.n_distinct,
       CASE WHEN t.typname IN ('timestamptz', 'timestamp', 'date') THEN (
         SELECT extract(epoch FROM pg_catalog.max(b) - pg_catalog.min(b)) / 86400
         FROM pg_catalog.unnest(s.histogram_bounds::pg_catalog.text::pg_catalog.timestamptz[]) b
         WHERE pg_catalog.isfinite(b)) END
FROM (VALUES {}) AS w (schema, name)
JOIN pg_catalog.pg_namespace n ON n.nspname = w.schema
JOIN pg_catalog.pg_class c ON c.relnamespace = n.oid AND c.relname = w.name
JOIN pg_catalog.pg_attribute a ON a.attrelid = c.oid AND a.attnum > 0 AND NOT a.attisdropped
JOIN pg_catalog.pg_type t ON t.oid = a.atttypid
LEFT JOIN pg_catalog.pg_stats s ON s.schemaname = w.schema AND s.tablename = w.name AND s.attname = a.attname
  AND s.inherited = c.relhassubclass
ORDER BY w.schema, w.name, a.attnum)";

/// By hypertable. What ANALYZE finds no more in a chunk that is compressed, reltuples leaves out.
constexpr const char* compressed_chunks_sql = R"(
SELECT h.schema_name, h.table_name, pg_catalog.sum(s.numrows_pre_compression)::pg_catalog.int8,
       pg_catalog.sum(s.numrows_post_compression)::pg_catalog.int8,
       pg_catalog.sum(s.uncompressed_heap_size + s.uncompressed_toast_size + s.uncompressed_index_size)
         ::pg_catalog.int8,
       pg_catalog.sum(s.compressed_heap_size + s.compressed_toast_size + s.compressed_index_size)
         ::pg_catalog.int8,
       pg_catalog.sum(greatest(s.numrows_pre_compression - greatest(c.reltuples, 0), 0))::pg_catalog.int8
FROM _timescaledb_catalog.compression_chunk_size s
JOIN _timescaledb_catalog.chunk k ON k.id = s.chunk_id
JOIN _timescaledb_catalog.hypertable h ON h.id = k.hypertable_id
JOIN pg_catalog.pg_namespace n ON n.nspname = k.schema_name
JOIN pg_catalog.pg_class c ON c.relnamespace = n.oid AND c.relname = k.table_name
WHERE s.numrows_pre_compression IS NOT NULL AND s.numrows_post_compression IS NOT NULL
GROUP BY h.schema_name, h.table_name
ORDER BY 1, 2)";

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
    table.rows = std::stod(rows.text(row, 8));
    if (!rows.is_null(row, 9)) column.distinct = std::stod(rows.text(row, 9));
    if (!rows.is_null(row, 10)) column.days = std::stod(rows.text(row, 10));
  }
  return statistics;
}

std::map<ObjectName, ColumnstoreFacts> read_columnstores(Connection& connection) {
  std::map<ObjectName, ColumnstoreFacts> columnstores;
  constexpr const char* there =
      "SELECT pg_catalog.to_regclass('_timescaledb_catalog.compression_chunk_size') IS NOT NULL";
  if (!connection.exec(there).boolean(0, 0)) return columnstores;
  const Result rows = connection.exec(compressed_chunks_sql);
  for (size_t row = 0; row < rows.size(); ++row)
    columnstores[{rows.text(row, 0), rows.text(row, 1)}] = {.rows = rows.integer(row, 2),
                                                            .batches = rows.integer(row, 3),
                                                            .bytes_before = rows.integer(row, 4),
                                                            .bytes_after = rows.integer(row, 5),
                                                            .uncounted = rows.integer(row, 6)};
  return columnstores;
}

}  // namespace kdb::pg
