#include "pg/tuning_facts.hpp"

#include <string_view>

#include <fmt/format.h>

namespace kdb::pg {

namespace {

std::optional<std::int64_t> number(const Result& rows, size_t column) {
  if (rows.empty() || rows.is_null(0, column)) return std::nullopt;
  return rows.integer(0, column);
}

void read_timescale(Connection& connection, ServerTuning& tuning) {
  const Result rows = connection.exec(
      "SELECT (SELECT count(*) FROM timescaledb_information.chunks), "
      "(SELECT count(*) FROM timescaledb_information.jobs)");
  tuning.chunks = number(rows, 0);
  tuning.jobs = number(rows, 1);
}

}  // namespace

ServerTuning read_tuning(Connection& connection) {
  // Without the right to see every database's size, of those that may be seen.
  const Result rows = connection.exec(
      "SELECT EXISTS (SELECT FROM pg_catalog.pg_extension WHERE extname = 'timescaledb'), "
      "(SELECT sum(pg_catalog.pg_database_size(oid))::bigint FROM pg_catalog.pg_database "
      " WHERE pg_catalog.has_database_privilege(oid, 'CONNECT')), "
      "(SELECT setting FROM pg_catalog.pg_settings WHERE name = 'data_directory'), "
      "pg_catalog.date_part('epoch', pg_catalog.pg_postmaster_start_time())::bigint, "
      "(SELECT wal_bytes::bigint FROM pg_catalog.pg_stat_wal), "
      "(SELECT pg_catalog.date_part('epoch', pg_catalog.now() - "
      "   coalesce(stats_reset, pg_catalog.pg_postmaster_start_time()))::bigint FROM "
      "pg_catalog.pg_stat_wal), "
      "(pg_catalog.date_part('epoch', pg_catalog.pg_postmaster_start_time()) * 1000000)::bigint");
  ServerTuning tuning{.timescaledb = rows.boolean(0, 0),
                      .data_directory = rows.text(0, 2),
                      .started = rows.integer(0, 3),
                      .started_us = rows.integer(0, 6)};
  if (const auto bytes = number(rows, 1)) tuning.database_bytes = static_cast<std::uint64_t>(*bytes);
  constexpr std::int64_t hour = 3600;
  const auto written = number(rows, 4);
  const auto seconds = number(rows, 5);
  if (written && seconds && *seconds >= hour)
    tuning.wal_rate = static_cast<double>(*written) / static_cast<double>(*seconds);
  if (tuning.timescaledb) read_timescale(connection, tuning);
  return tuning;
}

bool may_read_files(Connection& connection) {
  const Result rows = connection.exec(
      "SELECT pg_catalog.has_function_privilege('pg_catalog.pg_read_file(text,bigint,bigint,boolean)', "
      "'EXECUTE') "
      "AND pg_catalog.pg_has_role('pg_read_server_files', 'USAGE')");
  return rows.boolean(0, 0);
}

std::optional<std::string> read_server_file(Connection& connection, const std::string& path) {
  constexpr int most =
      1 << 20;  // what is asked for is shorter by far; a length is needed where a file has none
  try {
    const Result rows = connection.exec("SELECT pg_catalog.pg_read_file($1, 0, $2::bigint, true)",
                                        {path, std::to_string(most)});
    if (rows.is_null(0, 0)) return std::nullopt;
    return rows.text(0, 0);
  } catch (const ServerError& error) {
    if (error.session_ended) throw;
    return std::nullopt;  // the server's process may not read it
  }
}

bool may_be_local(Connection& connection) {
  const Result rows = connection.exec(
      "SELECT pg_catalog.inet_server_addr() IS NULL OR pg_catalog.inet_server_addr() << '127.0.0.0/8' "
      "OR pg_catalog.inet_server_addr() = '127.0.0.1' OR pg_catalog.inet_server_addr() = '::1'");
  return rows.boolean(0, 0);
}

}  // namespace kdb::pg
