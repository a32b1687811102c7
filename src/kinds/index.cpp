#include "kinds/index.hpp"

#include <fmt/format.h>

#include "base/text.hpp"
#include "kinds/definition.hpp"

namespace kdb {

namespace {

std::string option_list(const Options& options) {
  std::string text;
  for (const auto& [name, value] : options)
    text += fmt::format("{}{} = {}", text.empty() ? "" : ", ",
                        name.find('.') == std::string::npos ? quote_ident(name) : name, quote_literal(value));
  return text;
}

}  // namespace

std::string Index::query_where(std::string_view condition) {
  return query_of("tn.nspname", "t.relname", "", condition);
}

std::string Index::query_of(std::string_view table_schema, std::string_view table_name,
                            std::string_view joins, std::string_view condition) {
  // Printing the definitions is most of the work. OFFSET 0 keeps what parallel workers may not do out of it.
  return fmt::format(R"(
SELECT x.*,
       CASE WHEN x.computed THEN (
         SELECT pg_catalog.array_agg(a.attnum || '=' || a.attstattarget ORDER BY a.attnum)
         FROM pg_catalog.pg_attribute a
         WHERE a.attrelid = x.oid AND a.attstattarget >= 0 AND a.attnum <= x.keys) END AS statistics,
       CASE WHEN NOT x.valid THEN (
         SELECT max(p.pid) FROM pg_catalog.pg_stat_progress_create_index p
         WHERE p.index_relid = x.oid) END AS building
FROM (
  SELECT n.nspname AS schema, c.relname AS name, {} AS table_schema, {} AS table_name,
         pg_catalog.pg_get_indexdef(i.indexrelid) AS definition, c.reloptions AS "with",
         ts.spcname AS tablespace, d.description AS comment, i.indexrelid AS oid, i.indisvalid AS valid,
         c.relkind = 'I' AS partitioned, i.indisreplident AS replica_identity, i.indisclustered AS clustered,
         i.indexprs IS NOT NULL AS computed, i.indnkeyatts AS keys
  FROM pg_catalog.pg_index i
  JOIN pg_catalog.pg_class c ON c.oid = i.indexrelid
  JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace
  JOIN pg_catalog.pg_class t ON t.oid = i.indrelid
  JOIN pg_catalog.pg_namespace tn ON tn.oid = t.relnamespace
  LEFT JOIN pg_catalog.pg_tablespace ts ON ts.oid = c.reltablespace
  LEFT JOIN pg_catalog.pg_description d
    ON d.objoid = c.oid AND d.classoid = 'pg_catalog.pg_class'::pg_catalog.regclass AND d.objsubid = 0{}
  WHERE {}
  OFFSET 0) x
ORDER BY x.schema, x.name)",
                     table_schema, table_name, joins, condition);
}

namespace {

/// The rows of a continuous aggregate are in a table of TimescaleDB's own schema.
constexpr std::string_view aggregates_sql = R"(
LEFT JOIN (_timescaledb_catalog.continuous_agg ca
           JOIN _timescaledb_catalog.hypertable ch ON ch.id = ca.mat_hypertable_id)
  ON ch.schema_name = tn.nspname AND ch.table_name = t.relname)";

}  // namespace

std::string Index::catalog_query(const ServerFacts& facts) {
  const bool aggregates = facts.timescale.has_value();
  // It makes some itself, whose names begin with the name of its table.
  const std::string_view of_aggregate =
      aggregates ? "\n    OR ca.user_view_name IS NOT NULL AND c.relname !~ '^_materialized_hypertable_'"
                 : "";
  const std::string condition = fmt::format(R"(t.relkind IN ('r', 'p', 'm') AND t.relpersistence <> 't'
  AND n.nspname <> 'information_schema' AND n.nspname <> {} AND (n.nspname !~ '^(pg_|_timescaledb_)'{})
  AND NOT c.relispartition
  AND NOT EXISTS (SELECT FROM pg_catalog.pg_constraint k
                  WHERE k.conindid = i.indexrelid AND k.contype IN ('p', 'u', 'x'))
  AND NOT EXISTS (SELECT FROM pg_catalog.pg_depend e WHERE e.objid = t.oid AND e.deptype = 'e'
                  AND e.classid = 'pg_catalog.pg_class'::pg_catalog.regclass){})",
                                            quote_literal(facts.history_schema), of_aggregate,
                                            is_no_chunk_sql(facts, "tn.nspname", "t.relname"));
  if (!aggregates) return query_where(condition);
  return query_of("coalesce(ca.user_view_schema, tn.nspname)", "coalesce(ca.user_view_name, t.relname)",
                  aggregates_sql, condition);
}

