#include "kinds/parts.hpp"

#include <fmt/format.h>

#include "base/text.hpp"

namespace kdb {

namespace {

constexpr std::string_view builder =
    "CASE WHEN NOT i.indisvalid THEN (SELECT pg_catalog.max(p.pid) FROM "
    "pg_catalog.pg_stat_progress_create_index p WHERE p.index_relid = i.indexrelid) END AS building";

// A chunk's oid by its name, without the tables in which compressed rows are kept.
constexpr std::string_view from_chunks = R"(_timescaledb_catalog.chunk k
JOIN pg_catalog.pg_namespace n ON n.nspname = k.schema_name
JOIN pg_catalog.pg_class c ON c.relnamespace = n.oid AND c.relname = k.table_name AND c.relkind = 'r'
  AND c.relname !~ '^compress_hyper_')";

}  // namespace

Part Part::read(const Row& row) {
  return {.oid = row.text("oid"),
          .parent = row.text("parent"),
          .name = {row.text("schema"), row.text("name")},
          .kind = row.text("kind").front(),
          .bound = row.text("bound"),
          .closed = row.boolean("closed")};
}

PartIndex PartIndex::read(const Row& row) {
  return {.oid = row.text("oid"),
          .part = row.text("part"),
          .parent = row.text("parent"),
          .name = {row.text("schema"), row.text("name")},
          .valid = row.boolean("valid"),
          .building = static_cast<int>(row.integer("building")),
          .constraint = row.boolean("is_constraint"),
          .definition = row.text("definition"),
          .with = row.options("with"),
          .replica_identity = row.boolean("replica_identity"),
          .clustered = row.boolean("clustered"),
          .commented = row.boolean("commented"),
          .own_order = row.boolean("own_order"),
          .tablespace = row.text("tablespace"),
          .statistics = row.options("statistics")};
}

PartitionKey PartitionKey::read(const Row& row) {
  return {.table = row.text("table"), .columns = row.list("columns")};
}

std::string partition_keys_query() {
  return R"(
SELECT p.partrelid AS "table", pg_catalog.array_agg(coalesce(a.attname, '') ORDER BY k.ordinal) AS columns
FROM pg_catalog.pg_partitioned_table p
CROSS JOIN LATERAL pg_catalog.unnest(p.partattrs::smallint[]) WITH ORDINALITY AS k (attnum, ordinal)
LEFT JOIN pg_catalog.pg_attribute a ON a.attrelid = p.partrelid AND a.attnum = k.attnum AND k.attnum > 0
GROUP BY p.partrelid ORDER BY p.partrelid)";
}

std::string parts_query(const ServerFacts& facts) {
  // One that is being detached takes no part in its parent's indexes any more (PG docs, ALTER TABLE).
  std::string sql = R"(
SELECT c.oid, h.inhparent AS parent, n.nspname AS schema, c.relname AS name, c.relkind AS kind,
       pg_catalog.pg_get_expr(c.relpartbound, c.oid) AS bound, false AS closed
FROM pg_catalog.pg_inherits h
JOIN pg_catalog.pg_class p ON p.oid = h.inhparent AND p.relkind = 'p'
JOIN pg_catalog.pg_class c ON c.oid = h.inhrelid
JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace
WHERE NOT h.inhdetachpending)";
  if (facts.timescale)
    // Of a chunk's ranges, that of time: in one width, so that text sorts as numbers do.
    sql += fmt::format(R"(
UNION ALL
SELECT c.oid, h.inhparent, n.nspname, c.relname, c.relkind, r.bound,
       EXISTS (SELECT FROM pg_catalog.pg_roles o
               WHERE o.rolname = {} AND NOT pg_catalog.has_schema_privilege(o.oid, n.oid, 'CREATE'))
FROM {}
JOIN pg_catalog.pg_inherits h ON h.inhrelid = c.oid
LEFT JOIN (
  SELECT l.chunk_id, pg_catalog.max(pg_catalog.lpad((s.range_start::numeric + 9223372036854775808)::text, 20, '0'))
           AS bound
  FROM _timescaledb_catalog.chunk_constraint l
  JOIN _timescaledb_catalog.dimension_slice s ON s.id = l.dimension_slice_id
  JOIN _timescaledb_catalog.dimension d ON d.id = s.dimension_id AND d.interval_length IS NOT NULL
  GROUP BY l.chunk_id) r ON r.chunk_id = k.id)",
                       facts.role.empty() ? "current_user" : quote_literal(facts.role), from_chunks);
  return sql + "\nORDER BY schema, name";
}

