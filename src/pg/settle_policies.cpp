#include "pg/settle_policies.hpp"

#include <fmt/format.h>

#include "base/text.hpp"

namespace kdb::pg {

namespace {

/// Chunks that a compression policy would have taken by then. Only those of a timestamptz dimension have an
/// age.
std::string old_chunks_sql(const std::string& anchor) {
  return fmt::format(
      "SELECT pg_catalog.format('%I.%I', c.chunk_schema, c.chunk_name) "
      "FROM timescaledb_information.jobs AS j "
      "JOIN timescaledb_information.chunks AS c USING (hypertable_schema, hypertable_name) "
      "WHERE j.proc_name IN ('policy_compression', 'policy_columnstore') AND NOT c.is_compressed "
      "AND c.range_end < {}::pg_catalog.timestamptz - (j.config->>'compress_after')::pg_catalog.interval "
      "ORDER BY c.range_start, c.chunk_schema, c.chunk_name",
      quote_literal(anchor));
}

std::int64_t size_of(Connection& connection, const std::string& chunk) {
  // With its columnstore, which is a relation beside it.
  return connection
      .exec(fmt::format(
          "SELECT pg_catalog.pg_total_relation_size(c.oid) + COALESCE((SELECT "
          "pg_catalog.pg_total_relation_size(pg_catalog.format('%I.%I', z.schema_name, "
          "z.table_name)::regclass) "
          "FROM _timescaledb_catalog.chunk AS k JOIN _timescaledb_catalog.chunk AS z "
          "ON z.id = k.compressed_chunk_id WHERE k.schema_name = n.nspname AND k.table_name = c.relname), 0) "
          "FROM pg_catalog.pg_class AS c JOIN pg_catalog.pg_namespace AS n ON n.oid = c.relnamespace "
          "WHERE c.oid = {}::regclass",
          quote_literal(chunk)))
      .integer(0, 0);
}

}  // namespace

SettledPolicies settle_policies(Connection& connection, const std::string& anchor) {
  SettledPolicies settled;
  if (!connection.exec("SELECT EXISTS (SELECT FROM pg_catalog.pg_extension WHERE extname = 'timescaledb')")
           .boolean(0, 0))
    return settled;
  const std::string schema = quote_ident(
      connection
          .exec("SELECT n.nspname FROM pg_catalog.pg_extension AS e JOIN pg_catalog.pg_namespace AS n "
                "ON n.oid = e.extnamespace WHERE e.extname = 'timescaledb'")
          .text(0, 0));
  const Result chunks = connection.exec(old_chunks_sql(anchor));
  for (size_t row = 0; row < chunks.size(); ++row) {
    const std::string chunk = chunks.text(row, 0);
    settled.before += size_of(connection, chunk);
    connection.exec(fmt::format("SELECT {}.compress_chunk({}::regclass)", schema, quote_literal(chunk)));
    settled.after += size_of(connection, chunk);
    ++settled.chunks;
  }
  // One may stand on another: those first that were made first.
  const Result views = connection.exec(
      "SELECT pg_catalog.format('%I.%I', view_schema, view_name) FROM "
      "timescaledb_information.continuous_aggregates "
      "AS v JOIN _timescaledb_catalog.continuous_agg AS a ON a.user_view_schema = v.view_schema AND "
      "a.user_view_name = v.view_name ORDER BY a.mat_hypertable_id");
  for (size_t row = 0; row < views.size(); ++row)
    connection.exec(
        fmt::format("CALL {}.refresh_continuous_aggregate({}::regclass, NULL, {}::pg_catalog.timestamptz)",
                    schema, quote_literal(views.text(row, 0)), quote_literal(anchor)));
  return settled;
}

}  // namespace kdb::pg
