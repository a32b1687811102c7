#pragma once

#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "base/new_relations.hpp"
#include "base/sql_words.hpp"
#include "lint/column_type.hpp"
#include "lint/input.hpp"
#include "lint/known_tables.hpp"

namespace kdb::lint {

using sql::npos;

/// One action of an ALTER TABLE: the words [first, last).
struct TableAction {
  enum class Kind {
    add_column,
    alter_column,
    drop_column,
    rename_column,
    add_constraint,
    validate_constraint,
    drop_constraint,
    rename_table,
    detach_partition,
    other,
  };
  Kind kind = Kind::other;
  size_t first = 0;
  size_t last = 0;
  size_t name = npos;  // of the column, constraint or partition; npos for a constraint without one
  size_t body = 0;     // what comes behind the name: a type, `SET NOT NULL`, `CHECK (…)`
};

/// One statement as rules look at it.
struct Statement {
  Statement(const Script& in, const Step& of, const KnownTables& known, const sql::NewRelations& new_ones);

  const Script& script;
  const Step& step;
  const KnownTables& tables;      // as they are before it
  const sql::NewRelations& made;  // by the script, before it
  sql::Words words;
  size_t object = npos;                       // where the main object's name begins
  bool on_new = false;                        // works on a table that the script itself made: nobody waits
  std::vector<sql::StatementHazard> hazards;  // without those on what is new, or that the file allows
  std::vector<TableAction> actions;           // of an ALTER TABLE
  std::vector<ColumnDefinition> columns;      // that it defines or gives another type

  bool is(std::string_view command) const { return step.what.command == command; }
  /// The table of the statement as written: of an index command the table of the index.
  const std::string& table() const { return step.what.table.empty() ? step.what.object : step.what.table; }
  /// The place of a word in the file.
  Source at(size_t word) const;
  bool has_hazard(std::string_view id) const;
  /// Whether the section's `allow:` permits it.
  bool allows(std::string_view hazard, std::string_view object) const;
  /// Whether one action has a hazard; none has on what is new.
  bool has_hazard(const TableAction& action, std::string_view id) const;
};

/// The parts between the commas of [from, to), commas in parentheses not counted.
std::vector<std::pair<size_t, size_t>> parts(const sql::Words& words, size_t from, size_t to);

}  // namespace kdb::lint
