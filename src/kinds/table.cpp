#include "kinds/table.hpp"

#include <algorithm>
#include <iterator>

#include <fmt/format.h>
#include <fmt/ranges.h>

#include "base/text.hpp"
#include "kinds/definition.hpp"
#include "kinds/difference.hpp"

namespace kdb {

namespace {

bool is_one_of(std::string_view text, std::initializer_list<std::string_view> words) {
  return std::find(words.begin(), words.end(), text) != words.end();
}

// Minor releases of 2026 keep a number of their own, pg_attver, among the options of every column.
constexpr std::string_view own_options =
    "(pg_catalog.array_length(a.attoptions, 1) > 1 OR a.attoptions[1] !~ '^pg_attver=')";

constexpr std::string_view index_prefix = "index ";

/// The name of an index, or of that of a table above to which it belongs. A constraint's keeps its own.
std::string index_name_sql(std::string_view alias) {
  return fmt::format(R"(CASE WHEN {0}.relispartition AND NOT EXISTS (
           SELECT FROM pg_catalog.pg_constraint k WHERE k.conindid = {0}.oid AND k.contype IN ('p', 'u', 'x'))
         THEN (SELECT r.relname FROM pg_catalog.pg_class r WHERE r.oid = pg_catalog.pg_partition_root({0}.oid))
         ELSE {0}.relname END)",
                     alias);
}

}  // namespace

std::string TableProperties::catalog_query(const ServerFacts& facts) {
  // attlen: half of all columns can be stored in one way only, and need not be joined; nor need relations
  // that are no toast tables.
  return fmt::format(R"(
SELECT n.nspname AS schema, c.relname AS name, c.oid, c.relkind AS kind, c.reloptions AS storage, {3} AS hypertable,
       toast.reloptions AS toast, ts.spcname AS tablespace, d.description AS comment, c.relreplident AS identity,
       CASE WHEN c.relreplident = 'i' THEN (
         SELECT {4} FROM pg_catalog.pg_index i JOIN pg_catalog.pg_class x ON x.oid = i.indexrelid
         WHERE i.indrelid = c.oid AND i.indisreplident) END AS identity_index,
       {5} AS cluster, constraints.names AS constraint_indexes,
       a.target_columns, a.targets, a.storage_columns, a.storages, a.compression_columns, a.compressions,
       a.option_columns, comments.columns AS comment_columns, comments.texts AS comment_texts
FROM pg_catalog.pg_class c
JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace
LEFT JOIN pg_catalog.pg_class toast ON toast.oid = c.reltoastrelid AND toast.relkind = 't'
LEFT JOIN pg_catalog.pg_tablespace ts ON ts.oid = c.reltablespace
LEFT JOIN pg_catalog.pg_description d
  ON d.objoid = c.oid AND d.classoid = 'pg_catalog.pg_class'::pg_catalog.regclass AND d.objsubid = 0
LEFT JOIN (pg_catalog.pg_index ci JOIN pg_catalog.pg_class cluster ON cluster.oid = ci.indexrelid)
  ON ci.indrelid = c.oid AND ci.indisclustered
LEFT JOIN (
  SELECT a.attrelid,
         pg_catalog.array_agg(a.attname ORDER BY a.attnum) FILTER (WHERE a.attstattarget >= 0) AS target_columns,
         pg_catalog.array_agg(a.attstattarget ORDER BY a.attnum) FILTER (WHERE a.attstattarget >= 0) AS targets,
         pg_catalog.array_agg(a.attname ORDER BY a.attnum) FILTER (WHERE a.attstorage <> t.typstorage)
           AS storage_columns,
         pg_catalog.array_agg(a.attstorage ORDER BY a.attnum) FILTER (WHERE a.attstorage <> t.typstorage) AS storages,
         pg_catalog.array_agg(a.attname ORDER BY a.attnum) FILTER (WHERE a.attcompression <> '')
           AS compression_columns,
         pg_catalog.array_agg(a.attcompression ORDER BY a.attnum) FILTER (WHERE a.attcompression <> '')
           AS compressions,
         pg_catalog.array_agg(a.attname ORDER BY a.attnum) FILTER (WHERE {0}) AS option_columns
  FROM pg_catalog.pg_attribute a JOIN pg_catalog.pg_type t ON t.oid = a.atttypid
  JOIN pg_catalog.pg_class r ON r.oid = a.attrelid AND r.relkind IN ('r', 'p', 'm')
  WHERE a.attrelid >= 16384 AND a.attnum > 0 AND NOT a.attisdropped  -- the server's own have lower oids
    AND (a.attlen < 0 OR a.attstattarget >= 0 OR {0})
    AND (a.attstattarget >= 0 OR a.attstorage <> t.typstorage OR a.attcompression <> '' OR {0})
  GROUP BY a.attrelid) a ON a.attrelid = c.oid
LEFT JOIN (
  SELECT d.objoid, pg_catalog.array_agg(a.attname ORDER BY a.attnum) AS columns,
         pg_catalog.array_agg(d.description ORDER BY a.attnum) AS texts
  FROM pg_catalog.pg_description d
  JOIN pg_catalog.pg_attribute a ON a.attrelid = d.objoid AND a.attnum = d.objsubid
  WHERE d.classoid = 'pg_catalog.pg_class'::pg_catalog.regclass AND d.objsubid > 0
  GROUP BY d.objoid) comments ON comments.objoid = c.oid
LEFT JOIN (
  SELECT k.conrelid, pg_catalog.array_agg(k.conname ORDER BY k.conname) AS names
  FROM pg_catalog.pg_constraint k WHERE k.contype IN ('p', 'u', 'x')
  GROUP BY k.conrelid) constraints ON constraints.conrelid = c.oid
WHERE c.relkind IN ('r', 'p', 'm') AND c.relpersistence <> 't'
  AND n.nspname <> 'information_schema' AND n.nspname <> {1} AND n.nspname !~ '^(pg_|_timescaledb_)'
  AND NOT EXISTS (SELECT FROM pg_catalog.pg_depend e WHERE e.objid = c.oid AND e.deptype = 'e'
                  AND e.classid = 'pg_catalog.pg_class'::pg_catalog.regclass){2}
ORDER BY n.nspname, c.relname)",
                     own_options, quote_literal(facts.history_schema),
                     is_no_chunk_sql(facts, "n.nspname", "c.relname"),
                     facts.timescale ? "EXISTS (SELECT FROM _timescaledb_catalog.hypertable h WHERE "
                                       "h.schema_name = n.nspname AND h.table_name = c.relname)"
                                     : "false",
                     index_name_sql("x"), index_name_sql("cluster"));
}

