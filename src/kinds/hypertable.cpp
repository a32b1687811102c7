#include "kinds/hypertable.hpp"

#include <algorithm>
#include <charconv>

#include <fmt/format.h>

#include "base/interval.hpp"
#include "base/text.hpp"

namespace kdb {

namespace {

constexpr std::string_view dimensions_sql = R"(
JOIN (
  SELECT d.hypertable_id, pg_catalog.array_agg(d.column_name ORDER BY v.dimension_number) AS columns,
         pg_catalog.array_agg(v.time_interval ORDER BY v.dimension_number) AS intervals,
         pg_catalog.array_agg(v.integer_interval ORDER BY v.dimension_number) AS integer_intervals,
         pg_catalog.array_agg(v.num_partitions ORDER BY v.dimension_number) AS partitions,
         pg_catalog.array_agg(d.partitioning_func_schema ORDER BY v.dimension_number) AS function_schemas,
         pg_catalog.array_agg(d.partitioning_func ORDER BY v.dimension_number) AS functions,
         (pg_catalog.array_agg(d.column_type ORDER BY v.dimension_number))[1] AS time_type,
         (pg_catalog.array_agg(d.integer_now_func_schema ORDER BY v.dimension_number))[1] AS now_schema,
         (pg_catalog.array_agg(d.integer_now_func ORDER BY v.dimension_number))[1] AS now_function,
         (pg_catalog.array_agg(d.compress_interval_length ORDER BY v.dimension_number))[1] AS compress_interval,
         (pg_catalog.array_agg(v.integer_interval ORDER BY v.dimension_number))[1] IS NOT NULL AS integer_time
  FROM _timescaledb_catalog.dimension d
  JOIN _timescaledb_catalog.hypertable t ON t.id = d.hypertable_id
  JOIN timescaledb_information.dimensions v
    ON v.hypertable_schema = t.schema_name AND v.hypertable_name = t.table_name AND v.column_name = d.column_name
  GROUP BY d.hypertable_id) d ON d.hypertable_id = ht.id)";

constexpr std::string_view chunks_sql = R"(
LEFT JOIN (
  SELECT v.hypertable_schema, v.hypertable_name, pg_catalog.count(*) AS chunks,
         pg_catalog.count(*) FILTER (WHERE v.is_compressed) AS compressed,
         pg_catalog.array_agg((EXTRACT(epoch FROM pg_catalog.now() - v.range_end) * 1000000)::int8 ORDER BY v.range_end)
           FILTER (WHERE pg_catalog.isfinite(v.range_end)) AS ages
  FROM timescaledb_information.chunks v
  GROUP BY v.hypertable_schema, v.hypertable_name) k
  ON k.hypertable_schema = h.hypertable_schema AND k.hypertable_name = h.hypertable_name
LEFT JOIN (
  SELECT i.inhparent, pg_catalog.sum(kc.relpages::int8) * pg_catalog.current_setting('block_size')::int8 AS bytes,
         CASE WHEN pg_catalog.bool_and(kc.reltuples >= 0) THEN pg_catalog.sum(kc.reltuples)::int8 END AS rows
  FROM pg_catalog.pg_inherits i JOIN pg_catalog.pg_class kc ON kc.oid = i.inhrelid
  GROUP BY i.inhparent) size ON size.inhparent = c.oid)";

std::string skipping_sql(const ServerFacts& facts) {
  if (facts.timescale->number < has_chunk_skipping) return "NULL::text[]";
  // The hypertable's own row has no chunk: 0 in older versions, NULL now.
  return R"((
         SELECT pg_catalog.array_agg(s.column_name ORDER BY s.column_name) FROM _timescaledb_catalog.chunk_column_stats s
         WHERE s.hypertable_id = ht.id AND coalesce(s.chunk_id, 0) = 0))";
}

}  // namespace

