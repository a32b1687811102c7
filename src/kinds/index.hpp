#pragma once

#include <string>
#include <string_view>
#include <tuple>
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

/// What is true of a live index beside its definition.
struct IndexFacts {
  std::string oid;
  bool valid = true;
  bool partitioned = false;  // of a partitioned table: its partitions have indexes of their own below it
  bool replica_identity = false;
  bool clustered = false;
  int building = 0;    // the pid of a session that builds it, or one of its parts, right now
  std::string schema;  // where it really is: TimescaleDB's own where its table is a continuous aggregate
  Coverage coverage;   // of a table that has parts
  std::vector<PartIndex> parts;        // those of the parts that belong to it, in no order
  std::vector<std::string> unmanaged;  // what partitions' have of their own: `comments of its parts: a, b`

  /// Whether it is there for every row of its table.
  bool whole() const { return valid && coverage.complete(); }
};

/// An index that backs no constraint.
struct Index {
  static constexpr std::string_view section = "indexes";
  static constexpr std::string_view word = "index";
  static constexpr bool is_whole = true;  // what a profile leaves out of one is so by default
  static constexpr size_t rank = 3;
  using Facts = IndexFacts;

  ObjectName name;  // in the schema of its table
  ObjectName table;
  std::string method = "btree";
  std::vector<Fragment> columns;  // each a column or an expression with its opclass, collation and order
  std::vector<Fragment> include;
  Fragment where;
  bool unique = false;
  bool nulls_not_distinct = false;
  Options with;
  std::string tablespace;
  Options statistics;  // target by the number of the expression's column: {"2": "500"}
  std::string comment;

  /// An index is in the schema of its table, whatever `key` leaves out. Throws as parse_name does.
  ObjectName name_of(std::string_view key, std::string_view default_schema) const {
    return parse_name(key, table.schema.empty() ? default_schema : table.schema);
  }

  /// One row for every index that a profile can declare: none of constraints, extensions, partitions whose
  /// parent's index has it, chunks, toast tables, temporary tables, or the system.
  static std::string catalog_query(const ServerFacts& facts);
  /// The same columns for the indexes that `condition` selects, i being pg_index.
  static std::string query_where(std::string_view condition);
  /// The same, the table being `table_schema` and `table_name`, which `joins` may provide.
  static std::string query_of(std::string_view table_schema, std::string_view table_name,
                              std::string_view joins, std::string_view condition);
  /// Whether the index was dropped while the catalog was read: functions look past the query's snapshot.
  static bool vanished(const Row& row) { return !row.value("definition"); }
  static Index read(const Row& row);
  static IndexFacts read_facts(const Row& row);

  bool operator==(const Index&) const = default;
};

/// Each field once, in the order in which people read them: `visit(name, member…)` with that member of every
/// given index.
template <class Visitor, class... I>
requires all_are<Index, I...>
void fields(Visitor&& visit, I&... index) {
  visit("table", index.table...);
  visit("method", index.method...);
  visit("columns", index.columns...);
  visit("include", index.include...);
  visit("where", index.where...);
  visit("unique", index.unique...);
  visit("nulls_not_distinct", index.nulls_not_distinct...);
  visit("with", index.with...);
  visit("tablespace", index.tablespace...);
  visit("statistics", index.statistics...);
  visit("comment", index.comment...);
}

/// By table, then by name: as people look for them.
inline bool operator<(const Index& a, const Index& b) {
  return std::tie(a.table, a.name) < std::tie(b.table, b.name);
}

inline const ObjectName* table_of(const Index& index) { return &index.table; }
/// Whether they differ in nothing but their names, and what is changed along with these.
bool same_but_name(Index a, const Index& b);
/// What is wrong with one that no profile declares; empty where nothing is.
std::string remark(const Index& index, const IndexFacts& facts, std::string_view default_schema);

/// What somebody who reads the profile should know of a live index.
std::vector<std::string> remarks(const Index& index, const IndexFacts& facts);

/// What a profile got wrong about an index, whatever the server: each problem as field and message.
std::vector<std::pair<std::string, std::string>> check(const Index& index);

/// Cuts the fields out of what pg_get_indexdef() printed; by its own punctuation only, nothing is changed.
void cut_definition(std::string_view definition, Index& index);

/// The column that a key names in the server's form, unquoted; empty for an expression.
std::string plain_column(const Fragment& key);

/// What makes two indexes of one table the same to a query: all but name, parameters, tablespace, comment.
std::string structure_of(const Index& index);

/// The same but for the order of the columns: what makes them the same to a partitioned table's index.
std::string unordered_structure_of(Index index);

/// `CREATE INDEX …`, without CONCURRENTLY, of `index` under `name` on `table` (both as SQL).
std::string create_sql(const Index& index, std::string_view name, std::string_view table, bool concurrently);

/// The name under which `index` is built beside the one that it replaces: the same for the same definition,
/// so that a build is found again.
std::string build_name(const Index& index);
/// Whether kdb made the index beside another one, and something kept it from tidying up.
bool is_leftover(const Index& index);

/// Whether the server changes a storage parameter in place, with effect.
bool changes_in_place(std::string_view parameter);
/// The statements that do; of each change of `with.…`.
std::vector<std::string> alter_parameters_sql(const ObjectName& name,
                                              const std::vector<FieldChange>& changes);

/// Whether fields that differ can be changed in place.
Action action_of(const Index& desired, const std::vector<FieldChange>& fields);

/// The statements of a change, in their order. Readers and writers go on meanwhile, as far as the server can.
std::vector<ChangeStep> steps(const Difference<Index>& difference, const Surroundings& around);

}  // namespace kdb
