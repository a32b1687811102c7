#include "lint/query_shape.hpp"

#include <algorithm>

#include "base/sql_words.hpp"
#include "base/text.hpp"
#include "lint/fragment.hpp"
#include "lint/statement.hpp"

namespace kdb::lint {

namespace {

using sql::Words;

constexpr std::string_view clauses[] = {"where", "group by", "having", "window", "order by",
                                        "limit", "offset",   "fetch",  "for"};

/// Where the clause begins that follows `from`; the end if none does.
size_t next_clause(const Words& words, size_t from) {
  size_t next = words.size();
  for (const std::string_view clause : clauses) next = std::min(next, words.find(clause, from));
  return next;
}

/// Whether a query has parts that this file does not follow: a second SELECT, in parentheses too.
bool is_more(const Words& words) {
  for (size_t at = 1; at < words.size(); ++at)
    for (const std::string_view word : {"select", "union", "intersect", "except", "values", "tablesample"})
      if (words.is(at, word)) return true;
  return false;
}

bool is_constant(const Words& words, size_t at, size_t last) {
  if (words.is(at, "-") || words.is(at, "+")) ++at;
  if (at >= last) return false;
  const std::string_view text = words.text(at);
  const bool number = !text.empty() && text.front() >= '0' && text.front() <= '9';
  const bool parameter = text.size() > 1 && text.front() == '$' && text[1] >= '0' && text[1] <= '9';
  if (!number && !parameter && !words.is_literal(at) && !words.is(at, "true") && !words.is(at, "false"))
    return false;
  return at + 1 == last || words.is(at + 1, "::");
}

/// `[alias.]column op value` in [first, last); nothing for other conditions.
std::optional<QueryCondition> read_condition(const Words& words, size_t first, size_t last) {
  while (words.is(first, "(") && words.skip_parentheses(first) == last) {
    ++first;
    --last;
  }
  const size_t op = words.skip_name(first);
  if (op == first || op > last || words.is(first, "not") || words.is(op, "(")) return std::nullopt;
  QueryCondition condition{.column = sql::folded(words.text(op - 1))};
  condition.text = normalised(words.between(op - 1, last));
  if (op == last) return condition;
  condition.op = to_lower(words.text(op));
  const bool is_operator = condition.op.find_first_not_of("~!@#^&|`?+-*/%<>=") == std::string::npos;
  if (!is_operator && condition.op != "in" && condition.op != "between" && condition.op != "is")
    return std::nullopt;
  condition.value = words.between(op + 1, last);
  condition.fixes = condition.op == "=" && is_constant(words, op + 1, last);
  return condition;
}

/// Where the condition ends that begins at `first`: before its AND, BETWEEN's own not counted.
size_t end_of_condition(const Words& words, size_t first, size_t last) {
  size_t end = std::min(words.find("and", first, last), last);
  if (words.find("between", first, end) != npos && end < last)
    end = std::min(words.find("and", end + 1, last), last);
  return end;
}

bool read_conditions(const Words& words, size_t first, size_t last, QueryShape& shape) {
  if (words.find("or", first, last) != npos) return false;
  while (first < last) {
    const size_t end = end_of_condition(words, first, last);
    auto condition = read_condition(words, first, end);
    if (!condition) return false;
    shape.conditions.push_back(std::move(*condition));
    first = end + 1;
  }
  return true;
}

void read_order(const Words& words, size_t first, size_t last, QueryShape& shape) {
  for (const auto& [begin, end] : parts(words, first, last)) {
    const size_t behind = words.skip_name(begin);
    const bool plain = behind != begin && (behind == end || words.is(behind, "asc") ||
                                           words.is(behind, "desc") || words.is(behind, "nulls"));
    shape.order.push_back(plain ? sql::folded(words.text(behind - 1)) : "");
  }
}

/// Whether what is selected in [1, from) is what is stored: no DISTINCT, and no aggregate, for which
/// count, sum and the like stand.
bool selects_rows(const Words& words, size_t from) {
  if (words.is(1, "distinct")) return false;
  for (const std::string_view function : {"count", "sum", "min", "max", "avg", "array_agg", "string_agg",
                                          "jsonb_agg", "json_agg", "bool_or", "bool_and"})
    if (words.find_call(function, 1, from) != npos) return false;
  return true;
}

}  // namespace

std::optional<QueryShape> read_shape(std::string_view query) {
  const Words words(query);
  const size_t from = words.find("from", 1);
  if (!words.is(0, "select") || from == npos || is_more(words)) return std::nullopt;
  const size_t table = words.skip(from + 1, "only");
  size_t at = words.skip_name(table);
  QueryShape shape{.table = words.name(table)};
  if (shape.table.empty()) return std::nullopt;
  size_t clause = next_clause(words, at);
  at = words.skip(at, "as");
  if (clause > at + 1 || words.is(at, ",") || words.is(at, "(")) return std::nullopt;  // but an alias
  shape.rows = selects_rows(words, from);
  while (clause < words.size()) {
    const size_t begin = clause;
    clause = next_clause(words, begin + 1);
    if (words.is(begin, "where") && !read_conditions(words, begin + 1, clause, shape)) return std::nullopt;
    if (words.is(begin, "order")) read_order(words, begin + 2, clause, shape);
    if (words.is(begin, "limit") || words.is(begin, "fetch")) shape.limited = true;
    if (words.is(begin, "group") || words.is(begin, "having") || words.is(begin, "window"))
      shape.rows = false;
  }
  return shape;
}

std::vector<std::string> fixed_columns(const QueryShape& shape) {
  std::vector<std::string> columns;
  for (const QueryCondition& one : shape.conditions)
    if (one.fixes && std::find(columns.begin(), columns.end(), one.column) == columns.end())
      columns.push_back(one.column);
  return columns;
}

}  // namespace kdb::lint
