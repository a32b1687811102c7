#include "kinds/continuous_aggregate.hpp"

#include <algorithm>
#include <functional>
#include <numeric>
#include <set>

#include <fmt/format.h>

#include "base/sql.hpp"
#include "base/text.hpp"
#include "kinds/declared.hpp"

namespace kdb {

namespace {

/// From 2.22 on there may be several.
constexpr std::string_view first_refresh_sql = R"(
  AND refresh.job_id = (
    SELECT pg_catalog.min(o.job_id) FROM jobs o
    WHERE o.hypertable_id = ht.id AND o.proc_name = 'policy_refresh_continuous_aggregate'))";

}  // namespace

std::string ContinuousAggregate::catalog_query(const ServerFacts& facts) {
  if (!facts.timescale) return {};
  return fmt::format(
      R"(
WITH {jobs}
SELECT a.view_schema AS schema, a.view_name AS name, v.oid, a.view_definition AS query, a.materialized_only,
       a.hypertable_schema AS source_schema, a.hypertable_name AS source_name,
       a.compression_enabled AS columnstore,{columnstore}{refresh}{compression}{retention}
       a.materialization_hypertable_schema AS table_schema, a.materialization_hypertable_name AS table_name,
       d.column_name AS time_column, d.interval_length IS NOT NULL AND d.compress_interval_length IS NOT NULL AS merges,
       false AS integer_time, NULL AS compress_interval, size.chunks, size.rows, size.bytes, (
         SELECT pg_catalog.count(*) FROM timescaledb_information.chunks k
         WHERE k.is_compressed AND k.hypertable_schema = a.materialization_hypertable_schema
           AND k.hypertable_name = a.materialization_hypertable_name) AS compressed, (
         SELECT pg_catalog.count(*) FROM jobs r
         WHERE r.hypertable_id = ht.id AND r.proc_name = 'policy_refresh_continuous_aggregate') AS refreshes
FROM timescaledb_information.continuous_aggregates a
JOIN pg_catalog.pg_namespace vn ON vn.nspname = a.view_schema
JOIN pg_catalog.pg_class v ON v.relnamespace = vn.oid AND v.relname = a.view_name
JOIN _timescaledb_catalog.hypertable ht
  ON ht.schema_name = a.materialization_hypertable_schema AND ht.table_name = a.materialization_hypertable_name
JOIN pg_catalog.pg_namespace n ON n.nspname = ht.schema_name
JOIN pg_catalog.pg_class c ON c.relnamespace = n.oid AND c.relname = ht.table_name
JOIN _timescaledb_catalog.dimension d
  ON d.hypertable_id = ht.id AND d.id = (
    SELECT pg_catalog.min(o.id) FROM _timescaledb_catalog.dimension o WHERE o.hypertable_id = ht.id){settings}
LEFT JOIN (
  SELECT i.inhparent, pg_catalog.count(*) AS chunks,
         pg_catalog.sum(kc.relpages::int8) * pg_catalog.current_setting('block_size')::int8 AS bytes,
         CASE WHEN pg_catalog.bool_and(kc.reltuples >= 0) THEN pg_catalog.sum(kc.reltuples)::int8 END AS rows
  FROM pg_catalog.pg_inherits i JOIN pg_catalog.pg_class kc ON kc.oid = i.inhrelid
  GROUP BY i.inhparent) size ON size.inhparent = c.oid{joins}
WHERE a.view_schema <> {history}
ORDER BY a.view_schema, a.view_name)",
      fmt::arg("jobs", policy_jobs_sql(facts)), fmt::arg("columnstore", columnstore_columns_sql(facts)),
      fmt::arg("refresh", policy_columns_sql("refresh", {"start_offset", "end_offset"})),
      fmt::arg("compression",
               policy_columns_sql("compression", {"compress_after", "compress_created_before"})),
      fmt::arg("retention", policy_columns_sql("retention", {"drop_after", "drop_created_before"})),
      fmt::arg("settings", columnstore_join_sql(facts, "a.materialization_hypertable_schema",
                                                "a.materialization_hypertable_name", "c.oid")),
      fmt::arg("joins", policy_join_sql("refresh", "policy_refresh_continuous_aggregate", "ht.id") +
                            std::string(first_refresh_sql) +
                            policy_join_sql("compression", "policy_compression", "ht.id") +
                            policy_join_sql("retention", "policy_retention", "ht.id")),
      fmt::arg("history", quote_literal(facts.history_schema)));
}

