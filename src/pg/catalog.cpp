#include "pg/catalog.hpp"

#include <stdexcept>

#include <fmt/format.h>

#include "base/text.hpp"
#include "kinds/part_tree.hpp"
#include "pg/tidy.hpp"

namespace kdb::pg {

namespace {

/// 2.28.3 as 22803; a suffix such as -dev does not count.
int version_number(std::string_view version) {
  int number = 0;
  int parts = 0;
  for (const std::string_view part : split(version.substr(0, version.find('-')), '.')) {
    if (++parts > 3) break;
    number = number * 100 + std::atoi(std::string(part).c_str());
  }
  for (; parts < 3; ++parts) number *= 100;
  return number;
}

/// Printing a definition takes 20 µs, and the planner takes it for free: so many tables are worth the start
/// of the server's workers, which it would not give to catalogs of their size. Tables are read before
/// indexes.
constexpr size_t tables_for_workers = 500;

void set_worker_costs(Connection& connection, std::string_view value) {
  connection.exec(fmt::format("SET LOCAL min_parallel_table_scan_size TO {0}; "
                              "SET LOCAL parallel_setup_cost TO {0}; SET LOCAL parallel_tuple_cost TO {0}",
                              value),
                  Phase::in_transaction);
}

template <class T>
void read_kind(Connection& connection, const ServerFacts& facts, const LiveSchema& live,
               std::vector<Live<T>>& list) {
  const std::string query = T::catalog_query(facts);
  if (query.empty()) return;  // this database cannot have any
  const bool by_workers = std::is_same_v<T, Index> && live.of<TableProperties>().size() >= tables_for_workers;
  if (by_workers) set_worker_costs(connection, "0");
  const Result result = connection.exec(query, Phase::in_transaction);
  if (by_workers) set_worker_costs(connection, "DEFAULT");
  list.reserve(result.size());
  for (size_t row = 0; row < result.size(); ++row) {
    const ResultRow values(result, row);
    if (T::vanished(values)) continue;
    list.push_back({.value = T::read(values), .facts = T::read_facts(values)});
  }
}

template <class T>
std::vector<T> read_rows(Connection& connection, const std::string& sql) {
  const Result result = connection.exec(sql, Phase::in_transaction);
  std::vector<T> rows;
  rows.reserve(result.size());
  for (size_t row = 0; row < result.size(); ++row) rows.push_back(T::read(ResultRow(result, row)));
  return rows;
}

/// Of partitions and chunks, where there are any.
void read_parts(Connection& connection, const ServerFacts& facts, LiveSchema& live) {
  if (!may_have_parts(live)) return;
  std::vector<Part> parts = read_rows<Part>(connection, parts_query(facts));
  add_parts(live, std::move(parts), read_rows<PartIndex>(connection, part_indexes_query(facts)));
  add_partition_keys(live, read_rows<PartitionKey>(connection, partition_keys_query()));
}

}  // namespace

std::optional<std::string_view> ResultRow::value(std::string_view column) const {
  const std::vector<std::string>& columns = result_.columns();
  for (size_t tried = 0; tried < columns.size(); ++tried) {
    const size_t index = next_;
    next_ = next_ + 1 < columns.size() ? next_ + 1 : 0;
    if (columns[index] != column) continue;
    return result_.is_null(row_, index) ? std::nullopt : std::optional(result_.view(row_, index));
  }
  throw std::out_of_range(fmt::format("no column {}", column));
}

ServerFacts read_facts(Connection& connection, std::string schema, std::string history_schema) {
  ServerFacts facts{.version = connection.server_version(),
                    .database = {},
                    .schema = std::move(schema),
                    .history_schema = std::move(history_schema),
                    .timescale = {},
                    .lock_slots = 0};
  // The size of the shared lock table: PG docs 20.12.
  const Result result = connection.exec(
      "SELECT n.nspname, e.extversion, pg_catalog.current_setting('timescaledb.license', true), s.slots, "
      "pg_catalog.current_database() "
      "FROM (SELECT pg_catalog.current_setting('max_locks_per_transaction')::bigint * "
      "(pg_catalog.current_setting('max_connections')::bigint + "
      "pg_catalog.current_setting('max_prepared_transactions')::bigint) AS slots) s "
      "LEFT JOIN (pg_catalog.pg_extension e JOIN pg_catalog.pg_namespace n ON n.oid = e.extnamespace) "
      "ON e.extname = 'timescaledb'");
  facts.lock_slots = result.integer(0, 3);
  facts.database = result.text(0, 4);
  if (!result.is_null(0, 0))
    facts.timescale = TimescaleFacts{.schema = result.text(0, 0),
                                     .version = result.text(0, 1),
                                     .number = version_number(result.text(0, 1)),
                                     .community = result.text(0, 2) == "timescale"};
  return facts;
}

std::optional<TimescaleFacts> read_coming_timescale(Connection& connection, const Extension& declared) {
  // Its loader's settings are there where it is preloaded; those of the version only where that is loaded.
  const Result result = connection.exec(fmt::format(
      "SELECT v.version, coalesce(nullif({}, ''), pg_catalog.current_schema(), 'public'), "
      "pg_catalog.current_setting('timescaledb.license', true), a.comment "
      "FROM pg_catalog.pg_available_extensions a JOIN pg_catalog.pg_available_extension_versions v "
      "ON v.name = a.name AND v.version = coalesce(nullif({}, ''), a.default_version) "
      "WHERE a.name = 'timescaledb' AND pg_catalog.current_setting('timescaledb.disable_load', true) IS NOT "
      "NULL",
      quote_literal(declared.schema), quote_literal(declared.version)));
  if (result.empty()) return std::nullopt;
  const std::string license = result.is_null(0, 2) ? "" : result.text(0, 2);
  const std::string comment = result.is_null(0, 3) ? "" : result.text(0, 3);
  const bool says_apache = comment.find("(Apache 2 Edition)") != std::string::npos;
  const bool says_community = comment.find("(Community Edition)") != std::string::npos;
  return TimescaleFacts{.schema = result.text(0, 1),
                        .version = result.text(0, 0),
                        .number = version_number(result.text(0, 0)),
                        .community = !says_apache && (license.empty() || license == "timescale"),
                        .assumed = license.empty() && !says_apache && !says_community};
}

std::string definition_settings_sql(const ServerFacts& facts) {
  return fmt::format(
      "SET LOCAL search_path TO pg_catalog, {}; SET LOCAL DateStyle TO 'ISO, MDY'; SET LOCAL IntervalStyle "
      "TO "
      "postgres; SET LOCAL TimeZone TO 'UTC'; SET LOCAL bytea_output TO hex; SET LOCAL "
      "standard_conforming_strings TO on; SET LOCAL quote_all_identifiers TO off; ",
      quote_ident(facts.schema));
}

std::string read_system_identifier(Connection& connection) {
  try {
    return connection.exec("SELECT system_identifier FROM pg_catalog.pg_control_system()").text(0, 0);
  } catch (const ServerError& error) {
    constexpr std::string_view insufficient_privilege = "42501";
    if (error.sqlstate == insufficient_privilege) return {};
    throw;
  }
}

LiveSchema read_catalog(Connection& connection, const ServerFacts& facts,
                        std::chrono::milliseconds lock_timeout) {
  LiveSchema live;
  connection.exec(
      // To compile a query of the catalog takes longer than to run it. TimescaleDB's has no statistics: the
      // planner expects one chunk, and would read the ranges of all again for each.
      fmt::format("BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY; SET LOCAL jit TO off; {}"
                  "SET LOCAL lock_timeout TO {}; {}",
                  facts.timescale ? "SET LOCAL enable_nestloop TO off; " : "", lock_timeout.count(),
                  definition_settings_sql(facts)),
      Phase::in_transaction);
  try {
    std::apply([&](auto&... list) { (read_kind(connection, facts, live, list), ...); }, live.lists);
    read_parts(connection, facts, live);
  } catch (const ServerError& error) {
    if (!error.session_ended) tidy(connection, "ROLLBACK");
    if (error.sqlstate != "55P03") throw;
    throw Error(Exit::lock, "a table is locked by another session: its definitions cannot be read",
                "run again when the way is free, or allow longer waits with [connection] lock_timeout");
  } catch (...) {
    tidy(connection, "ROLLBACK");
    throw;
  }
  connection.exec("COMMIT", Phase::in_transaction);
  return live;
}

std::vector<Unmanaged> read_unmanaged(Connection& connection, const ServerFacts& facts) {
  std::vector<Unmanaged> unmanaged;
  if (!facts.timescale) return unmanaged;
  const Result jobs = connection.exec(
      "SELECT pg_catalog.count(*) FROM timescaledb_information.jobs WHERE proc_schema !~ '^_timescaledb_'");
  if (const auto number = jobs.integer(0, 0); number > 0)
    unmanaged.push_back({.what = "user-defined jobs", .number = static_cast<size_t>(number)});
  return unmanaged;
}

}  // namespace kdb::pg
