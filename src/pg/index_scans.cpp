#include "pg/index_scans.hpp"

#include <set>

#include <fmt/format.h>

#include "base/text.hpp"
#include "pg/explain.hpp"

namespace kdb::pg {

namespace {

/// All indexes of the tables of these, and of all parts of the tables.
constexpr std::string_view scans_sql = R"(
WITH RECURSIVE wanted AS (
  SELECT x.indrelid
  FROM (VALUES {wanted}) AS w (schema, name)
  JOIN pg_catalog.pg_namespace n ON n.nspname = w.schema
  JOIN pg_catalog.pg_class c ON c.relnamespace = n.oid AND c.relname = w.name
  JOIN pg_catalog.pg_index x ON x.indexrelid = c.oid
), parts AS (
  SELECT indrelid FROM wanted
  UNION
  SELECT i.inhrelid FROM parts p JOIN pg_catalog.pg_inherits i ON i.inhparent = p.indrelid
)
SELECT n.nspname, c.relname, coalesce(s.idx_scan, 0), {last}
FROM parts p
JOIN pg_catalog.pg_index x ON x.indrelid = p.indrelid
JOIN pg_catalog.pg_class c ON c.oid = x.indexrelid
JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace
LEFT JOIN pg_catalog.pg_stat_all_indexes s ON s.indexrelid = x.indexrelid
ORDER BY 1, 2)";

constexpr std::string_view counters_sql = R"(
SELECT pg_catalog.current_setting('track_counts') = 'on', pg_catalog.pg_is_in_recovery(),
       pg_catalog.to_char(d.stats_reset AT TIME ZONE 'UTC', 'YYYY-MM-DD HH24:MI "UTC"'),
       pg_catalog.floor(extract(epoch FROM pg_catalog.now() - d.stats_reset))::int8
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
  if (!counters.is_null(0, 3)) statistics.indexes_age = static_cast<double>(counters.integer(0, 3));
  auto& scans = statistics.indexes.emplace();
  if (indexes.empty()) return;
  std::string wanted;
  for (const ObjectName& name : indexes)
    wanted += fmt::format("{}({}, {})", wanted.empty() ? "" : ", ", quote_literal(name.schema),
                          quote_literal(name.name));
  const bool dated = connection.server_version() >= 160000;
  const Result rows = connection.exec(
      fmt::format(scans_sql, fmt::arg("wanted", wanted),
                  fmt::arg("last", dated ? "pg_catalog.to_char(s.last_idx_scan AT TIME ZONE 'UTC', "
                                           "'YYYY-MM-DD HH24:MI \"UTC\"')"
                                         : "NULL")));
  std::vector<ObjectName> found;
  for (size_t row = 0; row < rows.size(); ++row) found.push_back({rows.text(row, 0), rows.text(row, 1)});
  const PlanFacts plan_facts = read_plan_facts(connection, facts, {}, found);
  for (size_t row = 0; row < rows.size(); ++row) {
    const auto whole = plan_facts.indexes.find(found[row]);
    IndexScans& sum = scans[whole == plan_facts.indexes.end() ? found[row] : whole->second];
    sum.scans += rows.integer(row, 2);
    // They sort as they follow each other.
    if (const std::string last = rows.text(row, 3); last > sum.last) sum.last = last;
  }
}

}  // namespace kdb::pg
