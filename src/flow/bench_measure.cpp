#include "flow/bench_measure.hpp"

#include <optional>
#include <utility>

#include <fmt/format.h>

#include "base/text.hpp"
#include "core/copy_values.hpp"
#include "core/paired_ratio.hpp"
#include "core/plan_summary.hpp"
#include "model/object.hpp"
#include "pg/explain.hpp"
#include "pg/failure.hpp"

namespace kdb::flow {

namespace {

using MeasureClock = std::chrono::steady_clock;
using Milliseconds = std::chrono::duration<double, std::milli>;

std::vector<pg::Result::Value> values_of(const DeclaredQuery& query) {
  return {query.parameters.begin(), query.parameters.end()};
}

/// FNV-1a of a row's bytes, NULL told from an empty text.
std::uint64_t hash_of_row(const pg::Result& result, size_t row) {
  std::uint64_t hash = 14'695'981'039'346'656'037U;
  const auto add = [&](unsigned char byte) { hash = (hash ^ byte) * 1'099'511'628'211U; };
  for (size_t column = 0; column < result.columns().size(); ++column) {
    add(result.is_null(row, column) ? 1 : 2);
    for (const char byte : result.view(row, column)) add(static_cast<unsigned char>(byte));
    add(0);
  }
  return hash;
}

/// The same for the same rows in any order.
std::string digest_of(const pg::Result& result) {
  std::uint64_t sum = 0;
  for (size_t row = 0; row < result.size(); ++row) sum += hash_of_row(result, row);
  return fmt::format("{:016x}", sum);
}

/// How many microseconds each of so many rows takes.
template <class Work>
double us_of_each(std::int64_t rows, const Work& work) {
  const MeasureClock::time_point begun = MeasureClock::now();
  work();
  return 1'000 * Milliseconds(MeasureClock::now() - begun).count() / static_cast<double>(rows);
}

/// Where the WAL ends by now, in bytes from its beginning.
std::int64_t end_of_wal(pg::Connection& connection) {
  return connection.exec("SELECT (pg_catalog.pg_current_wal_insert_lsn() - '0/0')::bigint").integer(0, 0);
}

void copy_rows(pg::Connection& connection, const std::string& target, const std::string& rows) {
  connection.copy(fmt::format("COPY {} FROM STDIN", target),
                  [sent = false, &rows](std::string& buffer) mutable {
                    if (!sent) buffer = rows;
                    return !std::exchange(sent, true);
                  });
}

/// What GIN indexes put off until later.
void finish_gin(pg::Connection& connection) {
  connection.exec(
      "SELECT pg_catalog.count(pg_catalog.gin_clean_pending_list(c.oid)) FROM pg_catalog.pg_class AS c "
      "JOIN pg_catalog.pg_am AS a ON a.oid = c.relam WHERE a.amname = 'gin' AND c.relkind = 'i'");
}

}  // namespace

void begin_measuring(pg::Connection& connection, const std::string& schema,
                     std::chrono::milliseconds timeout) {
  connection.exec(
      fmt::format("SET search_path = {}, public; SET statement_timeout = {}; SET timezone = 'UTC'",
                  quote_ident(schema), timeout.count()));
}

void begin_writing(pg::Connection& connection) { connection.exec("SET statement_timeout = 0"); }

QueryMeasures count_query(pg::Connection& connection, const ServerFacts& facts, const DeclaredQuery& query,
                          std::chrono::milliseconds timeout) {
  QueryMeasures measures;
  try {
    const pg::Result rows = connection.exec(query.sql, values_of(query));
    measures.rows = static_cast<std::int64_t>(rows.size());
    measures.digest = digest_of(rows);
    const QueryPlan plan =
        pg::explain(connection, query, {.analyze = true, .timeout = timeout, .schema = facts.schema});
    const PlanSummary summary = summarize(plan, pg::read_plan_facts(connection, facts, {&plan}, {}));
    measures.buffers = summary.buffers;
    measures.temp_blocks = summary.temp_blocks;
    measures.shape = summary.shape;
    measures.workers = summary.workers;
    measures.jit = summary.jit;
    for (const IndexUse& use : summary.indexes) measures.indexes.push_back(to_text(use.index, facts.schema));
  } catch (const pg::ServerError& error) {
    if (error.session_ended) throw;
    measures = {.error = pg::describe(error)};
  }
  return measures;
}

std::optional<double> time_query(pg::Connection& connection, const DeclaredQuery& query,
                                 QueryMeasures& measures) {
  if (!measures.error.empty()) return std::nullopt;
  constexpr size_t most_runs = 15;
  constexpr size_t least_runs = 3;
  constexpr Milliseconds enough(100);    // from there on, least_runs do
  constexpr Milliseconds long_run(500);  // one such run says it
  const std::vector<pg::Result::Value> values = values_of(query);
  std::vector<double> times;
  Milliseconds total{0};
  try {
    while (times.size() < most_runs) {
      const MeasureClock::time_point begun = MeasureClock::now();
      connection.exec(query.sql, values);
      const Milliseconds time = MeasureClock::now() - begun;
      times.push_back(time.count());
      total += time;
      if (time > long_run || (total > enough && times.size() >= least_runs)) break;
    }
  } catch (const pg::ServerError& error) {
    if (error.session_ended) throw;
    measures = {.error = pg::describe(error), .reworded = measures.reworded};
    return std::nullopt;
  }
  return median_of(std::move(times));
}

void measure_sizes(pg::Connection& connection, SizeMeasures& sizes) {
  const pg::Result found = connection.exec(
      "SELECT pg_catalog.pg_database_size(pg_catalog.current_database()), "
      "COALESCE(pg_catalog.sum(pg_catalog.pg_table_size(c.oid)), 0)::bigint, "
      "COALESCE(pg_catalog.sum(pg_catalog.pg_indexes_size(c.oid)), 0)::bigint "
      "FROM pg_catalog.pg_class AS c JOIN pg_catalog.pg_namespace AS n ON n.oid = c.relnamespace "
      "WHERE c.relkind IN ('r', 'm') AND n.nspname !~ '^(pg_|information_schema$|kdb$|_timescaledb_(c|f))'");
  sizes.database = found.integer(0, 0);
  sizes.tables = found.integer(0, 1);
  sizes.indexes = found.integer(0, 2);
}

WriteLoad::WriteLoad(const ReferenceData& data, std::string schema, std::int64_t batch)
    : data_(data), schema_(std::move(schema)), batch_(batch) {
  if (data_.profiles == 0) data_.profiles = data.rows(ReferenceTable::profiles);
}

ReferenceRows WriteLoad::rows_of(int block, int day) const {
  ReferenceData data = data_;
  data.events = 2 * batch_;
  data.first_event = data_.events + 2 * batch_ * block;
  data.start = reference_anchor() + std::int64_t{day} * 86'400;
  data.days = 1;
  return ReferenceRows(ReferenceTable::events, data);
}

std::string WriteLoad::target() const {
  const ObjectName table{.schema = schema_, .name = std::string(to_string(ReferenceTable::events))};
  return fmt::format("{} ({})", to_sql(table), columns_of(ReferenceTable::events));
}

std::string WriteLoad::copied(ReferenceRows& rows) const {
  std::string text;
  for (std::int64_t left = batch_; left > 0;) left -= rows.append(text, left);
  return text;
}

std::vector<std::string> WriteLoad::inserts(ReferenceRows& rows) const {
  constexpr std::int64_t rows_of_insert = 500;
  std::vector<std::string> statements;
  for (std::int64_t left = batch_; left > 0;) {
    std::string piece;
    const std::int64_t made = rows.append(piece, std::min(left, rows_of_insert));
    if (made == 0) break;
    statements.push_back(fmt::format("INSERT INTO {} VALUES {}", target(), values_of_copy(piece)));
    left -= made;
  }
  return statements;
}

std::optional<WalRange> WriteLoad::write(pg::Connection& connection, int block, int day,
                                         WriteMeasures& measures) const {
  if (!measures.error.empty()) return std::nullopt;
  // What is sent is made before, so that only the server is measured.
  ReferenceRows rows = rows_of(block, day);
  const std::string first = copied(rows);
  const std::vector<std::string> then = inserts(rows);
  try {
    WalRange wal{.from = end_of_wal(connection)};
    measures.copy_us.push_back(us_of_each(batch_, [&] {
      copy_rows(connection, target(), first);
      finish_gin(connection);
    }));
    measures.insert_us.push_back(us_of_each(batch_, [&] {
      for (const std::string& insert : then) connection.exec(insert);
      finish_gin(connection);
    }));
    wal.to = end_of_wal(connection);
    measures.wal_bytes += wal.to - wal.from;
    measures.wal_rows += 2 * batch_;
    return wal;
  } catch (const pg::ServerError& error) {
    measures = {.error = pg::describe(error)};  // a lost session too: nothing else is asked of it
    return std::nullopt;
  }
}

}  // namespace kdb::flow
