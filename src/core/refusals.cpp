#include "core/refusals.hpp"

#include <algorithm>

#include <fmt/format.h>

#include "kinds/index_flags.hpp"

namespace kdb {

Problem no_table(const std::string& title, const std::string& table, const Source& where) {
  return {.message = fmt::format("{}: there is no table {}", title, table),
          .where = where,
          .hint = "tables are made by migrations; names are as the catalog has them"};
}

namespace {

/// The index of the table itself that its properties name, as it is to be; null where they mean none.
const Index* own_index(const ObjectName& table, const std::string& name, const Surroundings& around) {
  const ObjectName own{table.schema, name};
  if (const Index* declared = around.declared(own); declared != nullptr)
    return declared->table == table ? declared : nullptr;
  const Live<Index>* live = around.index(own);
  return live != nullptr && live->value.table == table ? &live->value : nullptr;
}

/// What is wrong with indexes that are to be what the table is clustered by, or its identity.
std::vector<Problem> unfit_indexes(const std::string& title, const Declared<TableProperties>& table,
                                   const Surroundings& around) {
  std::vector<Problem> problems;
  const auto look = [&](const std::string& field, const std::string& name, const IndexFlags& flags,
                        std::string hint) {
    const Index* index = own_index(table.value.name, name, around);
    if (index == nullptr || flag_words(refused_flags(flags, *index)).empty()) return;
    problems.push_back({.message = fmt::format("{}: index \"{}\" cannot be its {}", title, name, field),
                        .where = table.where_of(field),
                        .hint = std::move(hint)});
  };
  look("cluster", table.value.cluster, {.replica_identity = false, .clustered = true},
       "CLUSTER goes by a btree or GiST index of all rows");
  look("replica_identity", identity_index(table.value), {.replica_identity = true, .clustered = false},
       "replicas find rows by a unique index of all of them, by columns that are NOT NULL");
  if (!table.value.cluster.empty() && around.table(table.value.name).kind == 'p')
    problems.push_back({.message = fmt::format("{}: it is partitioned, and cannot be clustered", title),
                        .where = table.where_of("cluster"),
                        .hint = "its partitions can, each by the name of the whole's index"});
  return problems;
}

}  // namespace

std::vector<Problem> index_problems(const std::string& title, const Declared<TableProperties>& table,
                                    const Surroundings& around) {
  std::vector<Problem> problems = unfit_indexes(title, table, around);
  for (const auto& [field, index] : missing_indexes(table.value, around)) {
    const std::string whole = around.whole_of(table.value.name, index);
    problems.push_back(
        {.message = fmt::format("{}: there is no index \"{}\" on it", title, index),
         .where = table.where_of(field),
         .hint = whole.empty() ? "indexes are declared with [indexes.NAME], or made by migrations; names are "
                                 "as the catalog has them"
                               : fmt::format("it is a part of index {}: name that", whole)});
  }
  return problems;
}

Problem has_readers(const std::string& title, const std::vector<std::string>& readers, std::string_view done,
                    const Source& where) {
  return {.message = fmt::format("{}: it cannot be {} while {} {} it", title, done, fmt::join(readers, ", "),
                                 readers.size() == 1 ? "reads" : "read"),
          .where = where,
          .hint = "with state = \"absent\" they are dropped before it; a later apply makes them again"};
}

namespace {

/// The key columns of an index, of expressions the empty text.
std::vector<std::string> key_columns(const Index& index) {
  std::vector<std::string> columns;
  for (const Fragment& key : index.columns) columns.push_back(plain_column(key));
  return columns;
}

std::string unique_without(const std::vector<std::string>& columns, const ObjectName& table,
                           const Surroundings& around) {
  for (const std::string& column : around.table(table).partition_key) {
    if (column.empty())
      return fmt::format("it is unique, and {} is partitioned by an expression", around.text(table));
    if (std::find(columns.begin(), columns.end(), column) == columns.end())
      return fmt::format("it is unique without {}, by which {} is partitioned", column, around.text(table));
  }
  return {};
}

}  // namespace

std::optional<Problem> partition_problem(const Index& index, const Surroundings& around) {
  const TableFacts& table = around.table(index.table);
  if (!index.unique || table.kind != 'p') return std::nullopt;
  const std::vector<std::string> columns = key_columns(index);
  std::string message = unique_without(columns, index.table, around);
  for (const Part& part : table.parts) {
    if (!message.empty()) break;
    if (part.kind == 'p') message = unique_without(columns, part.name, around);
    if (part.kind == 'f')
      message = fmt::format("it is unique, and {} is a foreign table", around.text(part.name));
  }
  if (message.empty()) return std::nullopt;
  return Problem{.message = std::move(message),
                 .hint = "the server refuses it: rows can only be unique within a partition"};
}

namespace {

/// What has a name by then; empty where it is free, or the name of a part, which gives it away.
std::string name_holder(const ObjectName& name, const Surroundings& around, const DiffOptions& options) {
  if (options.aggregates.count(name) > 0) return "a continuous aggregate that is declared";
  if (!around.names().is_taken(name)) return {};
  if (const auto held = options.held.find(name); held != options.held.end()) return held->second.what;
  if (around.names().is_of_index(name)) return "an index that is declared, too";
  const Live<Index>* index = around.holder_of(name);
  return index == nullptr ? "" : fmt::format("an index of {}", around.text(index->value.table));
}

}  // namespace

std::optional<Problem> schema_problem(const Index& index, const Surroundings& around) {
  const std::string& schema = index.name.schema;
  if (schema == index.table.schema || schema == around.home_of(index.table)) return std::nullopt;
  return Problem{.message = fmt::format("an index is in the schema of its table, \"{}\"", index.table.schema),
                 .hint = "leave the schema out of its name"};
}

std::optional<Problem> statistics_problem(const Index& index) {
  for (const auto& [column, target] : index.statistics) {
    const size_t number = std::stoul(column);
    if (number <= index.columns.size() && plain_column(index.columns[number - 1]).empty()) continue;
    return Problem{
        .message = fmt::format("its column {} is no expression, and has no statistics target", column),
        .hint = "that of a column is its table's: [tables.NAME] statistics"};
  }
  return std::nullopt;
}

std::optional<Problem> name_problem(const Index& index, const Surroundings& around,
                                    const DiffOptions& options) {
  if (options.migrations_pending) return std::nullopt;
  const std::string holder = name_holder({around.home_of(index.table), index.name.name}, around, options);
  if (holder.empty()) return std::nullopt;
  return Problem{
      .message = fmt::format("the name is that of {}", holder),
      .hint = "indexes share their names with tables, views, sequences and constraints of the schema"};
}

}  // namespace kdb
