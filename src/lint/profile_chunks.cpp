// Rules about the number of chunks that a profile's hypertables come to, and what it costs to look into all.

#include <algorithm>

#include <fmt/format.h>

#include "base/text.hpp"
#include "lint/chunk_count.hpp"
#include "lint/query_shape.hpp"
#include "lint/rules.hpp"

namespace kdb::lint {

namespace {

/// With so many, planning takes tens of milliseconds and JIT compiles a thousand functions.
constexpr int many_chunks = 200;
/// To look into so many costs next to nothing.
constexpr int few_chunks = 10;

template <class Visit>
void for_each_hypertable(const Input& input, Visit visit) {
  if (input.desired == nullptr) return;
  for (const Declared<Hypertable>& hypertable : input.desired->of<Hypertable>())
    if (!hypertable.absent) visit(hypertable);
}

bool is_off(std::string_view value) {
  for (const std::string_view word : {"off", "false", "no", "0"})
    if (equals_ignore_case(value, word)) return true;
  return false;
}

/// Whether the profile switches jit off: for the server, or for those whose queries it knows.
bool jit_is_off(const Input& input) {
  if (input.settings != nullptr)
    for (const WantedSetting& one : *input.settings)
      if (one.name == "jit" && is_off(one.value)) return true;
  const auto off = [](const Options& settings) {
    const std::string* value = settings.find("jit");
    return value != nullptr && is_off(*value);
  };
  const auto& databases = input.desired->of<DatabaseSettings>();
  const auto& roles = input.desired->of<Role>();
  return std::any_of(databases.begin(), databases.end(),
                     [&](const auto& one) { return off(one.value.settings); }) ||
         std::any_of(roles.begin(), roles.end(), [&](const auto& one) { return off(one.value.settings); });
}

void check_jit(const Input& input, const KnownTables&, Findings& findings) {
  for_each_hypertable(input, [&](const Declared<Hypertable>& hypertable) {
    const Hypertable& value = hypertable.value;
    const auto chunks = chunk_count(value);
    if (!chunks || *chunks < many_chunks || jit_is_off(input)) return;
    const std::int64_t partitions = partitions_of(value);
    const Retention& retention = *value.retention;
    findings.add(
        hypertable.where_of("chunk_interval"),
        fmt::format(
            "hypertable {} comes to {} chunks ({} in {}{}): planning a query of all of them takes a "
            "good part of a second, and jit is not off, which compiles functions for each",
            hypertable.key, *chunks, value.chunk_interval.text,
            retention.drop_after.empty() ? retention.drop_created_before.text : retention.drop_after.text,
            partitions > 1 ? fmt::format(", {} partitions each", partitions) : ""),
        partitions > 1 ? "leave the partitions out, take longer chunks, and set jit = off"
                       : "take longer chunks, and set jit = off in [server.settings] or for a role");
  });
}

void check_space(const Input& input, const KnownTables&, Findings& findings) {
  for_each_hypertable(input, [&](const Declared<Hypertable>& hypertable) {
    const Hypertable& value = hypertable.value;
    if (!value.tablespaces.empty()) return;
    if (input.live != nullptr)
      for (const auto& live : input.live->of<Hypertable>())
        if (live.value.name == value.name && !live.value.tablespaces.empty()) return;
    for (const Dimension& dimension : value.dimensions)
      if (dimension.partitions && *dimension.partitions > 1)
        findings.add(
            hypertable.where_of("dimensions"),
            fmt::format("hypertable {} has {} partitions by {} in one tablespace: {} times the "
                        "chunks, and no query is faster by it",
                        hypertable.key, *dimension.partitions, dimension.column, *dimension.partitions),
            "an index that begins with the column finds its rows; a dimension cannot be removed later");
  });
}

bool has(const std::vector<std::string>& list, const std::string& one) {
  return std::find(list.begin(), list.end(), one) != list.end();
}

bool is_dimension(const Hypertable& hypertable, const std::string& column) {
  return std::any_of(hypertable.dimensions.begin(), hypertable.dimensions.end(),
                     [&](const Dimension& one) { return one.column == column; });
}

/// Whether a column tells each row of a hypertable from all others. Its unique keys do not say so: they have
/// to hold the time, and `(device_id, ts)`, the commonest, is as much one as `(id, ts)` is. What can be
/// known: it alone is or was a key, as before the table became a hypertable, or it is called what a row's own
/// id is, `id` or, in `events`, `event_id`.
bool is_own_id(const std::string& column, const Hypertable& hypertable, const KnownTables::Table* table) {
  if (table != nullptr && table->alone.count(column) > 0) return true;
  const std::string& name = hypertable.name.name;
  const std::string one = name.ends_with('s') ? name.substr(0, name.size() - 1) : name;
  return column == "id" || column == "uuid" || column == one + "_id" || column == name + "_id";
}

/// The column by which a query looks for one row; empty if none. By one of a dimension it looks into few
/// chunks.
std::string looked_up(const QueryShape& shape, const Hypertable& hypertable, const KnownTables& tables) {
  const KnownTables::Table* table = tables.find(hypertable.name);
  for (const std::string& column : fixed_columns(shape))
    if (!is_dimension(hypertable, column) && is_own_id(column, hypertable, table)) return column;
  return {};
}

bool looks_into_all(const QueryShape& shape, const Hypertable& hypertable) {
  if (!shape.rows) return false;
  for (const QueryCondition& one : shape.conditions)
    if (one.column == hypertable.time_column) return false;
  // The newest of somebody's rows are found in the first chunks.
  return !shape.limited || shape.order.empty() || shape.order.front() != hypertable.time_column;
}

void check_lookup(const Input& input, const KnownTables& tables, Findings& findings) {
  if (input.queries == nullptr) return;
  for_each_hypertable(input, [&](const Declared<Hypertable>& hypertable) {
    const Hypertable& value = hypertable.value;
    const auto chunks = chunk_count(value);
    if (chunks && *chunks < few_chunks) return;
    for (const DeclaredQuery& query : *input.queries) {
      const auto shape = query.absent ? std::nullopt : read_shape(query.sql);
      if (!shape || tables.name_of(shape->table) != value.name || !looks_into_all(*shape, value)) continue;
      const std::string column = looked_up(*shape, value, tables);
      if (column.empty()) continue;
      const bool segment =
          value.columnstore && value.columnstore->segment_by && has(*value.columnstore->segment_by, column);
      findings.add(
          hypertable.where,
          fmt::format("query {} looks for one {} in all {}chunks of {}{}", query.name, column,
                      chunks ? fmt::format("{} ", *chunks) : "", hypertable.key,
                      value.columnstore && !segment
                          ? ", and in those of the columnstore in every batch: no index reaches in there"
                          : ""),
          fmt::format("a condition on {} leaves most chunks out; longer chunks are fewer",
                      value.time_column));
    }
  });
}

}  // namespace

Rule many_chunks_with_jit() {
  return {.name = "many-chunks-with-jit",
          .summary = "a hypertable that comes to hundreds of chunks, and jit that is not off",
          .why =
              "Every chunk that a query may need is planned, locked and, where the plan is costly, compiled "
              "for. With 420 chunks a query of all of them took 57 to 226 ms to plan, and 265 to 293 ms in a "
              "new connection; JIT compiled 100 to 7,900 functions: totals over two years took 10.96 s, and "
              "1.40 s with jit = off. With 25 chunks there was nothing to compile. Their number is "
              "retention.drop_after by chunk_interval, times the partitions; without a retention nothing is "
              "said.",
          .lock = "",
          .instead =
              "Chunks of such a length that a few dozen cover the retention, as long as the indexes of the "
              "newest fit into a quarter of the memory; no partitions by hash. And jit = off in "
              "[server.settings], or for those who ask such queries:\n"
              "  [roles.dashboard]\n"
              "  settings = { jit = \"off\" }",
          .whole = check_jit};
}

Rule space_dimension() {
  return {.name = "space-dimension",
          .summary = "a hypertable that is partitioned by hash beside time, in one tablespace",
          .why =
              "Partitions by hash were made for clusters of several servers, and spread I/O where each has a "
              "disk of its own: a tablespace. On one disk they only multiply the chunks, which are planned, "
              "locked and vacuumed each by itself, and a column of the dimension has to be in every unique "
              "index. Measured: 420 chunks where 105 would do; queries by that column were faster by an "
              "index, not by the partitions.",
          .lock = "",
          .instead =
              "Leave `dimensions` out, and begin an index with the column. Of a hypertable that is there, a "
              "dimension cannot be removed: set_number_partitions to 1 is for chunks to come.",
          .whole = check_space};
}

Rule lookup_in_every_chunk() {
  return {.name = "lookup-in-every-chunk",
          .summary = "a declared query that looks for one row in all chunks of a hypertable",
          .why =
              "A chunk is left out by its time alone. A query that knows a key and no time asks the index of "
              "every chunk, and each chunk of the columnstore, which has no index by that column, batch by "
              "batch. Measured, for one event by id: 0.9 ms on a plain table, 5.2 s with 420 chunks whose "
              "segment_by the server chose, 127 ms with a good one, 38 ms with 25 chunks, 1.6 ms with 28 "
              "native partitions. Uniqueness of the key alone is lost too: a unique index has to have the "
              "partitioning columns.",
          .lock = "",
          .instead =
              "Let the query say from when the row is, if only to the month: who has the id often knows it. "
              "Or keep a small table of ids and times beside it, take longer chunks, or compress later: what "
              "is still in rows has its indexes. Where the query is rare, keep this quiet with a reason.",
          .whole = check_lookup};
}

}  // namespace kdb::lint
