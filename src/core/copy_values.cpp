#include "core/copy_values.hpp"

#include <algorithm>

#include "base/text.hpp"

namespace kdb {

namespace {

char unescaped(char letter) {
  switch (letter) {
    case 'b':
      return '\b';
    case 'f':
      return '\f';
    case 'n':
      return '\n';
    case 'r':
      return '\r';
    case 't':
      return '\t';
    case 'v':
      return '\v';
    default:
      return letter;
  }
}

std::optional<std::string> value_of(std::string_view field) {
  if (field == "\\N") return std::nullopt;
  std::string value;
  for (size_t at = 0; at < field.size(); ++at)
    value += field[at] == '\\' && at + 1 < field.size() ? unescaped(field[++at]) : field[at];
  return value;
}

}  // namespace

std::vector<std::optional<std::string>> parse_copy_line(std::string_view line) {
  std::vector<std::optional<std::string>> values;
  for (size_t begin = 0;;) {
    const size_t end = line.find('\t', begin);  // one in a value is written as an escape
    values.push_back(value_of(line.substr(begin, end - begin)));
    if (end == std::string_view::npos) return values;
    begin = end + 1;
  }
}

std::string values_of_copy(std::string_view rows) {
  std::string sql;
  for (size_t begin = 0; begin < rows.size();) {
    const size_t end = std::min(rows.find('\n', begin), rows.size());
    sql += sql.empty() ? "(" : ", (";
    bool first = true;
    for (const auto& value : parse_copy_line(rows.substr(begin, end - begin))) {
      if (!first) sql += ", ";
      sql += value ? quote_literal(*value) : "NULL";
      first = false;
    }
    sql += ')';
    begin = end + 1;
  }
  return sql;
}

}  // namespace kdb