bool reads(const ContinuousAggregate& aggregate, const ObjectName& other) {
  return sql::has_identifier(aggregate.query.sql, other.name);
}

std::vector<size_t> sources_first(const std::vector<Declared<ContinuousAggregate>>& declared) {
  std::vector<size_t> by_name(declared.size());
  std::iota(by_name.begin(), by_name.end(), size_t{0});
  std::sort(by_name.begin(), by_name.end(),
            [&](size_t a, size_t b) { return declared[a].value < declared[b].value; });
  std::vector<size_t> order;
  std::set<size_t> seen;
  const std::function<void(size_t)> add = [&](size_t at) {
    if (!seen.insert(at).second) return;
    for (const size_t source : by_name)
      if (source != at && reads(declared[at].value, declared[source].value.name)) add(source);
    order.push_back(at);
  };
  for (const size_t at : by_name) add(at);
  return order;
}

std::vector<ObjectName> readers_of(const ObjectName& name,
                                   const std::vector<Live<ContinuousAggregate>>& live) {
  std::vector<ObjectName> readers;
  const auto read =
      std::find_if(live.begin(), live.end(), [&](const auto& one) { return one.value.name == name; });
  if (read == live.end()) return readers;
  for (const auto& one : live)
    if (one.facts.source == read->facts.materialization) readers.push_back(one.value.name);
  return readers;
}

std::vector<size_t> order_of_changes(const std::vector<Declared<ContinuousAggregate>>& declared,
                                     const std::vector<Live<ContinuousAggregate>>& live) {
  std::vector<Declared<ContinuousAggregate>> known = declared;
  std::set<ObjectName> absent;
  for (auto& one : known) {
    if (!one.absent) continue;
    absent.insert(one.value.name);
    for (const auto& there : live)  // declared absent, it has no query
      if (there.value.name == one.value.name) one.value.query = there.value.query;
  }
  const std::function<bool(const ObjectName&)> is_needed = [&](const ObjectName& name) {
    const std::vector<ObjectName> readers = readers_of(name, live);
    return std::any_of(readers.begin(), readers.end(), [&](const ObjectName& reader) {
      return absent.count(reader) == 0 || is_needed(reader);
    });
  };
  std::vector<size_t> order;
  std::vector<size_t> kept;
  std::vector<size_t> last;
  for (const size_t at : sources_first(known))
    (!known[at].absent ? kept : is_needed(known[at].value.name) ? last : order).push_back(at);
  std::reverse(order.begin(), order.end());
  order.insert(order.end(), kept.begin(), kept.end());
  order.insert(order.end(), last.rbegin(), last.rend());
  return order;
}

std::string_view bare_query(std::string_view printed) {
  printed = trim(printed);
  if (printed.ends_with(';')) printed = trim(printed.substr(0, printed.size() - 1));
  return printed;
}

ContinuousAggregate ContinuousAggregate::read(const Row& row) {
  ContinuousAggregate aggregate{.name = {row.text("schema"), row.text("name")}};
  aggregate.query.sql = bare_query(row.text("query"));
  aggregate.materialized_only = row.boolean("materialized_only");
  if (row.value("refresh_id"))
    aggregate.refresh = Refresh{.start_offset = read_span(row, "refresh", "start_offset"),
                                .end_offset = read_span(row, "refresh", "end_offset"),
                                .schedule = read_schedule(row, "refresh")};
  aggregate.columnstore = read_columnstore(row);
  if (row.value("retention_id"))
    aggregate.retention = Retention{.drop_after = read_span(row, "retention", "drop_after"),
                                    .drop_created_before = read_span(row, "retention", "drop_created_before"),
                                    .schedule = read_schedule(row, "retention")};
  return aggregate;
}

