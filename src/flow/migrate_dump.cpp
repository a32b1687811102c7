#include "flow/migrate_dump.hpp"

#include <fmt/format.h>

#include "base/error.hpp"
#include "base/text.hpp"
#include "core/dump.hpp"
#include "host/pg_client.hpp"
#include "pg/client_environment.hpp"

namespace kdb::flow {

namespace {

/// What TimescaleDB keeps of its own; pg_dump would write it as plain tables.
constexpr std::string_view timescaledb_schemas[] = {"_timescaledb_cache",     "_timescaledb_catalog",
                                                    "_timescaledb_config",    "_timescaledb_internal",
                                                    "_timescaledb_functions", "_timescaledb_debug"};

/// Every hypertable with its dimensions, so that a plain table of the dump becomes one again.
std::vector<DumpedHypertable> hypertables(pg::Connection& connection) {
  const pg::Result installed =
      connection.exec("SELECT count(*) FROM pg_catalog.pg_extension WHERE extname = 'timescaledb'");
  if (installed.integer(0, 0) == 0) return {};
  const pg::Result rows = connection.exec(
      R"(SELECT pg_catalog.format('%I.%I', d.hypertable_schema, d.hypertable_name), d.column_name,
                d.time_interval::pg_catalog.text, d.integer_interval::pg_catalog.text, d.num_partitions::pg_catalog.text, d.integer_now_func
         FROM timescaledb_information.dimensions d
         JOIN timescaledb_information.hypertables h USING (hypertable_schema, hypertable_name)
         WHERE d.hypertable_schema NOT LIKE '\_timescaledb\_%'
         ORDER BY 1, d.dimension_number)");
  std::vector<DumpedHypertable> found;
  for (size_t row = 0; row < rows.size(); ++row) {
    if (found.empty() || found.back().name != rows.text(row, 0)) found.push_back({.name = rows.text(row, 0)});
    const auto optional = [&](size_t column) {
      return rows.is_null(row, column) ? std::string() : rows.text(row, column);
    };
    found.back().dimensions.push_back({.column = rows.text(row, 1),
                                       .interval = optional(2),
                                       .integer_interval = optional(3),
                                       .partitions = optional(4),
                                       .now_function = optional(5)});
  }
  return found;
}

/// What leaves the history out of a dump: its schema, or only its tables where users have things in there
/// too. The names are quoted, so that no character of theirs means something in pg_dump's patterns.
std::vector<std::string> without_history(pg::Connection& connection, const pg::HistoryStore& store) {
  const std::string schema = quote_literal(store.schema());
  std::string tables;
  for (const std::string_view table : pg::HistoryStore::tables)
    tables += (tables.empty() ? "" : ", ") + quote_literal(table);
  const bool shared =
      connection
          .exec(fmt::format(
              R"(WITH own AS (SELECT c.oid FROM pg_catalog.pg_class c JOIN pg_catalog.pg_namespace n
                                               ON n.oid = c.relnamespace WHERE n.nspname = {0} AND c.relname IN ({1}))
              SELECT EXISTS (SELECT FROM pg_catalog.pg_class c JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace
                             WHERE n.nspname = {0} AND c.relkind NOT IN ('i', 'I') AND c.oid NOT IN (SELECT oid FROM own)
                               AND NOT EXISTS (SELECT FROM pg_catalog.pg_depend d
                                               WHERE d.objid = c.oid AND d.refobjid IN (SELECT oid FROM own)))
                  OR EXISTS (SELECT FROM pg_catalog.pg_proc p JOIN pg_catalog.pg_namespace n ON n.oid = p.pronamespace
                             WHERE n.nspname = {0})
                  OR EXISTS (SELECT FROM pg_catalog.pg_type t JOIN pg_catalog.pg_namespace n ON n.oid = t.typnamespace
                             WHERE n.nspname = {0} AND t.typrelid = 0 AND t.typelem = 0))",
              schema, tables))
          .boolean(0, 0);
  if (!shared) return {"--exclude-schema=" + quote_ident(store.schema())};
  std::vector<std::string> arguments;
  for (const std::string_view table : pg::HistoryStore::tables)
    arguments.push_back(
        fmt::format("--exclude-table={}.{}", quote_ident(store.schema()), quote_ident(table)));
  return arguments;
}

}  // namespace

std::string dump(const Context& context) {
  const Session session = open_session(context);
  const std::vector<DumpedHypertable> tables = hypertables(*session.connection);
  std::vector<std::string> arguments = {"--schema-only", "--no-owner", "--no-privileges", "--encoding=UTF8"};
  for (std::string& argument : without_history(*session.connection, session.store))
    arguments.push_back(std::move(argument));
  if (!tables.empty())
    for (const std::string_view schema : timescaledb_schemas)
      arguments.push_back(fmt::format("--exclude-schema={}", schema));
  const std::string text = host::pg_dump(session.connection->server_version() / 10000, arguments,
                                         pg::client_environment(context.connect.url));
  return stable_dump(text, tables);
}

}  // namespace kdb::flow
