#include <functional>
#include <set>

#include <fmt/format.h>

#include "base/text.hpp"
#include "pg/explain.hpp"

namespace kdb::pg {

namespace {

/// The trees of tables from their roots down (PG docs, pg_inherits): partitions and TimescaleDB's chunks
/// alike. A relation that is wanted is in one of them, or a root of its own.
constexpr std::string_view roots_sql = R"(
WITH RECURSIVE wanted AS (
  SELECT c.oid, w.schema, w.name
  FROM (VALUES {wanted}) AS w (schema, name)
  JOIN pg_catalog.pg_namespace n ON n.nspname = w.schema
  JOIN pg_catalog.pg_class c ON c.relnamespace = n.oid AND c.relname = w.name
), below AS (
  SELECT c.oid AS top, c.oid, 0 AS level
  FROM pg_catalog.pg_class c
  WHERE c.relhassubclass AND c.relkind IN ('r', 'p', 'f')
    AND NOT EXISTS (SELECT FROM pg_catalog.pg_inherits i WHERE i.inhrelid = c.oid)
  UNION ALL
  SELECT b.top, i.inhrelid, b.level + 1
  FROM below b JOIN pg_catalog.pg_inherits i ON i.inhparent = b.oid
), root AS (
  SELECT DISTINCT ON (w.oid) w.oid, coalesce(b.top, w.oid) AS top
  FROM wanted w LEFT JOIN below b ON b.oid = w.oid
  ORDER BY w.oid, b.level DESC, b.top
), tree AS (
  SELECT top, top AS oid FROM root
  UNION
  SELECT b.top, b.oid FROM below b WHERE b.top IN (SELECT r.top FROM root r)
), size AS (
  SELECT b.top, pg_catalog.count(*) FILTER (WHERE b.oid <> b.top AND c.relkind <> 'p') AS parts,
         CASE WHEN pg_catalog.bool_and(c.reltuples >= 0) FILTER (WHERE c.relkind <> 'p') THEN
           pg_catalog.sum(c.reltuples) FILTER (WHERE c.relkind <> 'p')::int8 ELSE -1 END AS rows
  FROM tree b JOIN pg_catalog.pg_class c ON c.oid = b.oid
  GROUP BY b.top
)
SELECT w.schema, w.name, n.nspname, c.relname, s.parts, s.rows
FROM wanted w
JOIN root r ON r.oid = w.oid
JOIN size s ON s.top = r.top
JOIN pg_catalog.pg_class c ON c.oid = r.top
JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace
ORDER BY w.schema, w.name)";

/// A partition's index is attached to its parent's. A chunk's is not: it is named after the chunk and its
/// hypertable's, cut at 63 bytes, or, where somebody renamed one, it is built alike. Only that would not do:
/// a chunk's condition is stored with its constants folded, `value > '0'::numeric` for `value > 0`.
constexpr std::string_view indexes_sql = R"(
WITH RECURSIVE wanted AS (
  SELECT c.oid, w.schema, w.name, x.indrelid
  FROM (VALUES {wanted}) AS w (schema, name)
  JOIN pg_catalog.pg_namespace n ON n.nspname = w.schema
  JOIN pg_catalog.pg_class c ON c.relnamespace = n.oid AND c.relname = w.name
  JOIN pg_catalog.pg_index x ON x.indexrelid = c.oid
), up AS (
  SELECT oid, oid AS top, 0 AS level FROM wanted
  UNION ALL
  SELECT up.oid, i.inhparent, up.level + 1 FROM up JOIN pg_catalog.pg_inherits i ON i.inhrelid = up.top
), attached AS (
  SELECT DISTINCT ON (oid) oid, top FROM up ORDER BY oid, level DESC, top
), alike AS (
  SELECT w.oid, p.indexrelid AS top, pg_catalog.row_number() OVER (PARTITION BY w.oid ORDER BY
    m.named DESC, p.indexrelid) AS choice
  FROM wanted w
  JOIN pg_catalog.pg_inherits i ON i.inhrelid = w.indrelid
  JOIN pg_catalog.pg_class k ON k.oid = w.indrelid
  JOIN pg_catalog.pg_index x ON x.indexrelid = w.oid
  JOIN pg_catalog.pg_index p ON p.indrelid = i.inhparent AND p.indisunique = x.indisunique
  JOIN pg_catalog.pg_class pc ON pc.oid = p.indexrelid
  CROSS JOIN LATERAL (SELECT pg_catalog.left(w.name, 60) =
    pg_catalog.left(k.relname::pg_catalog.text || '_' || pc.relname::pg_catalog.text, 60) AS named) m
  WHERE m.named OR pg_catalog.substring(pg_catalog.pg_get_indexdef(p.indexrelid), ' USING .*$') =
                   pg_catalog.substring(pg_catalog.pg_get_indexdef(w.oid), ' USING .*$')
)
SELECT w.schema, w.name, n.nspname, c.relname, x.indisvalid, tn.nspname, tc.relname
FROM wanted w
JOIN attached a ON a.oid = w.oid
LEFT JOIN alike l ON l.oid = w.oid AND l.choice = 1 AND a.top = w.oid
JOIN pg_catalog.pg_class c ON c.oid = coalesce(l.top, a.top)
JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace
JOIN pg_catalog.pg_index x ON x.indexrelid = w.oid
JOIN pg_catalog.pg_index cx ON cx.indexrelid = c.oid
JOIN pg_catalog.pg_class tc ON tc.oid = cx.indrelid
JOIN pg_catalog.pg_namespace tn ON tn.oid = tc.relnamespace
ORDER BY w.schema, w.name)";

