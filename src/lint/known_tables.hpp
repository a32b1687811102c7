#pragma once

#include <map>
#include <set>
#include <string>
#include <string_view>
#include <vector>

#include "lint/column_type.hpp"
#include "model/object.hpp"

namespace kdb::lint {

struct Statement;
struct TableAction;

/// What the migrations up to now say of the tables that they make. Only ever a reason to keep quiet or to
/// know a better way: other tools, functions and DO blocks may have done more.
class KnownTables {
 public:
  struct Check {
    std::string column;  // that it holds to be not null
    bool valid = true;
  };
  /// An index, or a constraint that has one.
  struct Key {
    std::string name;                  // as the server calls it; empty where that is not known
    std::vector<std::string> columns;  // "" for an expression
    bool unique = false;               // of all rows
    bool btree = true;
  };
  struct Table {
    std::string name;  // that it was made with
    std::map<std::string, ColumnType> columns;
    std::vector<Key> keys;
    bool more_keys = false;       // it has some that are not known here: those of the table that it is LIKE
    std::set<std::string> alone;  // columns that alone are, or were, a key: of one row each
    std::map<std::string, Check> not_null_checks;  // by the constraint's name
    bool partitioned = false;
    bool hypertable = false;
  };

  explicit KnownTables(std::string default_schema) : default_schema_(std::move(default_schema)) {}

  /// Null for one that is not known.
  const Table* find(const ObjectName& name) const;
  const Table* find(std::string_view written) const { return find(name_of(written)); }

  /// A name as written in SQL, folded as the server does.
  ObjectName name_of(std::string_view written) const;

  /// The statement has run.
  void read(const Statement& statement);

 private:
  void read_create(const Statement& statement);
  void read_alter(const Statement& statement);
  static void read_action(const Statement& statement, const TableAction& action, Table& table);
  void read_index(const Statement& statement);
  void read_hypertable(const Statement& statement);

  std::string default_schema_;
  std::map<ObjectName, Table> tables_;
};

}  // namespace kdb::lint
