#include "pg/index_scans.hpp"

#include <fmt/format.h>

#include "pg/index_names.hpp"

namespace kdb::pg {

namespace {

/// All indexes of the tables of these, and of all parts of the tables, counted for those that they belong to.
constexpr std::string_view scans_sql = R"(
WITH RECURSIVE declared AS MATERIALIZED ({named}), parts AS (
  SELECT indrelid FROM declared
  UNION
  SELECT i.inhrelid FROM parts p JOIN pg_catalog.pg_inherits i ON i.inhparent = p.indrelid
), w AS MATERIALIZED (
  SELECT x.indexrelid AS oid FROM parts p JOIN pg_catalog.pg_index x ON x.indrelid = p.indrelid
), {whole}
SELECT d.schema, d.name, pg_catalog.sum(pg_catalog.pg_stat_get_numscans(whole.oid))::pg_catalog.int8, {last}
FROM whole JOIN declared d ON d.oid = whole.top
GROUP BY d.schema, d.name
ORDER BY 1, 2)";

constexpr std::string_view last_sql =
    "pg_catalog.to_char(pg_catalog.max(pg_catalog.pg_stat_get_lastscan(whole.oid)) AT TIME ZONE 'UTC', "
    "'YYYY-MM-DD HH24:MI \"UTC\"')";

/// What was never reset counts from before the server was started, or from then.
constexpr std::string_view counters_sql = R"(
SELECT pg_catalog.current_setting('track_counts') = 'on', pg_catalog.pg_is_in_recovery(),
       pg_catalog.to_char(d.stats_reset AT TIME ZONE 'UTC', 'YYYY-MM-DD HH24:MI "UTC"'),
       pg_catalog.floor(extract(epoch FROM pg_catalog.now() -
         coalesce(d.stats_reset, pg_catalog.pg_postmaster_start_time())))::int8,
       pg_catalog.to_char(pg_catalog.pg_postmaster_start_time() AT TIME ZONE 'UTC', 'YYYY-MM-DD HH24:MI "UTC"')
FROM pg_catalog.pg_stat_database d WHERE d.datname = pg_catalog.current_database()
ORDER BY 1)";

/// To roles without pg_read_all_stats only that they are there is shown.
constexpr std::string_view replicas_sql = R"(
SELECT coalesce(application_name, '') FROM pg_catalog.pg_stat_replication
WHERE state IS DISTINCT FROM 'backup' ORDER BY 1)";

}  // namespace

void read_index_scans(Connection& connection, const ServerFacts& facts,
                      const std::vector<ObjectName>& indexes, QueryStatistics& statistics) {
  const Result counters = connection.exec(counters_sql);
  const Result replicas = connection.exec(replicas_sql);
  statistics.replicas = static_cast<std::int64_t>(replicas.size());
  for (size_t row = 0; row < replicas.size(); ++row)
    if (!replicas.view(row, 0).empty()) statistics.replica_names.push_back(replicas.text(row, 0));
  if (counters.empty() || !counters.boolean(0, 0)) {
    statistics.why_no_indexes = "the server does not count scans (track_counts = off)";
    return;
  }
  statistics.standby = counters.boolean(0, 1);
  statistics.indexes_since = counters.text(0, 2);
  statistics.server_start = counters.text(0, 4);
  if (!counters.is_null(0, 3)) statistics.indexes_age = static_cast<double>(counters.integer(0, 3));
  auto& scans = statistics.indexes.emplace();
  if (indexes.empty()) return;
  const bool dated = connection.server_version() >= 160000;
  const Result rows = exec_without_jit(
      connection,
      fmt::format(scans_sql, fmt::arg("named", named_indexes_sql(indexes, facts.timescale.has_value())),
                  fmt::arg("whole", whole_indexes_sql),
                  fmt::arg("last", dated ? last_sql : std::string_view("NULL"))));
  for (size_t row = 0; row < rows.size(); ++row)
    scans[{rows.text(row, 0), rows.text(row, 1)}] = {rows.integer(row, 2), rows.text(row, 3)};
}

}  // namespace kdb::pg
