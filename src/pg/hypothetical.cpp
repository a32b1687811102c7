#include "pg/hypothetical.hpp"

#include <vector>

#include <fmt/format.h>

#include "base/text.hpp"
#include "pg/tidy.hpp"

namespace kdb::pg {

namespace {

/// A table as HypoPG wants it: a partitioned one stands for its partitions (measured with 1.3.1), any other
/// for itself alone. A continuous aggregate's rows are in a hypertable of TimescaleDB's own.
constexpr std::string_view hypothetical_parts_sql = R"(
WITH RECURSIVE parts AS (
  SELECT c.oid, c.relkind
  FROM pg_catalog.pg_class c JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace
  WHERE (n.nspname, c.relname) IN (VALUES {names}) AND c.relkind IN ('r', 'p', 'm')
  UNION
  SELECT c.oid, c.relkind
  FROM parts p
  JOIN pg_catalog.pg_inherits i ON i.inhparent = p.oid
  JOIN pg_catalog.pg_class c ON c.oid = i.inhrelid AND c.relkind IN ('r', 'p')
  WHERE p.relkind <> 'p'
)
SELECT n.nspname, c.relname
FROM parts p
JOIN pg_catalog.pg_class c ON c.oid = p.oid
JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace
ORDER BY 1, 2)";

std::string name_pair(const ObjectName& name) {
  return fmt::format("({}::pg_catalog.name, {}::pg_catalog.name)", quote_literal(name.schema),
                     quote_literal(name.name));
}

/// What HypoPG says, without its own name before it.
std::string words_of(const ServerError& error) {
  constexpr std::string_view prefix = "hypopg: ";
  std::string text = error.message;
  if (text.find("not more oid available") != std::string::npos)
    return "HypoPG has no numbers left: on a standby it has some 2,500, and an index takes one for each part";
  return text.starts_with(prefix) ? "HypoPG: " + text.substr(prefix.size()) : text;
}

ObjectName table_with_rows(Connection& connection, const ServerFacts& facts, const ObjectName& table) {
  if (!facts.timescale) return table;
  const Result rows = connection.exec(
      fmt::format("SELECT h.schema_name, h.table_name FROM _timescaledb_catalog.continuous_agg a "
                  "JOIN _timescaledb_catalog.hypertable h ON h.id = a.mat_hypertable_id "
                  "WHERE (a.user_view_schema, a.user_view_name) IN (VALUES {}) ORDER BY 1, 2",
                  name_pair(table)));
  return rows.empty() ? table : ObjectName{rows.text(0, 0), rows.text(0, 1)};
}

}  // namespace

std::optional<HypoPg> find_hypopg(Connection& connection) {
  const Result rows = connection.exec(
      "SELECT n.nspname, e.extversion, pg_catalog.has_schema_privilege(n.oid, 'USAGE') FROM "
      "pg_catalog.pg_extension e "
      "JOIN pg_catalog.pg_namespace n ON n.oid = e.extnamespace WHERE e.extname = 'hypopg' ORDER BY 1");
  if (rows.empty()) return std::nullopt;
  return HypoPg{.schema = rows.text(0, 0), .version = rows.text(0, 1), .usable = rows.boolean(0, 2)};
}

HypotheticalIndexes::HypotheticalIndexes(Connection& connection, HypoPg hypopg, const ServerFacts& facts)
    : connection_(connection), hypopg_(std::move(hypopg)), facts_(facts) {
  // By itself it takes its numbers from the 2,500 or so that no server uses, which are few for the chunks of
  // a hypertable; the server's own it can have wherever that may give one away.
  try {
    connection_.exec(
        "SELECT pg_catalog.set_config('hypopg.use_real_oids', 'on', false) "
        "WHERE NOT pg_catalog.pg_is_in_recovery()");
  } catch (const ServerError& error) {
    if (error.session_ended) throw;  // else it is older than the setting
  }
}

HypotheticalIndexes::~HypotheticalIndexes() {
  try {
    connection_.exec_cleanup(fmt::format("SELECT {}.hypopg_reset()", quote_ident(hypopg_.schema)));
    connection_.exec_cleanup("RESET hypopg.use_real_oids");
  } catch (const std::exception&) {
    // They end with the session.
  }
}

std::optional<std::string> HypotheticalIndexes::add(const Index& index) {
  try {
    return refusal_of(index);
  } catch (const ServerError& error) {
    if (error.session_ended) throw;
    tidy(connection_, "ROLLBACK");
    forget_half_made();
    return words_of(error);
  }
}

/// Those that were made before one of the same index failed: no transaction knows of them.
void HypotheticalIndexes::forget_half_made() {
  std::string known = "''";
  for (const auto& [part, declared] : names_) known += ", " + quote_literal(part);
  const std::string schema = quote_ident(hypopg_.schema);
  try {
    connection_.exec(fmt::format(
        "SELECT {}.hypopg_drop_index(h.indexrelid) FROM {}.hypopg() h WHERE h.indexname NOT IN ({})", schema,
        schema, known));
  } catch (const ServerError& error) {
    if (error.session_ended) throw;  // what else keeps it from dropping them kept it from making them
  }
}

std::optional<std::string> HypotheticalIndexes::refusal_of(const Index& index) {
  const Result parts = connection_.exec(
      fmt::format(hypothetical_parts_sql,
                  fmt::arg("names", name_pair(table_with_rows(connection_, facts_, index.table)))));
  if (parts.empty())
    return fmt::format("there is no table {} whose rows it could find", to_text(index.table, facts_.schema));
  std::string statements;
  for (size_t row = 0; row < parts.size(); ++row) {
    const ObjectName part{parts.text(row, 0), parts.text(row, 1)};
    statements +=
        fmt::format("{}({})", row == 0 ? "" : ", ",
                    quote_literal(create_sql(index, quote_ident(index.name.name), to_sql(part), false)));
  }
  // Names in its expressions are looked for where those of the profile's queries are.
  const Result made = connection_.exec(
      fmt::format("BEGIN READ ONLY; SET LOCAL lock_timeout = 1000; SELECT "
                  "pg_catalog.set_config('search_path', {} || ', ' || "
                  "pg_catalog.current_setting('search_path'), true); "
                  "SELECT h.indexname FROM (VALUES {}) AS w (sql) "
                  "CROSS JOIN LATERAL {}.hypopg_create_index(w.sql) h ORDER BY 1; COMMIT",
                  quote_literal(quote_ident(facts_.schema)), statements, quote_ident(hypopg_.schema)));
  for (size_t row = 0; row < made.size(); ++row) names_[made.text(row, 0)] = index.name;
  return std::nullopt;
}

}  // namespace kdb::pg
