// Rules about indexes of documents and what declared queries look for in them.

#include <algorithm>
#include <map>

#include <fmt/format.h>

#include "base/sql_words.hpp"
#include "base/text.hpp"
#include "lint/fragment.hpp"
#include "lint/query_shape.hpp"
#include "lint/rules.hpp"

namespace kdb::lint {

namespace {

/// The key of `{"key": scalar}` as it is written; empty for any other JSON.
std::string only_key(std::string_view json) {
  json = trim(json);
  if (json.size() < 2 || json.front() != '{' || json.back() != '}') return {};
  json = trim(json.substr(1, json.size() - 2));
  const auto string_end = [](std::string_view text) {
    size_t end = 1;
    while (end < text.size() && text[end] != '"') end += text[end] == '\\' ? 2U : 1U;
    return end;
  };
  if (json.empty() || json.front() != '"') return {};
  const size_t end = string_end(json);
  if (end >= json.size()) return {};
  const std::string key(json.substr(1, end - 1));
  json = trim(json.substr(end + 1));
  if (json.empty() || json.front() != ':') return {};
  json = trim(json.substr(1));
  if (json.empty()) return {};
  if (json.front() == '"') return string_end(json) + 1 == json.size() ? key : "";
  return json.find_first_of(",{[\"") == std::string_view::npos ? key : "";
}

/// The value of a parameter or of a constant.
std::string value_of(const DeclaredQuery& query, std::string_view written) {
  const sql::Words words(written);
  const std::string_view first = words.text(0);
  if (words.is_literal(0)) return sql::literal_value(first);
  size_t number = 0;
  for (const char c : first.substr(std::min<size_t>(first.size(), 1))) {
    if (c < '0' || c > '9' || number > 100'000) return {};
    number = number * 10 + static_cast<size_t>(c - '0');
  }
  return first.starts_with('$') && number >= 1 && number <= query.parameters.size()
             ? query.parameters[number - 1]
             : std::string();
}

/// How many times a query asks a column by an operator that a GIN index of it may answer, whatever the table.
size_t times_asked(const sql::Words& words, const std::string& column) {
  size_t times = 0;
  for (size_t at = 0; at < words.size(); ++at)
    for (const std::string_view op : {"@>", "?", "?|", "?&", "@?", "@@"})
      if (words.is(at + 1, op) && sql::folded(words.text(at)) == column) ++times;
  return times;
}

/// The one key by which all declared queries ask the documents of a column, and how many queries there are.
struct OneKey {
  std::string key;
  size_t queries = 0;
};

std::optional<OneKey> one_key(const Input& input, const KnownTables& tables, const ObjectName& table,
                              const std::string& column) {
  OneKey result;
  for (const DeclaredQuery& query : *input.queries) {
    if (query.absent) continue;
    const size_t asked = times_asked(sql::Words(query.sql), column);
    if (asked == 0) continue;
    const auto shape = read_shape(query.sql);
    if (!shape || tables.name_of(shape->table) != table) return std::nullopt;
    size_t understood = 0;
    for (const QueryCondition& one : shape->conditions) {
      if (one.column != column || one.op != "@>") continue;
      const std::string key = only_key(value_of(query, one.value));
      if (key.empty() || (!result.key.empty() && key != result.key)) return std::nullopt;
      result.key = key;
      ++understood;
    }
    if (understood != asked) return std::nullopt;
    ++result.queries;
  }
  return result.queries == 0 ? std::nullopt : std::optional(result);
}

void check_gin(const Input& input, const KnownTables& tables, Findings& findings) {
  if (input.desired == nullptr || input.queries == nullptr) return;
  for (const Declared<Index>& index : input.desired->of<Index>()) {
    if (index.absent || index.value.method != "gin" || index.value.columns.size() != 1) continue;
    const std::string column = column_of(index.value.columns.front().sql);
    if (column.empty()) continue;
    const auto found = one_key(input, tables, index.value.table, column);
    if (!found) continue;
    findings.add(index.where,
                 fmt::format("index {} holds every key of {}, and {} for one: {}", index.key, column,
                             found->queries == 1
                                 ? "the declared query that uses it asks"
                                 : fmt::format("the {} declared queries that may use it ask", found->queries),
                             found->key),
                 fmt::format("an index of (({} ->> '{}')) is a third as large, for queries that ask {} ->> "
                             "'{}' = …",
                             column, found->key, column, found->key));
  }
}

}  // namespace

Rule gin_for_one_key() {
  return {
      .name = "gin-for-one-key",
      .summary = "a GIN index of documents, and declared queries that ask for one key of them",
      .why =
          "A GIN index has an entry for every key and value of every document, and is what costs most when "
          "rows are written. Measured on events: 30 MB a month, an index of the one key with the time 8.3 "
          "MB; without the GIN index 38 % more rows a second could be loaded, with half the WAL. Only "
          "the declared queries are known: others may ask for other keys.",
      .lock = "",
      .instead =
          "Index the key, and ask for it:\n"
          "  columns = [\"(properties ->> 'campaign')\", \"timestamp DESC\"]\n"
          "  WHERE properties ->> 'campaign' = $1\n"
          "Where people may ask for any key, keep the index, and this quiet with that reason.",
      .whole = check_gin};
}

}  // namespace kdb::lint