void cut_definition(std::string_view definition, Index& index) {
  Cutter cutter(definition);
  cutter.skip("CREATE");
  index.unique = cutter.skip("UNIQUE");
  cutter.skip("INDEX");
  cutter.name();
  cutter.skip("ON");
  cutter.skip("ONLY ");
  cutter.name();
  cutter.skip("USING");
  index.method = cutter.name();
  index.columns = cutter.list();
  if (cutter.skip("INCLUDE")) index.include = cutter.list();
  index.nulls_not_distinct = cutter.skip("NULLS NOT DISTINCT");
  if (cutter.skip("WITH")) cutter.list();
  if (cutter.skip("TABLESPACE")) cutter.name();
  if (cutter.skip("WHERE")) index.where.sql = without_parentheses(cutter.rest());
}

std::vector<std::pair<std::string, std::string>> check(const Index& index) {
  std::vector<std::pair<std::string, std::string>> problems;
  const auto problem = [&](std::string field, std::string message) {
    problems.emplace_back(std::move(field), std::move(message));
  };
  if (index.table.name.empty()) problem("table", "is missing: which table is indexed");
  if (index.columns.empty()) problem("columns", "is missing: what is indexed");
  if (!is_word(index.method)) problem("method", "must be the name of an access method, such as btree or gin");
  if (index.nulls_not_distinct && !index.unique)
    problem("nulls_not_distinct", "has a meaning only with unique = true");
  for (const auto& [name, value] : index.with)
    if (!is_word(name)) problem("with", fmt::format("has no parameter named \"{}\"", name));
  for (const auto& [column, target] : index.statistics)
    if (!is_number(column, 1, index.columns.size()) || !is_number(target, 0, 10'000))
      problem("statistics",
              fmt::format("must give targets (0 to 10000) to columns of the index by number, not "
                          "{} = {}",
                          column, target));
  return problems;
}

std::vector<std::string> remarks(const Index&, const IndexFacts& facts) {
  std::vector<std::string> remarks;
  if (!facts.whole() && facts.coverage.leaves > 0)
    remarks.push_back(
        fmt::format("{}{}", facts.coverage.text(), facts.valid ? "" : ", and as a whole INVALID"));
  else if (!facts.whole())
    remarks.emplace_back("INVALID: its build did not end; no query uses it, every write maintains it");
  for (const std::string& what : facts.unmanaged) remarks.push_back("not managed: " + what);
  return remarks;
}

Index Index::read(const Row& row) {
  Index index{.name = {row.text("table_schema"), row.text("name")},  // always the one of its table
              .table = {row.text("table_schema"), row.text("table_name")}};
  cut_definition(row.text("definition"), index);
  index.with = row.options("with");
  index.tablespace = row.text("tablespace");
  index.statistics = row.options("statistics");
  index.comment = row.text("comment");
  return index;
}

IndexFacts Index::read_facts(const Row& row) {
  return {.oid = row.text("oid"),
          .valid = row.boolean("valid"),
          .partitioned = row.boolean("partitioned"),
          .replica_identity = row.boolean("replica_identity"),
          .clustered = row.boolean("clustered"),
          .building = static_cast<int>(row.integer("building")),
          .schema = row.text("schema"),
          .coverage = {},
          .parts = {},
          .unmanaged = {}};
}

bool same_but_name(Index a, const Index& b) {
  a.name = b.name;
  a.comment = b.comment;
  a.statistics = b.statistics;
  return a == b;
}

std::string remark(const Index&, const IndexFacts& facts, std::string_view) {
  if (facts.whole()) return "";
  return facts.coverage.leaves > 0 ? facts.coverage.text() : "INVALID";
}

std::string plain_column(const Fragment& key) {
  const std::string_view name = Cutter(key.sql).name();
  if (!name.starts_with('"')) return name.find('(') == std::string_view::npos ? std::string(name) : "";
  std::string column;
  for (size_t at = 1; at + 1 < name.size(); ++at) {
    if (name[at] == '"') ++at;  // a quote is doubled
    column += name[at];
  }
  return column;
}

std::string structure_of(const Index& index) {
  Index bare = index;
  bare.with = {};
  bare.tablespace.clear();
  return create_sql(bare, "", "", false);
}

std::string unordered_structure_of(Index index) {
  for (Fragment& column : index.columns)
    for (const std::string_view order : {" NULLS FIRST", " NULLS LAST", " DESC"})
      if (column.sql.ends_with(order)) column.sql.resize(column.sql.size() - order.size());
  return structure_of(index);
}

std::string create_sql(const Index& index, std::string_view name, std::string_view table, bool concurrently) {
  std::string sql =
      fmt::format("CREATE {}INDEX {}{} ON {} USING {} ({})", index.unique ? "UNIQUE " : "",
                  concurrently ? "CONCURRENTLY " : "", name, table, index.method, joined(index.columns));
  if (!index.include.empty()) sql += fmt::format(" INCLUDE ({})", joined(index.include));
  if (index.nulls_not_distinct) sql += " NULLS NOT DISTINCT";
  if (!index.with.empty()) sql += fmt::format(" WITH ({})", option_list(index.with));
  if (!index.tablespace.empty()) sql += fmt::format(" TABLESPACE {}", quote_ident(index.tablespace));
  if (!index.where.sql.empty()) sql += fmt::format(" WHERE {}", index.where.sql);
  return sql;
}

}  // namespace kdb