std::string Hypertable::catalog_query(const ServerFacts& facts) {
  if (!facts.timescale) return {};
  return fmt::format(
      R"(
WITH {jobs}
SELECT h.hypertable_schema AS schema, h.hypertable_name AS name, c.oid, h.compression_enabled AS columnstore,{columnstore}{compression}{retention}{reorder}
       d.columns, d.intervals, d.integer_intervals, d.partitions, d.function_schemas, d.functions, d.time_type,
       d.now_schema, d.now_function, d.integer_time,
       CASE WHEN d.integer_time THEN d.compress_interval::text
            ELSE pg_catalog.justify_hours(pg_catalog.make_interval(secs => d.compress_interval / 1000000.0))::text
       END AS compress_interval,
       {skipping} AS chunk_skipping, h.tablespaces, k.chunks, k.compressed, k.ages, size.rows, size.bytes,
       CASE WHEN ht.associated_schema_name <> '_timescaledb_internal'
              OR ht.associated_table_prefix <> '_hyper_' || ht.id
            THEN ht.associated_schema_name || '.' || ht.associated_table_prefix END AS chunk_names,
       ht.chunk_target_size > 0 AS adaptive
FROM timescaledb_information.hypertables h
JOIN _timescaledb_catalog.hypertable ht
  ON ht.schema_name = h.hypertable_schema AND ht.table_name = h.hypertable_name
JOIN pg_catalog.pg_namespace n ON n.nspname = ht.schema_name
JOIN pg_catalog.pg_class c ON c.relnamespace = n.oid AND c.relname = ht.table_name{dimensions}{settings}{chunks}{joins}
WHERE h.hypertable_schema <> {history}
ORDER BY h.hypertable_schema, h.hypertable_name)",
      fmt::arg("jobs", policy_jobs_sql(facts)), fmt::arg("columnstore", columnstore_columns_sql(facts)),
      fmt::arg("compression",
               policy_columns_sql("compression", {"compress_after", "compress_created_before"})),
      fmt::arg("retention", policy_columns_sql("retention", {"drop_after", "drop_created_before"})),
      fmt::arg("reorder", policy_columns_sql("reorder", {"index_name"})),
      fmt::arg("skipping", skipping_sql(facts)), fmt::arg("dimensions", dimensions_sql),
      fmt::arg("settings", columnstore_join_sql(facts, "h.hypertable_schema", "h.hypertable_name", "c.oid")),
      fmt::arg("chunks", chunks_sql),
      fmt::arg("joins", policy_join_sql("compression", "policy_compression", "ht.id") +
                            policy_join_sql("retention", "policy_retention", "ht.id") +
                            policy_join_sql("reorder", "policy_reorder", "ht.id")),
      fmt::arg("history", quote_literal(facts.history_schema)));
}

namespace {

/// The server's own hash is the default, in whatever schema its version has it.
ObjectName function_of(const std::string& schema, const std::string& name) {
  if (schema.starts_with("_timescaledb_") && name == "get_partition_hash") return {};
  return {schema, name};
}

/// A dimension's interval out of two arrays, of which one has it.
Span interval_at(const std::vector<std::string>& intervals, const std::vector<std::string>& numbers,
                 size_t at) {
  if (!numbers[at].empty()) return read_span(numbers[at], true);
  return intervals[at].empty() ? Span{} : read_span(intervals[at], false);
}

void read_dimensions(const Row& row, Hypertable& hypertable) {
  const std::vector<std::string> columns = row.list("columns");
  const std::vector<std::string> intervals = row.list("intervals");
  const std::vector<std::string> numbers = row.list("integer_intervals");
  const std::vector<std::string> partitions = row.list("partitions");
  const std::vector<std::string> schemas = row.list("function_schemas");
  const std::vector<std::string> functions = row.list("functions");
  for (size_t i = 0; i < columns.size(); ++i) {
    Dimension dimension{.column = columns[i],
                        .partitions = {},
                        .interval = interval_at(intervals, numbers, i),
                        .function = function_of(schemas[i], functions[i])};
    if (!partitions[i].empty()) dimension.partitions = std::stoi(partitions[i]);
    if (i > 0) {
      hypertable.dimensions.push_back(std::move(dimension));
      continue;
    }
    hypertable.time_column = std::move(dimension.column);
    hypertable.time_function = std::move(dimension.function);
    hypertable.chunk_interval = std::move(dimension.interval);
  }
}

}  // namespace

Hypertable Hypertable::read(const Row& row) {
  Hypertable hypertable{.name = {row.text("schema"), row.text("name")}};
  read_dimensions(row, hypertable);
  hypertable.integer_now = {row.text("now_schema"), row.text("now_function")};
  hypertable.columnstore = read_columnstore(row);
  if (row.value("retention_id"))
    hypertable.retention =
        Retention{.drop_after = read_span(row, "retention", "drop_after"),
                  .drop_created_before = read_span(row, "retention", "drop_created_before"),
                  .schedule = read_schedule(row, "retention")};
  if (row.value("reorder_id"))
    hypertable.reorder =
        Reorder{.index = row.text("reorder_index_name"), .schedule = read_schedule(row, "reorder")};
  hypertable.chunk_skipping = row.list("chunk_skipping");
  hypertable.tablespaces = row.list("tablespaces");
  return hypertable;
}

HypertableFacts Hypertable::read_facts(const Row& row) {
  HypertableFacts facts{.oid = row.text("oid"),
                        .time_type = row.text("time_type"),
                        .estimate = {},
                        .chunks = row.integer("chunks"),
                        .compressed = row.integer("compressed"),
                        .ages = {},
                        .compression = read_job(row, "compression"),
                        .retention = read_job(row, "retention"),
                        .reorder = read_job(row, "reorder"),
                        .unmanaged = {}};
  if (row.value("rows")) facts.estimate.rows = row.integer("rows");
  if (row.value("bytes")) facts.estimate.bytes = row.integer("bytes");
  for (const std::string& age : row.list("ages")) facts.ages.push_back(std::stoll(age));
  add_unmanaged("columnstore", facts.compression, facts.unmanaged);
  add_unmanaged("retention", facts.retention, facts.unmanaged);
  add_unmanaged("reorder", facts.reorder, facts.unmanaged);
  if (facts.compression && !row.boolean("columnstore"))
    facts.unmanaged.emplace_back("a compression policy, whose runs fail because compression is off");
  if (row.boolean("sparse_indexes")) facts.unmanaged.emplace_back("sparse indexes of the columnstore");
  if (row.value("chunk_names"))
    facts.unmanaged.push_back(fmt::format("chunks are named {}…", row.text("chunk_names")));
  if (row.boolean("adaptive")) facts.unmanaged.emplace_back("adaptive chunking");
  return facts;
}

