#include "lint/fragment.hpp"

#include "base/sql_words.hpp"
#include "base/text.hpp"
#include "lint/known_tables.hpp"

namespace kdb::lint {

namespace {

using sql::Words;

/// Whether a name or a keyword stands there, without a schema.
bool is_name(const Words& words, size_t at) { return at < words.size() && !words.name(at).empty(); }

bool is_value(const Words& words, size_t at) {
  const std::string_view text = words.text(at);
  return words.is_literal(at) || words.is(at, "true") || words.is(at, "false") ||
         (!text.empty() && text.front() >= '0' && text.front() <= '9');
}

}  // namespace

std::string normalised(std::string_view fragment) {
  const Words words(fragment);
  std::string text;
  for (size_t at = 0; at < words.size(); ++at) {
    const std::string_view word = words.text(at);
    if (!text.empty()) text += ' ';
    text += words.is_literal(at) || word.starts_with('"') ? std::string(word) : to_lower(word);
  }
  return text;
}

std::vector<std::string> normalised(const std::vector<Fragment>& fragments) {
  std::vector<std::string> result;
  result.reserve(fragments.size());
  for (const Fragment& fragment : fragments) result.push_back(normalised(fragment.sql));
  return result;
}

std::string column_of(std::string_view key) {
  const Words words(key);
  if (words.is(0, "(") && is_name(words, 1) && words.is(2, ")")) return sql::folded(words.text(1));
  // A name, and perhaps its collation, operator class and order; never a call, a field or an operator.
  if (!is_name(words, 0) || (words.size() > 1 && !is_name(words, 1))) return {};
  return sql::folded(words.text(0));
}

std::vector<std::string> constant_columns(std::string_view condition) {
  const Words words(condition);
  std::vector<std::string> columns;
  for (size_t at = 0; at < words.size(); ++at) {
    for (const std::string_view word : {"or", "not", "case", "is"})
      if (words.is(at, word)) return {};
    if (words.is(at, "(") && at > 0 && is_name(words, at - 1) && !words.is(at - 1, "and")) return {};
    const bool begins = at == 0 || words.is(at - 1, "and") || words.is(at - 1, "(");
    const bool ends =
        at + 3 >= words.size() || words.is(at + 3, "and") || words.is(at + 3, ")") || words.is(at + 3, "::");
    if (begins && ends && is_name(words, at) && words.is(at + 1, "=") && is_value(words, at + 2))
      columns.push_back(sql::folded(words.text(at)));
  }
  return columns;
}

std::vector<std::string> sources_of(std::string_view query) {
  const Words words(query);
  std::vector<std::string> names;
  for (size_t at = 0; at < words.size(); ++at) {
    if (!words.is(at, "from") && !words.is(at, "join")) continue;
    std::string name = words.name(words.skip(at + 1, "only"));
    if (!name.empty()) names.push_back(std::move(name));
  }
  return names;
}

}  // namespace kdb::lint