std::string part_indexes_query(const ServerFacts& facts) {
  std::string sql = fmt::format(R"(
SELECT i.indexrelid AS oid, i.indrelid AS part, h.inhparent AS parent, n.nspname AS schema, x.relname AS name,
       i.indisvalid AS valid, {}, false AS is_constraint, NULL::text AS definition, x.reloptions AS "with",
       i.indisreplident AS replica_identity, i.indisclustered AS clustered, d.objoid IS NOT NULL AS commented,
       i.indoption::text <> o.indoption::text AS own_order, ts.spcname AS tablespace,
       CASE WHEN i.indexprs IS NOT NULL THEN (
         SELECT pg_catalog.array_agg(a.attnum || '=' || a.attstattarget ORDER BY a.attnum)
         FROM pg_catalog.pg_attribute a WHERE a.attrelid = i.indexrelid AND a.attstattarget >= 0) END AS statistics
FROM pg_catalog.pg_inherits h
JOIN pg_catalog.pg_index i ON i.indexrelid = h.inhrelid
JOIN pg_catalog.pg_index o ON o.indexrelid = pg_catalog.pg_partition_root(i.indexrelid)
JOIN pg_catalog.pg_class x ON x.oid = i.indexrelid
JOIN pg_catalog.pg_namespace n ON n.oid = x.relnamespace
LEFT JOIN pg_catalog.pg_tablespace ts ON ts.oid = x.reltablespace
LEFT JOIN pg_catalog.pg_description d
  ON d.objoid = x.oid AND d.classoid = 'pg_catalog.pg_class'::pg_catalog.regclass AND d.objsubid = 0)",
                                builder);
  if (facts.timescale)
    sql += fmt::format(R"(
UNION ALL
SELECT i.indexrelid, i.indrelid, NULL, n.nspname, x.relname, i.indisvalid, {0}, false,
       pg_catalog.pg_get_indexdef(i.indexrelid), x.reloptions, false, false, false, false, NULL, NULL
FROM {1}
JOIN pg_catalog.pg_index i ON i.indrelid = c.oid
JOIN pg_catalog.pg_class x ON x.oid = i.indexrelid
WHERE NOT EXISTS (SELECT FROM pg_catalog.pg_constraint o
                  WHERE o.conindid = i.indexrelid AND o.contype IN ('p', 'u', 'x'))
UNION ALL
SELECT i.indexrelid, i.indrelid, NULL, n.nspname, x.relname, i.indisvalid, NULL, true,
       pg_catalog.pg_get_indexdef(i.indexrelid), x.reloptions, false, false, false, false, NULL, NULL
FROM _timescaledb_catalog.hypertable k
JOIN pg_catalog.pg_namespace n ON n.nspname = k.schema_name
JOIN pg_catalog.pg_class c ON c.relnamespace = n.oid AND c.relname = k.table_name
JOIN pg_catalog.pg_index i ON i.indrelid = c.oid AND i.indisunique
JOIN pg_catalog.pg_class x ON x.oid = i.indexrelid
WHERE EXISTS (SELECT FROM pg_catalog.pg_constraint o
              WHERE o.conindid = i.indexrelid AND o.contype IN ('p', 'u')))",
                       builder, from_chunks);
  return sql + "\nORDER BY schema, name, oid";
}

std::string Coverage::text() const {
  return fmt::format("{}/{} {} covered", covered, leaves, chunks ? "chunks" : "partitions");
}

std::string Coverage::lack() const {
  if (complete()) return "is invalid as a whole, although no part lacks it";
  return fmt::format("{} of {} {} lack{} it", leaves - covered, leaves, chunks ? "chunks" : "partitions",
                     leaves - covered == 1 ? "s" : "");
}

}  // namespace kdb
