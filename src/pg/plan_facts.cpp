#include <functional>
#include <set>

#include <fmt/format.h>

#include "pg/explain.hpp"
#include "pg/index_names.hpp"

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

constexpr std::string_view indexes_sql = R"(
WITH RECURSIVE w AS MATERIALIZED ({named}), {whole}
SELECT w.schema, w.name, n.nspname, c.relname, x.indisvalid, tn.nspname, tc.relname
FROM w
JOIN whole ON whole.oid = w.oid
JOIN pg_catalog.pg_class c ON c.oid = whole.top
JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace
JOIN pg_catalog.pg_index x ON x.indexrelid = w.oid
JOIN pg_catalog.pg_index cx ON cx.indexrelid = c.oid
JOIN pg_catalog.pg_class tc ON tc.oid = cx.indrelid
JOIN pg_catalog.pg_namespace tn ON tn.oid = tc.relnamespace
ORDER BY w.schema, w.name)";

/// The chunks of which the wanted relations are the columnstore.
constexpr std::string_view columnstores_sql = R"(
SELECT 'columnstore', c.schema_name, c.table_name, k.schema_name, k.table_name
FROM _timescaledb_catalog.chunk c JOIN _timescaledb_catalog.chunk k ON k.compressed_chunk_id = c.id
WHERE (c.schema_name, c.table_name) IN (VALUES {wanted})
UNION ALL)";

/// The views that people know in place of the hypertables below continuous aggregates.
constexpr std::string_view views_sql = R"(
SELECT 'view', h.schema_name, h.table_name, a.user_view_schema, a.user_view_name
FROM _timescaledb_catalog.continuous_agg a JOIN _timescaledb_catalog.hypertable h ON h.id = a.mat_hypertable_id
ORDER BY 1, 2, 3)";

std::vector<ObjectName> list_of(const std::set<ObjectName>& names) { return {names.begin(), names.end()}; }

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
  std::string sql(views_sql);
  if (!relations.empty())
    sql.insert(0, fmt::format(columnstores_sql, fmt::arg("wanted", values_of(list_of(relations), "name"))));
  const Result rows = connection.exec(sql);
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
  if (server.timescale) timescale = read_timescale_names(connection, relations);
  const std::set<ObjectName> in_plans = relations;
  for (const auto& [columnstore, chunk] : timescale.chunks) relations.insert(chunk);
  std::map<ObjectName, ObjectName> roots;
  if (!relations.empty()) {
    const Result rows =
        connection.exec(fmt::format(roots_sql, fmt::arg("wanted", values_of(list_of(relations)))));
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
  const Result rows = connection.exec(fmt::format(
      indexes_sql, fmt::arg("named", named_indexes_sql(list_of(wanted), server.timescale.has_value())),
      fmt::arg("whole", whole_indexes_sql)));
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
