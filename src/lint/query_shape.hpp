#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace kdb::lint {

/// One condition of a WHERE: `metric_id = $1`.
struct QueryCondition {
  std::string column;  // as the catalog has it
  std::string op;      // `=`, `@>`, `in`, `between`, `is`; empty of a column that is itself true or false
  std::string value;   // what stands behind the operator
  std::string text;    // all of it, normalised, the column without its table: to compare with another one
  bool fixes = false;  // it leaves the column one value, known when the query runs
};

/// What can be told of a query by its words: which rows of one table it wants, and in which order.
struct QueryShape {
  std::string table;  // as written
  std::vector<QueryCondition> conditions;
  std::vector<std::string> order;  // "" for an expression
  bool limited = false;            // it wants the first of that order
  bool rows = true;                // rows as they are stored: nothing is grouped, counted or made distinct
};

/// Nothing where a query is more than `SELECT … FROM one table WHERE column … AND column …`: joins, OR, NOT,
/// subqueries, set operations, conditions on expressions.
std::optional<QueryShape> read_shape(std::string_view query);

/// The columns whose value a query fixes.
std::vector<std::string> fixed_columns(const QueryShape& shape);

}  // namespace kdb::lint
