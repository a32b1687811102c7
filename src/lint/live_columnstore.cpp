// What a columnstore's batches hold, or will hold, by what is known of the rows.

#include <algorithm>
#include <cmath>

#include <fmt/format.h>

#include "lint/chunk_count.hpp"
#include "lint/declared_columnstore.hpp"
#include "lint/rules.hpp"

namespace kdb::lint {

namespace {

/// Of up to 1,000 rows of a batch: with fewer, what each batch costs outweighs what it saves.
constexpr double least_rows = 100;
/// Of a smaller table nobody minds, and one of a test server says nothing of the real one.
constexpr double large_table = 100'000;

/// How many different values `rows` rows have, where the table has `distinct` and all are alike: the mean
/// of draws with replacement.
double drawn(double distinct, double rows) {
  return distinct < 1 ? 1 : distinct * -std::expm1(rows * std::log1p(-1 / std::max(distinct, 1.000001)));
}

/// What is known of how a hypertable's rows lie in chunks.
struct ChunkRows {
  double rows = 0;    // of the table
  double chunks = 1;  // that they are in, or will be
};

std::optional<ChunkRows> layout_of(const Input& input, const Hypertable& wanted,
                                   const TableStatistics& table) {
  const Live<Hypertable>* live = find_live(input, wanted.name);
  ChunkRows layout{.rows = live != nullptr && live->facts.estimate.rows
                               ? static_cast<double>(*live->facts.estimate.rows)
                               : table.rows};
  if (input.columnstores != nullptr)
    if (const auto found = input.columnstores->find(wanted.name); found != input.columnstores->end())
      layout.rows = std::max(layout.rows, 0.0) + static_cast<double>(found->second.uncounted);
  if (layout.rows < large_table) return std::nullopt;
  const Span& interval =
      wanted.chunk_interval.empty() && live != nullptr ? live->value.chunk_interval : wanted.chunk_interval;
  const auto time = table.columns.find(wanted.time_column);
  if (time != table.columns.end() && time->second.days)
    if (const auto times =
            ratio({fmt::format("{} hours", std::ceil(*time->second.days * 24)), false}, interval)) {
      layout.chunks = std::max(1.0, *times) * static_cast<double>(partitions_of(wanted));
      return layout;
    }
  if (live == nullptr || live->facts.chunks == 0) return std::nullopt;
  layout.chunks = static_cast<double>(live->facts.chunks);
  return layout;
}

/// Roughly how many rows of a chunk have the same values in `columns`: never less than there are.
std::optional<double> rows_per_segment(const ChunkRows& layout, const Hypertable& wanted,
                                       const TableStatistics& table,
                                       const std::vector<std::string>& columns) {
  const double rows = std::max(1.0, layout.rows / layout.chunks);
  double segments = 1;
  for (const std::string& column : columns) {
    const auto found = table.columns.find(column);
    if (found == table.columns.end() || !found->second.distinct) return std::nullopt;
    double distinct = *found->second.distinct;
    if (distinct < 0) distinct *= -layout.rows;
    for (const Dimension& dimension : wanted.dimensions)
      if (dimension.column == column && dimension.partitions) distinct /= *dimension.partitions;
    segments = std::max(segments, drawn(distinct, rows));  // columns may depend on each other
  }
  return rows / segments;
}

/// What the batches that are there hold, if that is too little; empty where it is not, or where there are
/// none of this segment_by.
std::string measured(const ColumnstoreFacts& facts, const Columnstore& wanted, const Columnstore* live) {
  const auto rows = static_cast<double>(facts.rows);
  if (facts.batches == 0 || rows < large_table || rows >= least_rows * static_cast<double>(facts.batches))
    return {};
  if (live == nullptr || live->segment_by != wanted.segment_by) return {};
  std::string text =
      fmt::format("{:.1f} rows in a batch, where up to 1,000 fit", rows / static_cast<double>(facts.batches));
  if (facts.bytes_before > 0)
    text +=
        fmt::format("; its chunks have {:.0f} % of their former size",
                    100 * static_cast<double>(facts.bytes_after) / static_cast<double>(facts.bytes_before));
  return text;
}

void check_rows_per_segment(const Input& input, const KnownTables&, Findings& findings) {
  for_each_columnstore(input, [&](const Declared<Hypertable>& hypertable, const Columnstore& columnstore) {
    const Columnstore* live = live_columnstore(input, hypertable.value.name);
    const Columnstore& wanted = columnstore.segment_by || live == nullptr ? columnstore : *live;
    if (!wanted.segment_by || wanted.segment_by->empty()) return;
    const std::string columns = fmt::format("{}", fmt::join(*wanted.segment_by, ", "));
    const std::string hint =
        "segment by a column of which a chunk has hundreds of rows for each value, take longer chunks, or "
        "leave it empty: segment_by = []";
    const Source& where = hypertable.where_of("columnstore.segment_by");
    if (input.columnstores != nullptr)
      if (const auto found = input.columnstores->find(hypertable.value.name);
          found != input.columnstores->end())
        if (const std::string few = measured(found->second, wanted, live); !few.empty())
          return findings.add(
              where,
              fmt::format("the columnstore of {}, segmented by {}, has {}", hypertable.key, columns, few),
              hint);
    const auto table = input.statistics->find(hypertable.value.name);
    if (table == input.statistics->end()) return;
    const auto layout = layout_of(input, hypertable.value, table->second);
    if (!layout) return;
    const auto rows = rows_per_segment(*layout, hypertable.value, table->second, *wanted.segment_by);
    if (!rows || *rows >= least_rows) return;
    findings.add(where,
                 fmt::format("the columnstore of {}, segmented by {}, will have batches of about {:.0f} "
                             "{}, by {:.0f} in a chunk: up to 1,000 fit into one",
                             hypertable.key, columns, *rows, *rows < 1.5 ? "row" : "rows",
                             layout->rows / layout->chunks),
                 hint);
  });
}

}  // namespace

Rule few_rows_per_segment() {
  return {
      .name = "few-rows-per-segment",
      .summary = "a columnstore with few rows of one segment in a chunk",
      .why =
          "A batch holds up to 1,000 rows of one segment and one chunk. With fewer than 100 of them, what "
          "each batch costs (a row with its header, least and greatest values, an entry of an index) "
          "outweighs "
          "what compressing saves, and reading means to unpack batch after batch. Measured: with 1.05 rows "
          "the table grew by 30 %, and totals over all time took 7 times as long as on a plain table. The "
          "number is that of the batches which are there, as TimescaleDB noted it; before there are any, "
          "rows "
          "by chunks and by pg_stats.n_distinct of segment_by, all values being taken as equally frequent. "
          "Tables of fewer than 100,000 rows are not looked at.",
      .lock = "",
      .instead =
          "Segment by a column with fewer values, or none (segment_by = []), and order by the one that was "
          "meant; longer chunks, and no partitions by hash, have more rows of each. A new segment_by is for "
          "chunks that are compressed from then on.",
      .needs = Need::server,
      .whole = check_rows_per_segment};
}

}  // namespace kdb::lint
