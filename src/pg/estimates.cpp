#include "pg/estimates.hpp"

#include <fmt/format.h>

#include "base/text.hpp"
#include "pg/tidy.hpp"

namespace kdb::pg {

namespace {

std::string estimates_sql(const std::vector<ObjectName>& tables) {
  std::string names;
  for (const ObjectName& table : tables)
    names += fmt::format("{}({}, {})", names.empty() ? "" : ", ", quote_literal(table.schema),
                         quote_literal(table.name));
  // reltuples is -1 before the first VACUUM or ANALYZE (PG docs 53.11).
  return fmt::format(R"(
WITH RECURSIVE wanted (schema, name) AS (VALUES {}),
part (schema, name, oid, leaf) AS (
  SELECT w.schema, w.name, c.oid, c.relkind <> 'p' FROM wanted w
  JOIN pg_catalog.pg_namespace n ON n.nspname = w.schema
  JOIN pg_catalog.pg_class c ON c.relnamespace = n.oid AND c.relname = w.name AND c.relkind IN ('r', 'p', 'm')
  UNION ALL
  SELECT p.schema, p.name, c.oid, c.relkind <> 'p' FROM part p
  JOIN pg_catalog.pg_inherits i ON i.inhparent = p.oid JOIN pg_catalog.pg_class c ON c.oid = i.inhrelid)
SELECT p.schema, p.name,
       CASE WHEN pg_catalog.min(c.reltuples) FILTER (WHERE p.leaf AND pg_catalog.pg_relation_size(c.oid) > 0) < 0
            THEN NULL ELSE pg_catalog.sum(greatest(c.reltuples, 0)) FILTER (WHERE p.leaf) END::bigint,
       pg_catalog.sum(pg_catalog.pg_relation_size(c.oid))::bigint
FROM part p JOIN pg_catalog.pg_class c ON c.oid = p.oid
GROUP BY p.schema, p.name ORDER BY p.schema, p.name)",
                     names);
}

/// In a transaction of its own; nothing where a lock was not had in time.
Result read_in_time(Connection& connection, const std::string& sql, std::chrono::milliseconds lock_timeout) {
  try {
    connection.exec(fmt::format("BEGIN READ ONLY; SET LOCAL lock_timeout TO {}", lock_timeout.count()),
                    Phase::in_transaction);
    Result rows = connection.exec(sql, Phase::in_transaction);
    connection.exec("COMMIT", Phase::in_transaction);
    return rows;
  } catch (const ServerError& error) {
    if (!error.session_ended) tidy(connection, "ROLLBACK");
    if (error.sqlstate != "55P03") throw;
    return {};
  }
}

}  // namespace

std::map<ObjectName, Estimate> read_estimates(Connection& connection, const std::vector<ObjectName>& tables,
                                              std::chrono::milliseconds lock_timeout) {
  std::map<ObjectName, Estimate> estimates;
  if (tables.empty()) return estimates;
  const Result rows = read_in_time(connection, estimates_sql(tables), lock_timeout);
  for (size_t row = 0; row < rows.size(); ++row) {
    Estimate estimate;
    if (!rows.is_null(row, 2)) estimate.rows = rows.integer(row, 2);
    if (!rows.is_null(row, 3)) estimate.bytes = rows.integer(row, 3);
    estimates[{rows.text(row, 0), rows.text(row, 1)}] = estimate;
  }
  return estimates;
}

std::int64_t count_replicas(Connection& connection) {
  // To roles without pg_read_all_stats only that they are there is shown.
  return connection
      .exec(
          "SELECT pg_catalog.count(*) FROM pg_catalog.pg_stat_replication WHERE state IS DISTINCT FROM "
          "'backup'")
      .integer(0, 0);
}

}  // namespace kdb::pg
