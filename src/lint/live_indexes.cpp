// Rules about declared indexes that need to know what is in their tables.

#include <cmath>
#include <string>

#include <fmt/format.h>

#include "lint/fragment.hpp"
#include "lint/rules.hpp"

namespace kdb::lint {

namespace {

// PG source, BTMaxItemSize for pages of 8 kB; values are stored compressed where they can be.
constexpr int largest_entry = 2704;
constexpr int much_of_an_entry = largest_entry / 4;
// At 0.5 a range of blocks holds about half of all values, and nothing can be left out.
constexpr double least_correlation = 0.5;

template <class Visit>
void for_each_index(const Input& input, std::string_view method, Visit visit) {
  if (input.desired == nullptr || input.statistics == nullptr) return;
  for (const Declared<Index>& index : input.desired->of<Index>()) {
    const auto table = input.statistics->find(index.value.table);
    if (index.absent || index.value.method != method || table == input.statistics->end()) continue;
    visit(index, table->second);
  }
}

void check_entries(const Input& input, const KnownTables&, Findings& findings) {
  for_each_index(input, "btree", [&](const Declared<Index>& index, const TableStatistics& table) {
    const auto check = [&](const std::vector<Fragment>& fragments, const std::string& field) {
      for (const Fragment& fragment : fragments) {
        const auto column = table.columns.find(column_of(fragment.sql));
        if (column == table.columns.end()) continue;
        const ColumnStatistics& values = column->second;
        if (is_document(values.type)) continue;  // a rule of its own
        if (values.bounded || !values.average_width || *values.average_width < much_of_an_entry) continue;
        findings.add(index.where_of(field),
                     fmt::format("index {} holds {} ({}), whose values have {} bytes on average: a row with "
                                 "more than {} in an entry cannot be inserted",
                                 index.key, column->first, values.type, *values.average_width, largest_entry),
                     "leave it out, or index an expression of it, such as md5(…)");
      }
    };
    check(index.value.columns, "columns");
    check(index.value.include, "include");
  });
}

/// Whether a key of a BRIN index is kept as its least and its greatest value.
bool is_minmax(const std::string& key) { return normalised(key).find("_ops") == std::string::npos; }

void check_brin(const Input& input, const KnownTables&, Findings& findings) {
  for_each_index(input, "brin", [&](const Declared<Index>& index, const TableStatistics& table) {
    if (!table.large) return;
    for (const Fragment& key : index.value.columns) {
      const auto column = table.columns.find(column_of(key.sql));
      if (column == table.columns.end() || !column->second.correlation || !is_minmax(key.sql)) continue;
      const double correlation = *column->second.correlation;
      if (std::abs(correlation) >= least_correlation) continue;
      findings.add(
          index.where_of("columns"),
          fmt::format("index {} is of no use: rows are not stored in the order of {} (correlation "
                      "{:.2f})",
                      index.key, column->first, correlation),
          "a btree index finds rows wherever they are; minmax_multi_ops or bloom_ops bear some disorder");
    }
  });
}

}  // namespace

Rule brin_uncorrelated() {
  return {
      .name = "brin-uncorrelated",
      .summary = "a BRIN index of a column by which rows are not sorted",
      .why =
          "A BRIN index keeps the least and the greatest value of every 128 blocks. Where each range holds "
          "values from everywhere, it rules out none, and a query that uses it reads the whole table. "
          "The order is pg_stats.correlation, from 1 and -1 (sorted) to 0.",
      .lock = "",
      .instead = "Use a btree index, or keep the table sorted by that column.",
      .needs = Need::server,
      .whole = check_brin};
}

Rule index_entry_too_wide() {
  return {.name = "index-entry-too-wide",
          .summary = "a btree index of long values that have no bound",
          .why =
              "An entry of a btree index may have 2704 bytes, included columns counted and compressed. Where "
              "the average is a good part of that, some row will have more, and cannot be inserted. The "
              "width is pg_stats.avg_width.",
          .lock = "",
          .instead = "Leave the column out, or index an expression: md5(body), left(body, 100).",
          .needs = Need::server,
          .whole = check_entries};
}

}  // namespace kdb::lint