namespace {

/// The words of pg_attribute's one-letter codes.
Options decoded(const Options& options,
                std::initializer_list<std::pair<std::string_view, std::string_view>> words) {
  Options result;
  for (const auto& option : options) {
    const auto found = std::find_if(words.begin(), words.end(),
                                    [&](const auto& word) { return word.first == option.second; });
    result[option.first] = found == words.end() ? option.second : std::string(found->second);
  }
  return result;
}

std::string identity_of(const Row& row) {
  const std::string code = row.text("identity");
  if (code == "f") return "full";
  if (code == "n") return "nothing";
  if (code != "i") return "";
  // Of an index that was dropped the server keeps the letter, and does as with nothing.
  return row.value("identity_index") ? std::string(index_prefix) + row.text("identity_index") : "nothing";
}

}  // namespace

TableProperties TableProperties::read(const Row& row) {
  TableProperties table{.name = {row.text("schema"), row.text("name")}};
  table.storage = row.options("storage");
  for (const auto& [name, value] : row.options("toast")) table.storage["toast." + name] = value;
  table.statistics = row.options("target_columns", "targets");
  table.column_storage = decoded(row.options("storage_columns", "storages"),
                                 {{"p", "plain"}, {"e", "external"}, {"x", "extended"}, {"m", "main"}});
  table.compression =
      decoded(row.options("compression_columns", "compressions"), {{"p", "pglz"}, {"l", "lz4"}});
  table.replica_identity = identity_of(row);
  table.cluster = row.text("cluster");
  table.tablespace = row.text("tablespace");
  table.comment = row.text("comment");
  table.comments = row.options("comment_columns", "comment_texts");
  return table;
}

