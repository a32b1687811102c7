#include "core/bench_tables.hpp"

#include <cmath>
#include <cstdint>
#include <optional>
#include <string>
#include <utility>

#include <fmt/format.h>

#include "base/text.hpp"
#include "core/counted_change.hpp"
#include "core/measured_text.hpp"

namespace kdb {

namespace {

std::string verdict_cell(const DesignMeasures& first, const QueryMeasures& query,
                         const QueryVerdict& verdict) {
  if (!query.error.empty()) return "error";
  if (verdict.ratio.blocks == 0) return "not on " + column_title(first.name);
  const std::string word(short_name(verdict.verdict));
  return fmt::format("{} {}{}", ratio_text(verdict.ratio.ratio),
                     verdict.verdict == TimeVerdict::worse ? to_upper(word) : word,
                     query.reworded ? " *" : "");
}

std::string first_cell(const QueryMeasures& query) {
  return query.error.empty() ? time_text(median_of(query.block_ms)) : "error";
}

Table times_table(const ComparisonMeasures& measures, const JudgedComparison& judged) {
  Table table{.key = "", .columns = {{.key = "", .title = "time of a query"}}};
  for (const DesignMeasures& design : measures.designs)
    table.columns.push_back({.key = "", .title = column_title(design.name), .align_right = true});
  for (size_t query = 0; query < measures.queries.size(); ++query) {
    const DesignMeasures& first = measures.designs.front();
    std::vector<Value> row{measures.queries[query].name, first_cell(first.queries[query])};
    for (size_t design = 1; design < measures.designs.size(); ++design)
      row.push_back(verdict_cell(first, measures.designs[design].queries[query],
                                 judged.designs[design].verdicts[query]));
    table.rows.push_back(std::move(row));
  }
  std::vector<Value> all{std::string("geometric mean"), std::string("1")};
  for (size_t design = 1; design < measures.designs.size(); ++design)
    all.push_back(interval_text(judged.designs[design].time) +
                  over_text(judged.designs[design].timed, measures.queries.size()));
  table.rows.push_back(std::move(all));
  return table;
}

Table buffers_table(const ComparisonMeasures& measures, const JudgedComparison& judged) {
  Table table{.key = "", .columns = {{.key = "", .title = "buffers of a query"}}};
  for (const DesignMeasures& design : measures.designs)
    table.columns.push_back({.key = "", .title = column_title(design.name), .align_right = true});
  for (size_t query = 0; query < measures.queries.size(); ++query) {
    std::vector<Value> row{measures.queries[query].name};
    for (const DesignMeasures& design : measures.designs) {
      const auto& buffers = design.queries[query].buffers;
      row.push_back(buffers ? grouped_digits(*buffers) : std::string("-"));
    }
    table.rows.push_back(std::move(row));
  }
  std::vector<Value> all{std::string("geometric mean")};
  for (const JudgedDesign& design : judged.designs)
    all.push_back(ratio_text(design.buffers) + over_text(design.counted, measures.queries.size()));
  table.rows.push_back(std::move(all));
  return table;
}

std::optional<std::int64_t> rows_per_second(const std::vector<double>& us) {
  const double median = median_of(us);
  return median > 0 ? std::optional(std::llround(1e6 / median)) : std::nullopt;
}

std::optional<std::int64_t> wal_of_row(const WriteMeasures& writes) {
  return writes.wal_rows > 0 ? std::optional(writes.wal_bytes / writes.wal_rows) : std::nullopt;
}

std::optional<std::int64_t> lean_wal_of_row(const WriteMeasures& writes) {
  return writes.wal_rows > 0 && writes.full_page_bytes
             ? std::optional((writes.wal_bytes - *writes.full_page_bytes) / writes.wal_rows)
             : std::nullopt;
}

Table costs_table(const ComparisonMeasures& measures) {
  Table table{.key = "", .columns = {{.key = "", .title = "cost"}}};
  const auto add = [&](std::string name, const auto& cell) {
    std::vector<Value> row{std::move(name)};
    for (const DesignMeasures& design : measures.designs) row.push_back(std::string(cell(design)));
    table.rows.push_back(std::move(row));
  };
  const auto bytes = [](std::int64_t size) { return human_bytes(static_cast<unsigned long long>(size)); };
  for (const DesignMeasures& design : measures.designs)
    table.columns.push_back({.key = "", .title = column_title(design.name), .align_right = true});
  const auto add_writes = [&](std::string name, const auto& number) {
    add(std::move(name), [&](const DesignMeasures& design) {
      const std::optional<std::int64_t> found = number(design.writes);
      if (!design.writes.error.empty()) return std::string("error");
      return found ? grouped_digits(*found) : "-";
    });
  };
  add_writes("rows by COPY, a second",
             [](const WriteMeasures& writes) { return rows_per_second(writes.copy_us); });
  add_writes("rows by INSERT, a second",
             [](const WriteMeasures& writes) { return rows_per_second(writes.insert_us); });
  add_writes("WAL, bytes a row", wal_of_row);
  add_writes("WAL without full pages", lean_wal_of_row);
  add("database", [&](const DesignMeasures& design) { return bytes(design.sizes.database); });
  add("indexes", [&](const DesignMeasures& design) { return bytes(design.sizes.indexes); });
  add("closed chunks", [&](const DesignMeasures& design) {
    return design.sizes.closed_before > 0
               ? fmt::format("{} of {}", bytes(design.sizes.closed_after), bytes(design.sizes.closed_before))
               : "-";
  });
  add("loaded in", [](const DesignMeasures& design) { return human_duration(design.load); });
  add("built in", [](const DesignMeasures& design) { return human_duration(design.build); });
  return table;
}

/// For programs: a row of each query on each design.
Table queries_for_programs(const ComparisonMeasures& measures, const JudgedComparison& judged) {
  Table table{.key = "queries", .columns = {}};
  for (const char* key :
       {"design", "query", "ms", "ratio", "low", "high", "p_value", "verdict", "reason", "buffers",
        "temp_blocks", "plan_shape", "workers", "jit", "indexes", "rows", "same_answer", "reworded", "error"})
    table.columns.push_back({.key = key, .title = ""});
  for (size_t at = 0; at < measures.designs.size(); ++at)
    for (size_t query = 0; query < measures.queries.size(); ++query) {
      const QueryMeasures& one = measures.designs[at].queries[query];
      const QueryMeasures& first = measures.designs.front().queries[query];
      const QueryVerdict& verdict = judged.designs[at].verdicts[query];
      const PairedRatio& ratio = verdict.ratio;
      const auto if_runs = [&](Value value) { return one.error.empty() ? std::move(value) : Value(); };
      const auto if_compared = [&](Value value) { return ratio.blocks > 0 ? std::move(value) : Value(); };
      table.rows.push_back(
          {measures.designs[at].name, measures.queries[query].name,
           if_runs(number_or_nothing(median_of(one.block_ms))), if_compared(number_or_nothing(ratio.ratio)),
           if_compared(number_or_nothing(ratio.low)), if_compared(number_or_nothing(ratio.high)),
           if_compared(number_or_nothing(verdict.p_value)),
           if_compared(std::string(name_of(verdict.verdict))), verdict.reason, number_or_nothing(one.buffers),
           number_or_nothing(one.temp_blocks), if_runs(one.shape), if_runs(std::int64_t{one.workers}),
           if_runs(one.jit), if_runs(one.indexes), if_runs(one.rows),
           first.error.empty() ? if_runs(answers_alike(first, one)) : Value(), one.reworded,
           one.error.empty() ? Value() : Value(one.error)});
    }
  return table;
}

/// Of a ratio that nothing was measured of, null.
Value number_if(const PairedRatio& ratio, double value) {
  return ratio.blocks > 0 ? number_or_nothing(value) : Value();
}

Table designs_for_programs(const ComparisonMeasures& measures, const JudgedComparison& judged) {
  Table table{.key = "designs", .columns = {}};
  for (const char* key : {"design",
                          "server",
                          "time_ratio",
                          "time_low",
                          "time_high",
                          "timed_queries",
                          "weighted_time_ratio",
                          "buffers_ratio",
                          "counted_queries",
                          "copy_rows_per_second",
                          "copy_time_ratio",
                          "insert_rows_per_second",
                          "insert_time_ratio",
                          "wal_bytes_per_row",
                          "wal_bytes_per_row_without_full_pages",
                          "write_error",
                          "database_bytes",
                          "table_bytes",
                          "index_bytes",
                          "closed_bytes_before",
                          "closed_bytes_after",
                          "load_ms",
                          "build_ms"})
    table.columns.push_back({.key = key, .title = ""});
  for (size_t at = 0; at < measures.designs.size(); ++at) {
    const DesignMeasures& design = measures.designs[at];
    const JudgedDesign& one = judged.designs[at];
    table.rows.push_back({design.name,
                          design.server,
                          number_if(one.time, one.time.ratio),
                          number_if(one.time, one.time.low),
                          number_if(one.time, one.time.high),
                          static_cast<std::int64_t>(one.timed),
                          number_if(one.weighted, one.weighted.ratio),
                          number_or_nothing(one.buffers),
                          static_cast<std::int64_t>(one.counted),
                          number_or_nothing(rows_per_second(design.writes.copy_us)),
                          number_if(one.copy, one.copy.ratio),
                          number_or_nothing(rows_per_second(design.writes.insert_us)),
                          number_if(one.insert, one.insert.ratio),
                          number_or_nothing(wal_of_row(design.writes)),
                          number_or_nothing(lean_wal_of_row(design.writes)),
                          design.writes.error.empty() ? Value() : Value(design.writes.error),
                          design.sizes.database,
                          design.sizes.tables,
                          design.sizes.indexes,
                          design.sizes.closed_before,
                          design.sizes.closed_after,
                          std::int64_t{design.load.count()},
                          std::int64_t{design.build.count()}});
  }
  return table;
}

}  // namespace

bool answers_alike(const QueryMeasures& first, const QueryMeasures& other) {
  return !first.error.empty() || !other.error.empty() || first.digest == other.digest;
}

std::vector<Table> comparison_tables(const ComparisonMeasures& measures, const JudgedComparison& judged) {
  return {times_table(measures, judged), buffers_table(measures, judged), costs_table(measures),
          designs_for_programs(measures, judged), queries_for_programs(measures, judged)};
}

}  // namespace kdb
