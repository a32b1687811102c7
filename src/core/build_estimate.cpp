#include "core/build_estimate.hpp"

#include <algorithm>
#include <charconv>
#include <optional>
#include <string>

#include "base/sql_words.hpp"

namespace kdb {

namespace {

constexpr double page_bytes = 8192;
constexpr double page_room = 8192 - 24 - 16;  // without its header and the index's own
constexpr double tuple_overhead = 8 + 4;      // IndexTupleData, and the pointer to it

double aligned(double bytes) { return static_cast<double>((static_cast<long long>(bytes) + 7) / 8 * 8); }

double parameter(const Options& with, const std::string& name, double otherwise) {
  double value = otherwise;
  for (const auto& [key, text] : with)
    if (key == name) std::from_chars(text.data(), text.data() + text.size(), value);
  return value > 0 ? value : otherwise;
}

/// Of the columns that a key or expression names, together; nothing where one was never looked at.
std::optional<double> width_of(const Fragment& fragment, const TableStatistics& table) {
  const sql::Words words(fragment.sql);
  double width = 0;
  bool any = false;
  for (size_t i = 0; i < words.size(); ++i) {
    const auto column = table.columns.find(sql::folded(words.text(i)));
    if (column == table.columns.end()) continue;
    if (!column->second.average_width) return std::nullopt;
    width += *column->second.average_width;
    any = true;
  }
  return any ? std::optional(width) : std::nullopt;
}

/// The bytes of what an index keeps of one row.
std::optional<double> width_of(const Index& index, const TableStatistics& table) {
  double width = 0;
  for (const auto* list : {&index.columns, &index.include})
    for (const Fragment& fragment : *list) {
      const auto one = width_of(fragment, table);
      if (!one) return std::nullopt;
      width += *one;
    }
  return width;
}

/// Whether a block range has the least and the greatest value, as it has by default, and not a filter, a
/// list, or what its operator class makes of all values.
bool keeps_two_values(const Index& index) {
  constexpr std::string_view others[] = {"_bloom_ops", "_multi_ops", "inclusion_ops"};
  return std::none_of(index.columns.begin(), index.columns.end(), [&](const Fragment& column) {
    return std::any_of(std::begin(others), std::end(others),
                       [&](std::string_view ending) { return column.sql.find(ending) != std::string::npos; });
  });
}

/// A partial index may have every row.
std::optional<double> bytes_of(const Index& index, double rows, double table_bytes, double width) {
  const auto pages_of = [&](double tuple, double fill) { return rows * tuple / (page_room * fill / 100); };
  if (index.method == "btree") {
    const double leaves = pages_of(tuple_overhead + aligned(width), parameter(index.with, "fillfactor", 90));
    return (leaves * 1.01 + 2) * page_bytes;  // inner pages, the root and the first
  }
  if (index.method == "hash") {  // keeps a hash of four bytes; its buckets grow by up to a quarter at once
    const double pages = 1.25 * pages_of(tuple_overhead + 8, parameter(index.with, "fillfactor", 75));
    return (pages + 4) * page_bytes;
  }
  if (index.method == "brin") {
    if (!keeps_two_values(index)) return std::nullopt;
    const double ranges = table_bytes / page_bytes / parameter(index.with, "pages_per_range", 128) + 1;
    return (ranges * (tuple_overhead + aligned(2 * width) + 6) / page_room + 3) * page_bytes;
  }
  return std::nullopt;
}

/// Reads the table once, twice where it is built beside running writes, sorts the rows and writes the index.
/// The order of magnitude, not more: of 3 million rows in 200 MB btrees are said to take 4 to 5 s; 2.5 to 4.3
/// were measured on two cores without durability.
double seconds_of(const Index& index, double rows, double table_bytes, double index_bytes) {
  constexpr double scan = 400e6;   // bytes a second
  constexpr double write = 150e6;  // bytes a second, WAL included
  constexpr double sort = 1e-6;    // seconds a row
  return 2 * table_bytes / scan + index_bytes / write + (index.method == "brin" ? 0 : rows * sort);
}

bool is_build(const Change& change) {
  return change.kind == Index::word && (change.action == Action::create || change.action == Action::replace ||
                                        change.action == Action::repair);
}

}  // namespace

void estimate_builds(std::vector<Change>& changes, const std::vector<Declared<Index>>& indexes,
                     const std::map<ObjectName, TableStatistics>& statistics,
                     std::string_view default_schema) {
  ByName<const Index*> by_name;
  for (const auto& one : indexes) by_name[one.value.name] = &one.value;
  for (Change& change : changes) {
    if (!is_build(change) || !change.estimate.rows || !change.estimate.bytes) continue;
    const auto index = by_name.find(parse_name(change.object, default_schema));
    if (index == by_name.end()) continue;
    const auto table = statistics.find(index->second->table);
    if (table == statistics.end()) continue;
    const auto width = width_of(*index->second, table->second);
    if (!width) continue;
    const auto rows = static_cast<double>(*change.estimate.rows);
    const auto table_bytes = static_cast<double>(*change.estimate.bytes);
    const auto bytes = bytes_of(*index->second, rows, table_bytes, *width);
    if (!bytes) continue;
    change.estimate.disk = static_cast<std::int64_t>(*bytes);
    change.estimate.tablespace = index->second->tablespace;
    change.estimate.seconds = seconds_of(*index->second, rows, table_bytes, *bytes);
  }
}

}  // namespace kdb