/// The chunks of which the wanted relations are the columnstore, and the views that people know in place of
/// the hypertables below continuous aggregates.
constexpr std::string_view timescale_sql = R"(
SELECT 'columnstore', c.schema_name, c.table_name, k.schema_name, k.table_name
FROM _timescaledb_catalog.chunk c JOIN _timescaledb_catalog.chunk k ON k.compressed_chunk_id = c.id
WHERE (c.schema_name, c.table_name) IN (VALUES {wanted})
UNION ALL
SELECT 'view', h.schema_name, h.table_name, a.user_view_schema, a.user_view_name
FROM _timescaledb_catalog.continuous_agg a JOIN _timescaledb_catalog.hypertable h ON h.id = a.mat_hypertable_id
ORDER BY 1, 2, 3)";

std::string values_of(const std::set<ObjectName>& names, std::string_view type = "text") {
  std::string text;
  for (const ObjectName& name : names)
    text += fmt::format("{}({}::pg_catalog.{}, {}::pg_catalog.{})", text.empty() ? "" : ", ",
                        quote_literal(name.schema), type, quote_literal(name.name), type);
  return text;
}

ObjectName name_at(const Result& rows, size_t row, size_t column) {
  return {rows.text(row, column), rows.text(row, column + 1)};
}

void collect(const PlanNode& node, std::set<ObjectName>& relations, std::set<ObjectName>& indexes) {
  if (!node.relation.name.empty()) relations.insert(node.relation);
  if (!node.index.name.empty()) indexes.insert(node.index);
  for (const PlanNode& child : node.children) collect(child, relations, indexes);
}

struct TimescaleNames {
  std::map<ObjectName, ObjectName> chunks;  // by the table of their columnstore
  std::map<ObjectName, ObjectName> views;   // by the hypertable below
};

TimescaleNames read_timescale_names(Connection& connection, const std::set<ObjectName>& relations) {
  TimescaleNames names;
  const Result rows =
      connection.exec(fmt::format(timescale_sql, fmt::arg("wanted", values_of(relations, "name"))));
  for (size_t row = 0; row < rows.size(); ++row) {
    auto& list = rows.view(row, 0) == "view" ? names.views : names.chunks;
    list[name_at(rows, row, 1)] = name_at(rows, row, 3);
  }
  return names;
}

}  // namespace

PlanFacts read_plan_facts(Connection& connection, const ServerFacts& server,
                          const std::vector<const QueryPlan*>& plans,
                          const std::vector<ObjectName>& indexes) {
  PlanFacts facts;
  std::set<ObjectName> relations;
  std::set<ObjectName> used;
  for (const QueryPlan* plan : plans) collect(plan->root, relations, used);
  TimescaleNames timescale;
  if (server.timescale && !relations.empty()) timescale = read_timescale_names(connection, relations);
  const std::set<ObjectName> in_plans = relations;
  for (const auto& [columnstore, chunk] : timescale.chunks) relations.insert(chunk);
  std::map<ObjectName, ObjectName> roots;
  if (!relations.empty()) {
    const Result rows = connection.exec(fmt::format(roots_sql, fmt::arg("wanted", values_of(relations))));
    for (size_t row = 0; row < rows.size(); ++row) {
      ObjectName root = name_at(rows, row, 2);
      if (const auto view = timescale.views.find(root); view != timescale.views.end()) root = view->second;
      roots[name_at(rows, row, 0)] = root;
      facts.roots[root] = {rows.integer(row, 4), static_cast<double>(rows.integer(row, 5))};
    }
  }
  const auto root_of = [&](const ObjectName& name) {
    const auto root = roots.find(name);
    return root == roots.end() ? name : root->second;
  };
  for (const ObjectName& name : in_plans) {
    const auto chunk = timescale.chunks.find(name);
    const bool columnstore = chunk != timescale.chunks.end();
    const ObjectName& part = columnstore ? chunk->second : name;
    facts.relations[name] = {root_of(part), part, columnstore};
  }
  std::set<ObjectName> wanted = used;
  wanted.insert(indexes.begin(), indexes.end());
  if (wanted.empty()) return facts;
  const Result rows = connection.exec(fmt::format(indexes_sql, fmt::arg("wanted", values_of(wanted))));
  for (size_t row = 0; row < rows.size(); ++row) {
    const ObjectName name = name_at(rows, row, 0);
    facts.declared[name] = rows.boolean(row, 4);
    ObjectName& index = facts.indexes[name] = name_at(rows, row, 2);
    // A profile declares those of a continuous aggregate in the schema of its view.
    if (const auto view = timescale.views.find(name_at(rows, row, 5)); view != timescale.views.end())
      index.schema = view->second.schema;
  }
  return facts;
}

}  // namespace kdb::pg
