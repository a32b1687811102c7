#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "kinds/parts.hpp"
#include "kinds/row.hpp"
#include "model/change.hpp"
#include "model/facts.hpp"
#include "model/object.hpp"

namespace kdb {

template <class T>
struct Difference;
class Surroundings;

/// What is true of a live table beside what a profile says of it.
struct TableFacts {
  std::string oid;
  char kind = 'r';  // pg_class.relkind: r table, p partitioned, m materialised view
  bool hypertable = false;
  std::vector<std::string> unmanaged;  // what somebody has set that no profile can say: `n_distinct of "a"`
  std::vector<std::string> constraint_indexes;  // their names
  std::vector<std::string> partition_key;       // its columns, empty for an expression
  std::vector<Part> parts;                      // newest first, each before its own parts
  std::vector<PartIndex> unlinked;              // indexes of chunks that belong to none of the hypertable's
  std::vector<PartIndex> constraints;           // the hypertable's own unique ones
};

/// What a profile says of a table (or materialised view) that migrations make. What it does not say is left
/// as it is.
struct TableProperties {
  static constexpr std::string_view section = "tables";
  static constexpr std::string_view word = "table";
  static constexpr bool is_whole = false;  // what a profile leaves out is as it may be
  static constexpr bool made_elsewhere = true;
  static constexpr size_t rank = 4;  // may name indexes
  using Facts = TableFacts;

  ObjectName name;
  Options storage;         // fillfactor, autovacuum_…, toast.autovacuum_…
  Options statistics;      // target by column
  Options column_storage;  // plain, external, extended or main by column, where it is not its type's
  Options compression;     // pglz or lz4 by column
  // Of an index that a partition has of a table above, the name is that one's: its own may be another after
  // the next build.
  std::string replica_identity;  // full, nothing, or `index NAME`; empty: the primary key
  std::string cluster;           // the index by which it is clustered
  std::string tablespace;
  std::string comment;
  Options comments;     // by column
  std::string indexes;  // "exclusive": indexes that no profile declares are drift; of profiles only

  ObjectName name_of(std::string_view key, std::string_view default_schema) const {
    return parse_name(key, default_schema);
  }

  /// One row for every table that migrations may have made: none of extensions, chunks, toast tables,
  /// temporary tables, or the system.
  static std::string catalog_query(const ServerFacts& facts);
  static bool vanished(const Row&) { return false; }
  static TableProperties read(const Row& row);
  static TableFacts read_facts(const Row& row);

  bool operator==(const TableProperties&) const = default;
};

/// As for an index: each field once.
template <class Visitor, class... T>
requires all_are<TableProperties, T...>
void fields(Visitor&& visit, T&... table) {
  visit("storage", table.storage...);
  visit("statistics", table.statistics...);
  visit("column_storage", table.column_storage...);
  visit("compression", table.compression...);
  visit("replica_identity", table.replica_identity...);
  visit("cluster", table.cluster...);
  visit("tablespace", table.tablespace...);
  visit("comment", table.comment...);
  visit("comments", table.comments...);
  visit("indexes", table.indexes...);
}

inline bool operator<(const TableProperties& a, const TableProperties& b) { return a.name < b.name; }

inline const ObjectName* table_of(const TableProperties& table) { return &table.name; }
/// What is wrong with one that is to go.
inline Problem problem_if_absent(const TableProperties&) {
  return {.message = "a profile drops no tables", .hint = "write a migration that does"};
}
/// Whether there is anything to say of a table: each has a row in the catalog.
bool counts(const TableProperties& table);
/// What it has that a table has not by default: `has storage parameters, comments of columns`.
std::string remark(const TableProperties& table, const TableFacts& facts, std::string_view default_schema);
/// Nothing where there is nothing to say of it.
std::optional<TableProperties> as_written(const TableProperties& table, const TableFacts& facts,
                                          std::string_view default_schema);

/// The name behind `index ` of a replica identity; empty where it is by none.
std::string identity_index(const TableProperties& table);

std::vector<std::string> remarks(const TableProperties& table, const TableFacts& facts);
std::vector<std::pair<std::string, std::string>> check(const TableProperties& table);

/// As the catalog would have it: what only profiles say left out, and names of defaults.
inline TableProperties catalog_form(TableProperties table) {
  table.indexes.clear();
  if (table.replica_identity == "default") table.replica_identity.clear();
  return table;
}

/// The same with the names that its indexes have once the changes before are made.
TableProperties renamed_indexes(TableProperties table, const Surroundings& around);

/// The indexes that its properties name and that will not be there once the changes before are made, each
/// behind its field.
std::vector<std::pair<std::string, std::string>> missing_indexes(const TableProperties& table,
                                                                 const Surroundings& around);

/// The statements of a change, in their order.
std::vector<ChangeStep> steps(const Difference<TableProperties>& difference, const Surroundings& around);

}  // namespace kdb
