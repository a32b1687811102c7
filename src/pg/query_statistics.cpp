#include "pg/query_statistics.hpp"

#include <algorithm>
#include <set>

#include <fmt/format.h>

#include "base/sql_fingerprint.hpp"
#include "base/text.hpp"
#include "pg/failure.hpp"
#include "pg/index_scans.hpp"

namespace kdb::pg {

namespace {

/// The view as the database has it: the extension may be older than the server.
struct StatementsView {
  std::string schema;  // quoted
  std::set<std::string> columns;
  bool has_info = false;  // pg_stat_statements_info, from 1.9 on
};

std::optional<StatementsView> find_statements_view(Connection& connection) {
  const Result rows = connection.exec(R"(
SELECT n.nspname, a.attname, EXISTS (
         SELECT FROM pg_catalog.pg_class i
         WHERE i.relnamespace = n.oid AND i.relname = 'pg_stat_statements_info')
FROM pg_catalog.pg_extension e
JOIN pg_catalog.pg_namespace n ON n.oid = e.extnamespace
JOIN pg_catalog.pg_class c ON c.relnamespace = n.oid AND c.relname = 'pg_stat_statements'
JOIN pg_catalog.pg_attribute a ON a.attrelid = c.oid AND a.attnum > 0 AND NOT a.attisdropped
WHERE e.extname = 'pg_stat_statements' ORDER BY 2)");
  if (rows.empty()) return std::nullopt;
  StatementsView view{.schema = quote_ident(rows.text(0, 0)), .has_info = rows.boolean(0, 2)};
  for (size_t row = 0; row < rows.size(); ++row) view.columns.insert(rows.text(row, 1));
  return view;
}

/// Statements inside of functions are counted with the statement that calls them too. Of a text that is too
/// long to be compared its beginning says what it is: thousands of bulk INSERTs would be a gigabyte.
std::string statements_sql(const StatementsView& view) {
  const bool top_level = view.columns.count("toplevel") > 0;
  // Named so from 1.8 on, which came with PostgreSQL 13.
  const char* total = view.columns.count("total_exec_time") > 0 ? "total_exec_time" : "total_time";
  return fmt::format(R"(
SELECT coalesce(s.queryid::pg_catalog.text, ''),
       max(CASE WHEN pg_catalog.octet_length(s.query) > {longest} THEN pg_catalog.left(s.query, 1000)
                ELSE s.query END),
       sum(s.calls)::pg_catalog.float8, sum(s.{total})::pg_catalog.float8, bool_or(s.queryid IS NULL),
       pg_catalog.count(*), coalesce(bool_or(pg_catalog.octet_length(s.query) > {longest}), false)
FROM {view}.pg_stat_statements s
JOIN pg_catalog.pg_database d ON d.oid = s.dbid
WHERE d.datname = pg_catalog.current_database(){top_level}
GROUP BY s.queryid, CASE WHEN s.queryid IS NULL THEN s.query END
ORDER BY 4 DESC, 1)",
                     fmt::arg("longest", sql::longest_fingerprinted), fmt::arg("total", total),
                     fmt::arg("view", view.schema),
                     fmt::arg("top_level", top_level ? " AND s.toplevel" : ""));
}

void read_info(Connection& connection, const StatementsView& view, QueryStatistics& statistics) {
  if (!view.has_info) return;
  const Result info = connection.exec(fmt::format(
      "SELECT dealloc, pg_catalog.to_char(stats_reset AT TIME ZONE 'UTC', 'YYYY-MM-DD HH24:MI \"UTC\"') "
      "FROM {}.pg_stat_statements_info ORDER BY 1",
      view.schema));
  if (info.empty()) return;
  statistics.forgotten = info.integer(0, 0);
  statistics.statements_since = info.text(0, 1);
}

void read_statements(Connection& connection, QueryStatistics& statistics) {
  const auto view = find_statements_view(connection);
  if (!view) {
    statistics.why_no_statements = "the database has no extension pg_stat_statements";
    statistics.statements_hint =
        "CREATE EXTENSION pg_stat_statements, which the server has to preload (shared_preload_libraries)";
    return;
  }
  const Result rows = connection.exec(statements_sql(*view));
  auto& statements = statistics.statements.emplace();
  for (size_t row = 0; row < rows.size(); ++row) {
    if (rows.boolean(row, 4)) {
      statistics.hidden += rows.integer(row, 5);
      continue;
    }
    if (rows.is_null(row, 1)) {
      statistics.textless += rows.integer(row, 5);
      continue;
    }
    statements.push_back({.id = rows.text(row, 0),
                          .text = rows.text(row, 1),
                          .calls = std::stod(rows.text(row, 2)),
                          .total_ms = std::stod(rows.text(row, 3)),
                          .cut = rows.boolean(row, 6)});
  }
  read_info(connection, *view, statistics);
}

}  // namespace

QueryStatistics read_query_statistics(Connection& connection, const ServerFacts& facts,
                                      const std::vector<ObjectName>& indexes) {
  QueryStatistics statistics;
  try {
    read_index_scans(connection, facts, indexes, statistics);
  } catch (const ServerError& error) {
    if (error.session_ended) throw;
    statistics.indexes.reset();
    statistics.why_no_indexes = describe(error);
  }
  try {
    read_statements(connection, statistics);
  } catch (const ServerError& error) {
    if (error.session_ended) throw;
    statistics.statements.reset();
    statistics.why_no_statements = describe(error);
    statistics.statements_hint = error.hint;
  }
  return statistics;
}

}  // namespace kdb::pg