ContinuousAggregateFacts ContinuousAggregate::read_facts(const Row& row) {
  ContinuousAggregateFacts facts{.oid = row.text("oid"),
                                 .source = {row.text("source_schema"), row.text("source_name")},
                                 .materialization = {row.text("table_schema"), row.text("table_name")},
                                 .time_column = row.text("time_column"),
                                 .estimate = {},
                                 .chunks = row.integer("chunks"),
                                 .compressed = row.integer("compressed"),
                                 .refresh = read_job(row, "refresh"),
                                 .compression = read_job(row, "compression"),
                                 .retention = read_job(row, "retention"),
                                 .unmanaged = {}};
  if (row.value("rows")) facts.estimate.rows = row.integer("rows");
  if (row.value("bytes")) facts.estimate.bytes = row.integer("bytes");
  if (row.integer("refreshes") > 1)
    facts.unmanaged.push_back(fmt::format("{} more refresh policies", row.integer("refreshes") - 1));
  add_unmanaged("refresh", facts.refresh, facts.unmanaged);
  add_unmanaged("columnstore", facts.compression, facts.unmanaged);
  add_unmanaged("retention", facts.retention, facts.unmanaged);
  if (row.boolean("merges"))
    facts.unmanaged.emplace_back("up to which interval chunks are merged when compressed");
  if (row.boolean("sparse_indexes")) facts.unmanaged.emplace_back("sparse indexes of the columnstore");
  return facts;
}

std::optional<ContinuousAggregate> as_written(const ContinuousAggregate& aggregate,
                                              const ContinuousAggregateFacts&, std::string_view) {
  ContinuousAggregate written = aggregate;
  for (const auto& [field, message] : check(aggregate)) {
    if (field.starts_with("refresh")) written.refresh.reset();
    if (field.starts_with("columnstore")) written.columnstore.reset();
    if (field.starts_with("retention")) written.retention.reset();
  }
  if (written.retention) written.retention = as_written(*written.retention);
  return written;
}

std::vector<std::string> remarks(const ContinuousAggregate& aggregate,
                                 const ContinuousAggregateFacts& facts) {
  std::vector<std::string> remarks;
  for (const std::string& what : facts.unmanaged) remarks.push_back("not managed: " + what);
  for (const auto& [field, message] : check(aggregate))
    remarks.push_back(fmt::format("not managed: {} {}", field, message));
  return remarks;
}

FieldProblems check(const ContinuousAggregate& aggregate) {
  FieldProblems problems;
  if (aggregate.query.sql.empty()) problems.emplace_back("query", "is missing: what is aggregated");
  if (aggregate.refresh) check(*aggregate.refresh, "refresh", problems);
  if (aggregate.columnstore) {
    check(*aggregate.columnstore, "columnstore", problems);
    if (!aggregate.columnstore->chunk_interval.empty())
      problems.emplace_back("columnstore.chunk_interval", "is for hypertables only");
    if (!aggregate.columnstore->compress_created_before.empty())
      problems.emplace_back("columnstore.compress_created_before", "is for hypertables only");
  }
  if (aggregate.retention) check(*aggregate.retention, "retention", problems);
  if (aggregate.when_unavailable != "error" && aggregate.when_unavailable != "skip")
    problems.emplace_back("when_unavailable", "must be error or skip");
  return problems;
}

FieldProblems doubts(const ContinuousAggregate& aggregate) {
  FieldProblems problems;
  // What was dropped would be made again, as far as the source still has the rows, and empty where not.
  if (aggregate.retention && aggregate.refresh && !aggregate.refresh->start_offset.empty() &&
      compare_intervals(aggregate.retention->drop_after, aggregate.refresh->start_offset) < 0)
    problems.emplace_back(
        "retention.drop_after",
        fmt::format("is shorter than refresh.start_offset: what is older than {} is dropped, and "
                    "made again by the next refresh",
                    aggregate.retention->drop_after.text));
  return problems;
}

}  // namespace kdb