namespace {

/// The reorder policy takes no schedule when it is added: half a chunk's time (reorder_api.c).
bool is_half_of(const Span& schedule, const Span& chunk) {
  const auto half = parse_interval(schedule.text);
  const auto whole = parse_interval(chunk.text);
  if (!half || !whole || chunk.number) return false;
  return length_of(
             {.months = 2 * half->months, .days = 2 * half->days, .microseconds = 2 * half->microseconds}) ==
         length_of(*whole);
}

}  // namespace

std::optional<Hypertable> as_written(const Hypertable& hypertable, const HypertableFacts&, std::string_view) {
  Hypertable written = hypertable;
  // What the server takes and a profile may not have, such as a retention of -1 day, is left out and
  // remarked.
  for (const auto& [field, message] : check(hypertable)) {
    if (field.starts_with("columnstore")) written.columnstore.reset();
    if (field.starts_with("retention")) written.retention.reset();
    if (field.starts_with("reorder")) written.reorder.reset();
  }
  if (written.retention) written.retention = as_written(*written.retention);
  if (written.reorder && is_half_of(written.reorder->schedule.interval, written.chunk_interval))
    written.reorder->schedule.interval = {};
  return written;
}

std::vector<std::string> remarks(const Hypertable& hypertable, const HypertableFacts& facts) {
  std::vector<std::string> remarks;
  for (const std::string& what : facts.unmanaged) remarks.push_back("not managed: " + what);
  for (const auto& [field, message] : check(hypertable))
    remarks.push_back(fmt::format("not managed: {} {}", field, message));
  return remarks;
}

namespace {

void check_dimensions(const Hypertable& hypertable, FieldProblems& problems) {
  constexpr int most = 32'767;  // a smallint
  std::vector<std::string> seen{hypertable.time_column};
  for (size_t i = 0; i < hypertable.dimensions.size(); ++i) {
    const Dimension& dimension = hypertable.dimensions[i];
    const std::string field = fmt::format("dimensions[{}]", i + 1);
    if (dimension.column.empty()) {
      problems.emplace_back(field + ".column", "is missing: partitioned by which column");
    } else if (std::count(seen.begin(), seen.end(), dimension.column) > 0) {
      problems.emplace_back(field + ".column", fmt::format("is a dimension already: {}", dimension.column));
    }
    seen.push_back(dimension.column);
    if (!dimension.partitions && dimension.interval.empty())
      problems.emplace_back(field + ".partitions", "is missing: how many, or an interval");
    if (dimension.partitions && !dimension.interval.empty())
      problems.emplace_back(field + ".interval", "cannot be beside partitions");
    if (dimension.partitions && (*dimension.partitions < 1 || *dimension.partitions > most))
      problems.emplace_back(field + ".partitions", fmt::format("must be from 1 to {}", most));
    check_span(dimension.interval, field + ".interval", problems);
  }
}

void check_names(const std::vector<std::string>& names, const std::string& field, FieldProblems& problems) {
  for (const std::string& name : names)
    if (std::count(names.begin(), names.end(), name) > 1) {
      problems.emplace_back(field, fmt::format("names {} twice", name));
      return;
    }
}

}  // namespace

FieldProblems check(const Hypertable& hypertable) {
  FieldProblems problems;
  if (hypertable.time_column.empty())
    problems.emplace_back("time_column", "is missing: which column has the time");
  check_span(hypertable.chunk_interval, "chunk_interval", problems);
  check_dimensions(hypertable, problems);
  if (hypertable.columnstore) check(*hypertable.columnstore, "columnstore", problems);
  if (hypertable.retention) check(*hypertable.retention, "retention", problems);
  if (hypertable.reorder) check(*hypertable.reorder, "reorder", problems);
  check_names(hypertable.chunk_skipping, "chunk_skipping", problems);
  check_names(hypertable.tablespaces, "tablespaces", problems);
  if (hypertable.when_unavailable != "error" && hypertable.when_unavailable != "skip")
    problems.emplace_back("when_unavailable", "must be error or skip");
  return problems;
}

FieldProblems doubts(const Hypertable& hypertable) {
  FieldProblems problems;
  if (hypertable.columnstore && hypertable.retention) {
    const Span& compress = hypertable.columnstore->compress_after;
    const Span& drop = hypertable.retention->drop_after;
    if (!compress.empty() && !drop.empty() && (drop == compress || compare_intervals(drop, compress) < 0))
      problems.emplace_back(
          "retention.drop_after",
          fmt::format("must be longer than columnstore.compress_after: rows are dropped after {} "
                      "and compressed after {}",
                      drop.text, compress.text));
  }
  return problems;
}

}  // namespace kdb
