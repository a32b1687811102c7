// Rules about how a profile's hypertables keep their columnstore.

#include <algorithm>

#include <fmt/format.h>

#include "lint/column_type.hpp"
#include "lint/declared_columnstore.hpp"
#include "lint/fragment.hpp"
#include "lint/rules.hpp"

namespace kdb::lint {

namespace {

void check_segment_by(const Input& input, const KnownTables&, Findings& findings) {
  for_each_columnstore(input, [&](const Declared<Hypertable>& hypertable, const Columnstore& columnstore) {
    const Columnstore* live = live_columnstore(input, hypertable.value.name);
    if (columnstore.segment_by || (live != nullptr && live->segment_by)) return;
    findings.add(hypertable.where_of("columnstore"),
                 fmt::format("the columnstore of {} has no segment_by: the server takes the first column of "
                             "some index, with which it may grow the table",
                             hypertable.key),
                 "segment_by = [\"…\"]: a column that queries fix, with hundreds of rows of each value in a "
                 "chunk; [] for none");
  });
}

/// An index of the table with a column whose values have no bound, as text: `idx_a (properties)`; empty where
/// there is none.
std::string unbounded_index(const Input& input, const KnownTables& tables, const ObjectName& table) {
  const KnownTables::Table* known = tables.find(table);
  for (const Declared<Index>& index : input.desired->of<Index>()) {
    if (index.absent || index.value.table != table) continue;
    for (const Fragment& key : index.value.columns) {
      const std::string column = column_of(key.sql);
      if (column.empty()) continue;
      const auto type = known == nullptr ? decltype(known->columns.end())() : known->columns.find(column);
      const bool document =
          known != nullptr && type != known->columns.end() && is_document(type->second.name);
      if (document || index.value.method == "gin") return fmt::format("{} ({})", index.key, column);
    }
  }
  return {};
}

void check_order_by(const Input& input, const KnownTables& tables, Findings& findings) {
  for_each_columnstore(input, [&](const Declared<Hypertable>& hypertable, const Columnstore& columnstore) {
    const Columnstore* live = live_columnstore(input, hypertable.value.name);
    if (columnstore.order_by || (live != nullptr && live->order_by)) return;
    const std::string& time = hypertable.value.time_column;
    const std::string hint = fmt::format("order_by = [\"{} DESC\"]", time.empty() ? "the time" : time);
    const std::string index = unbounded_index(input, tables, hypertable.value.name);
    if (index.empty())
      findings.add(
          hypertable.where_of("columnstore"),
          fmt::format("the columnstore of {} has no order_by: the server sorts by the columns of all "
                      "its indexes, the primary key's first and not the time",
                      hypertable.key),
          hint);
    else
      findings.add(
          hypertable.where_of("columnstore"),
          fmt::format("the columnstore of {} has no order_by: TimescaleDB 2.28 sorts by the columns "
                      "of all its indexes, those of {} among them, and from the first large value on "
                      "compressing fails (54000, row is too big)",
                      hypertable.key, index),
          hint);
  });
}

/// The columns of `key` that are not in `columns`; a key of expressions is in none.
bool holds_all(const std::vector<std::string>& columns, const std::vector<std::string>& key) {
  return !key.empty() && std::all_of(key.begin(), key.end(), [&](const std::string& column) {
    return !column.empty() && std::find(columns.begin(), columns.end(), column) != columns.end();
  });
}

/// Why hardly two rows can have the same values in these columns; empty where nothing says so.
std::string unique_reason(const Input& input, const KnownTables& tables, const Hypertable& hypertable,
                          const std::vector<std::string>& columns) {
  for (const std::string& column : columns)
    if (column == hypertable.time_column) return "the time";
  for (const Declared<Index>& index : input.desired->of<Index>()) {
    if (index.absent || !index.value.unique || index.value.table != hypertable.name) continue;
    if (!index.value.where.sql.empty()) continue;
    std::vector<std::string> key;
    for (const Fragment& one : index.value.columns) key.push_back(column_of(one.sql));
    if (holds_all(columns, key)) return fmt::format("all columns of {}, a unique index", index.key);
  }
  const KnownTables::Table* table = tables.find(hypertable.name);
  if (table == nullptr) return {};
  for (const KnownTables::Key& key : table->keys) {
    if (!key.unique) continue;
    if (holds_all(columns, key.columns)) return "a key of the table";
    // With the time, which makes a hypertable's key, it is one by its name alone.
    if (holds_all(columns, {"id"}) && holds_all(key.columns, {"id"})) return "the id of its rows";
  }
  return {};
}

void check_unique_segment(const Input& input, const KnownTables& tables, Findings& findings) {
  for_each_columnstore(input, [&](const Declared<Hypertable>& hypertable, const Columnstore& columnstore) {
    if (!columnstore.segment_by) return;
    const std::string reason = unique_reason(input, tables, hypertable.value, *columnstore.segment_by);
    if (reason.empty()) return;
    findings.add(hypertable.where_of("columnstore.segment_by"),
                 fmt::format("segment_by of {} has {}: a batch holds rows of one segment, so each row is a "
                             "batch of its own",
                             hypertable.key, reason),
                 "segment by what many rows of a chunk have in common, and order by the rest");
  });
}

}  // namespace

Rule columnstore_without_segment_by() {
  return {.name = "columnstore-without-segment-by",
          .summary = "a columnstore whose segments the server chooses",
          .why =
              "Rows are compressed in batches of up to 1,000 that have the same values in segment_by. Where "
              "it is not declared, TimescaleDB takes the first column of some index. Measured on events with "
              "an index by profile: segment_by = profile_id, 1.05 rows in a batch, a table that grew by 30 % "
              "by compressing, and five of sixteen queries slower than on a plain table, one from 1 ms to "
              "5 s. With segment_by = metric_id the same chunks shrank to a sixth.",
          .lock = "",
          .instead =
              "Name a column that most queries fix and that has hundreds of rows for each value in a chunk, "
              "or none:\n"
              "  [hypertables.klaviyo_events.columnstore]\n"
              "  segment_by = [\"metric_id\"]\n"
              "  order_by = [\"timestamp DESC\"]",
          .whole = check_segment_by};
}

Rule columnstore_without_order_by() {
  return {
      .name = "columnstore-without-order-by",
      .summary = "a columnstore whose order the server chooses",
      .why =
          "Rows are sorted before they are cut into batches, and of every batch the least and the greatest "
          "value of the columns in order_by are kept, by which a query leaves batches out. Where it is "
          "not declared, TimescaleDB 2.28 takes the columns of all indexes, those of the primary key "
          "first: sorted by id, each batch has rows from all over its chunk's time. The jsonb of a GIN "
          "index is among them: its least and greatest value are whole documents in the batch's row, and "
          "the first large one makes compress_chunk, and with it the policy, fail: 54000, row is too "
          "big. What is in rows then stays there, and only the server's log says so.",
      .lock = "",
      .instead =
          "Order by time, the newest first, and before it what ranges are asked of:\n"
          "  order_by = [\"timestamp DESC\"]",
      .whole = check_order_by};
}

Rule segment_by_unique() {
  return {
      .name = "segment-by-unique",
      .summary = "a columnstore that is segmented by what each row has alone",
      .why =
          "A batch holds up to 1,000 rows that have the same values in segment_by. By an id, or the time, "
          "each row becomes a batch: nothing is compressed, and each costs its batch's row besides. "
          "Measured with 1.05 rows in a batch: 30 % more than before.",
      .lock = "",
      .instead =
          "Segment by what hundreds of rows of a chunk have in common. A lookup by id is served by "
          "order_by no better; see lookup-in-every-chunk.",
      .whole = check_unique_segment};
}

}  // namespace kdb::lint
