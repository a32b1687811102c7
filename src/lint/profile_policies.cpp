// Rules about what a profile says of hypertables and continuous aggregates, taken together.

#include <algorithm>
#include <map>

#include <fmt/format.h>

#include "lint/fragment.hpp"
#include "lint/rules.hpp"

namespace kdb::lint {

namespace {

/// The columns by which each hypertable is partitioned, of the profile and of the database.
std::map<ObjectName, std::vector<std::string>> partition_columns(const Input& input) {
  std::map<ObjectName, std::vector<std::string>> tables;
  const auto add = [&](const Hypertable& hypertable) {
    std::vector<std::string>& columns = tables[hypertable.name];
    const auto add_column = [&](const std::string& column) {
      if (!column.empty() && std::find(columns.begin(), columns.end(), column) == columns.end())
        columns.push_back(column);
    };
    add_column(hypertable.time_column);
    for (const Dimension& dimension : hypertable.dimensions) add_column(dimension.column);
  };
  if (input.live != nullptr)
    for (const auto& live : input.live->of<Hypertable>()) add(live.value);
  for (const auto& declared : input.desired->of<Hypertable>())
    if (!declared.absent) add(declared.value);
  return tables;
}

void check_unique(const Input& input, const KnownTables&, Findings& findings) {
  if (input.desired == nullptr) return;
  const auto tables = partition_columns(input);
  for (const Declared<Index>& index : input.desired->of<Index>()) {
    const auto table = tables.find(index.value.table);
    if (index.absent || !index.value.unique || table == tables.end()) continue;
    std::vector<std::string> keys;
    for (const Fragment& key : index.value.columns) keys.push_back(column_of(key.sql));
    for (const std::string& column : table->second) {
      if (std::find(keys.begin(), keys.end(), column) != keys.end()) continue;
      findings.add(index.where_of("columns"),
                   fmt::format("unique index {} has no column {}, by which its hypertable is partitioned",
                               index.key, column),
                   "the server refuses it: rows can only be unique within a chunk");
    }
  }
}

/// How long the rows stay that an aggregate is made of: the hypertable's retention, of the profile or of the
/// database where the profile says nothing.
const Retention* retention_of(const Input& input, const ObjectName& table) {
  for (const auto& declared : input.desired->of<Hypertable>())
    if (declared.value.name == table && (declared.value.retention || declared.sets("retention")))
      return declared.value.retention ? &*declared.value.retention : nullptr;
  if (input.live == nullptr) return nullptr;
  for (const auto& live : input.live->of<Hypertable>())
    if (live.value.name == table && live.value.retention) return &*live.value.retention;
  return nullptr;
}

void check_refresh(const Input& input, const KnownTables& tables, Findings& findings) {
  if (input.desired == nullptr) return;
  for (const Declared<ContinuousAggregate>& aggregate : input.desired->of<ContinuousAggregate>()) {
    if (aggregate.absent || !aggregate.value.refresh) continue;
    Span start = aggregate.value.refresh->start_offset;
    if (start.empty() && input.live != nullptr)  // which stays as it is
      for (const auto& live : input.live->of<ContinuousAggregate>())
        if (live.value.name == aggregate.value.name && live.value.refresh)
          start = live.value.refresh->start_offset;
    for (const std::string& source : sources_of(aggregate.value.query.sql)) {
      const Retention* retention = retention_of(input, tables.name_of(source));
      if (retention == nullptr || retention->drop_after.empty()) continue;
      if (!start.empty() && compare_intervals(start, retention->drop_after) <= 0) continue;
      findings.add(aggregate.where_of("refresh.start_offset"),
                   fmt::format("continuous aggregate {} is refreshed over {}, and {} drops its rows after {}",
                               aggregate.key, start.empty() ? "all time" : "the last " + start.text, source,
                               retention->drop_after.text),
                   "a refresh of what was dropped deletes it from the aggregate too: begin it later");
    }
  }
}

}  // namespace

Rule refresh_beyond_retention() {
  return {.name = "refresh-beyond-retention",
          .summary = "a refresh that reaches back to rows that retention has dropped",
          .why =
              "A continuous aggregate keeps what its source has dropped, as long as nobody refreshes that "
              "time again. A refresh policy that begins before the retention of the source does just that, "
              "and the aggregate loses the rows too.",
          .lock = "",
          .instead = "Let refresh.start_offset be shorter than retention.drop_after of the source.",
          .whole = check_refresh};
}

Rule unique_index_without_partition_column() {
  return {.name = "unique-index-without-partition-column",
          .level = Finding::Level::error,
          .summary = "a unique index of a hypertable that lacks a column it is partitioned by",
          .why =
              "Each chunk has an index of its own, so that TimescaleDB can only keep rows unique whose chunk "
              "is known: it refuses a unique index without all partitioning columns.",
          .lock = "",
          .instead = "Add the column to the index, or check uniqueness elsewhere.",
          .whole = check_unique};
}

}  // namespace kdb::lint