TableFacts TableProperties::read_facts(const Row& row) {
  TableFacts facts{.oid = row.text("oid"),
                   .kind = row.text("kind").front(),
                   .hypertable = row.boolean("hypertable"),
                   .unmanaged = {},
                   .constraint_indexes = row.list("constraint_indexes"),
                   .parts = {},
                   .unlinked = {},
                   .constraints = {}};
  for (const std::string& column : row.list("option_columns"))
    facts.unmanaged.push_back(fmt::format("the attribute options (n_distinct) of \"{}\"", column));
  return facts;
}

std::string identity_index(const TableProperties& table) {
  const std::string& identity = table.replica_identity;
  return identity.starts_with(index_prefix) ? identity.substr(index_prefix.size()) : "";
}

std::vector<std::string> remarks(const TableProperties&, const TableFacts& facts) {
  std::vector<std::string> remarks;
  for (const std::string& what : facts.unmanaged) remarks.push_back("not managed: " + what);
  return remarks;
}

std::vector<std::pair<std::string, std::string>> check(const TableProperties& table) {
  std::vector<std::pair<std::string, std::string>> problems;
  const auto problem = [&](std::string field, std::string message) {
    problems.emplace_back(std::move(field), std::move(message));
  };
  for (const auto& [name, value] : table.storage)
    if (!is_word(name.starts_with("toast.") ? std::string_view(name).substr(6) : name))
      problem("storage", fmt::format("has no parameter named \"{}\"", name));
  for (const auto& [column, target] : table.statistics)
    if (!is_number(target, 0, 10'000))
      problem("statistics", fmt::format("must give targets from 0 to 10000, not {} = {}", column, target));
  for (const auto& [column, storage] : table.column_storage)
    if (!is_one_of(storage, {"plain", "external", "extended", "main"}))
      problem("column_storage",
              fmt::format("must be plain, external, extended or main, not {} = {}", column, storage));
  for (const auto& [column, method] : table.compression)
    if (!is_one_of(method, {"pglz", "lz4"}))
      problem("compression", fmt::format("must be pglz or lz4, not {} = {}", column, method));
  if (!is_one_of(table.indexes, {"", "declared", "exclusive"}))
    problem("indexes", "must be declared or exclusive");
  const std::string& identity = table.replica_identity;
  if (!is_one_of(identity, {"", "default", "full", "nothing"}) && identity_index(table).empty())
    problem("replica_identity", "must be default, full, nothing, or index NAME");
  return problems;
}

bool counts(const TableProperties& table) { return table != TableProperties{.name = table.name}; }

std::string remark(const TableProperties& table, const TableFacts&, std::string_view default_schema) {
  FieldComparer comparer(default_schema, nullptr);
  const TableProperties plain{.name = table.name};
  fields(comparer, plain, table);
  constexpr std::pair<std::string_view, std::string_view> words[] = {
      {"storage", "storage parameters"},
      {"statistics", "statistics targets"},
      {"column_storage", "storage of columns"},
      {"compression", "compression of columns"},
      {"replica_identity", "a replica identity"},
      {"cluster", "an index to cluster by"},
      {"tablespace", "a tablespace"},
      {"comment", "a comment"},
      {"comments", "comments of columns"},
  };
  std::vector<std::string> has;
  for (const FieldChange& change : comparer.take()) {
    const std::string field = change.field.substr(0, change.field.find('.'));
    const auto* word =
        std::find_if(std::begin(words), std::end(words), [&](const auto& one) { return one.first == field; });
    const std::string text = word == std::end(words) ? field : std::string(word->second);
    if (has.empty() || has.back() != text) has.push_back(text);
  }
  return has.empty() ? "" : fmt::format("has {}", fmt::join(has, ", "));
}

std::optional<TableProperties> as_written(const TableProperties& table, const TableFacts& facts,
                                          std::string_view) {
  return counts(table) || !facts.unmanaged.empty() ? std::optional(table) : std::nullopt;
}

}  // namespace kdb
