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
std::vector<Hypertable> hypertables(pg::Connection& connection) {
  const pg::Result installed =
      connection.exec("SELECT count(*) FROM pg_catalog.pg_extension WHERE extname = 'timescaledb'");
  if (installed.integer(0, 0) == 0) return {};
  const pg::Result rows = connection.exec(
      R"(SELECT pg_catalog.format('%I.%I', d.hypertable_schema, d.hypertable_name), d.column_name,
                d.time_interval::text, d.integer_interval::text, d.num_partitions::text, d.integer_now_func
         FROM timescaledb_information.dimensions d
         JOIN timescaledb_information.hypertables h USING (hypertable_schema, hypertable_name)
         WHERE d.hypertable_schema NOT LIKE '\_timescaledb\_%'
         ORDER BY 1, d.dimension_number)");
  std::vector<Hypertable> found;
  for (size_t row = 0; row < rows.rows.size(); ++row) {
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

}  // namespace

std::string dump(const Context& context) {
  const Session session = open_session(context);
  const std::vector<Hypertable> tables = hypertables(*session.connection);
  std::vector<std::string> arguments = {"--schema-only", "--no-owner", "--no-privileges", "--encoding=UTF8",
                                        "--exclude-schema=" + session.store.schema()};
  if (!tables.empty())
    for (const std::string_view schema : timescaledb_schemas)
      arguments.push_back(fmt::format("--exclude-schema={}", schema));
  const std::string text = host::pg_dump(session.connection->server_version() / 10000, arguments,
                                         pg::client_environment(context.connect.url));
  return stable_dump(text, tables);
}

}  // namespace kdb::flow
