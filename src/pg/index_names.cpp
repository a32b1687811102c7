#include "pg/index_names.hpp"

#include <fmt/format.h>

#include "base/text.hpp"

namespace kdb::pg {

namespace {

constexpr std::string_view named_sql = R"(
SELECT c.oid, w.schema, w.name, x.indrelid
FROM (VALUES {wanted}) AS w (schema, name)
JOIN pg_catalog.pg_namespace n ON n.nspname = w.schema
JOIN pg_catalog.pg_class c ON c.relnamespace = n.oid AND c.relname = w.name
JOIN pg_catalog.pg_index x ON x.indexrelid = c.oid)";

constexpr std::string_view of_aggregates_sql = R"(
UNION ALL
SELECT c.oid, w.schema, w.name, x.indrelid
FROM (VALUES {wanted}) AS w (schema, name)
JOIN _timescaledb_catalog.continuous_agg a ON a.user_view_schema = w.schema
JOIN _timescaledb_catalog.hypertable h ON h.id = a.mat_hypertable_id AND h.schema_name <> w.schema
JOIN pg_catalog.pg_namespace n ON n.nspname = h.schema_name
JOIN pg_catalog.pg_class c ON c.relnamespace = n.oid AND c.relname = w.name
JOIN pg_catalog.pg_index x ON x.indexrelid = c.oid
JOIN pg_catalog.pg_class t ON t.oid = x.indrelid AND t.relname = h.table_name
WHERE NOT EXISTS (
  SELECT FROM pg_catalog.pg_class o JOIN pg_catalog.pg_namespace m ON m.oid = o.relnamespace
  WHERE m.nspname = w.schema AND o.relname = w.name))";

}  // namespace

/// A partition's index is attached to its parent's. A chunk's is not: it is named after the chunk and its
/// hypertable's, cut at 63 bytes, or, where somebody renamed one, it is built alike. Only that would not do:
/// a chunk's condition is stored with its constants folded, `value > '0'::numeric` for `value > 0`. Where
/// long names are cut to one, what is built alike decides, if need be without its condition. Definitions are
/// asked for only then: they are what costs.
/// And each step is one join with the catalog's own tables, which have indexes: a list joined with a list of
/// this query's is read once for each row where the server guesses low.
constexpr std::string_view whole_indexes_sql = R"(up AS (
  SELECT w.oid, w.oid AS top FROM w
  UNION ALL
  SELECT up.oid, i.inhparent FROM up JOIN pg_catalog.pg_inherits i ON i.inhrelid = up.top
), pair AS (
  SELECT up.oid, up.top AS attached, p.indexrelid AS alike, m.named,
         pg_catalog.count(*) FILTER (WHERE m.named) OVER (PARTITION BY up.oid) AS names
  FROM up
  JOIN pg_catalog.pg_class c ON c.oid = up.oid
  JOIN pg_catalog.pg_index x ON x.indexrelid = up.oid
  JOIN pg_catalog.pg_class k ON k.oid = x.indrelid
  LEFT JOIN pg_catalog.pg_inherits i ON i.inhrelid = x.indrelid AND up.top = up.oid
  LEFT JOIN pg_catalog.pg_index p ON p.indrelid = i.inhparent AND p.indisunique = x.indisunique
  LEFT JOIN pg_catalog.pg_class pc ON pc.oid = p.indexrelid
  CROSS JOIN LATERAL (SELECT coalesce(pg_catalog.left(c.relname::pg_catalog.text, 60) = pg_catalog.left(
    k.relname::pg_catalog.text || '_' || pc.relname::pg_catalog.text, 60), false) AS named) m
  WHERE NOT EXISTS (SELECT FROM pg_catalog.pg_inherits i WHERE i.inhrelid = up.top)
), definition AS (
  SELECT pair.*,
         CASE WHEN names <> 1 THEN
           pg_catalog.substring(pg_catalog.pg_get_indexdef(alike), ' USING .*$') END AS theirs,
         CASE WHEN names <> 1 AND alike IS NOT NULL THEN
           pg_catalog.substring(pg_catalog.pg_get_indexdef(oid), ' USING .*$') END AS own
  FROM pair OFFSET 0
), whole AS MATERIALIZED (
  SELECT DISTINCT ON (oid) oid,
         CASE WHEN named OR (names = 0 AND theirs = own) THEN alike ELSE attached END AS top
  FROM definition
  ORDER BY oid, named DESC, coalesce(theirs = own, false) DESC,
           coalesce(pg_catalog.split_part(theirs, ' WHERE ', 1) = pg_catalog.split_part(own, ' WHERE ', 1),
                    false) DESC, alike
))";

std::string values_of(const std::vector<ObjectName>& names, std::string_view type) {
  std::string text;
  for (const ObjectName& name : names)
    text += fmt::format("{}({}::pg_catalog.{}, {}::pg_catalog.{})", text.empty() ? "" : ", ",
                        quote_literal(name.schema), type, quote_literal(name.name), type);
  return text;
}

std::string named_indexes_sql(const std::vector<ObjectName>& names, bool timescale) {
  const std::string wanted = values_of(names);
  std::string text = fmt::format(named_sql, fmt::arg("wanted", wanted));
  if (timescale) text += fmt::format(of_aggregates_sql, fmt::arg("wanted", wanted));
  return text;
}

Result exec_without_jit(Connection& connection, std::string_view sql) {
  if (!connection.in_transaction()) return connection.exec(fmt::format("SET LOCAL jit TO off; {}", sql));
  // There what is set would stay for the plans that follow.
  return connection.exec(
      fmt::format("SAVEPOINT kdb_names; SET LOCAL jit TO off; {}; ROLLBACK TO SAVEPOINT kdb_names; RELEASE "
                  "SAVEPOINT kdb_names",
                  sql));
}

}  // namespace kdb::pg
