#include "base/sql_words.hpp"

#include <algorithm>

#include "base/sql_scan.hpp"
#include "base/text.hpp"

namespace kdb::sql {

Words::Words(std::string_view sql) : sql_(sql) {
  Scanner scanner(sql);
  while (const auto token = scanner.next()) {
    if (token->kind != Token::Kind::comment) tokens_.push_back(*token);
  }
}

std::string_view Words::text(size_t i) const {
  if (i >= tokens_.size()) return {};
  return sql_.substr(tokens_[i].begin, tokens_[i].end - tokens_[i].begin);
}

std::string_view Words::between(size_t first, size_t last) const {
  last = std::min(last, size());
  if (first >= last) return {};
  return sql_.substr(tokens_[first].begin, tokens_[last - 1].end - tokens_[first].begin);
}

bool Words::is(size_t i, std::string_view word) const {
  return i < size() && equals_ignore_case(text(i), word);
}

bool Words::is_literal(size_t i) const { return i < size() && tokens_[i].kind == Token::Kind::literal; }

size_t Words::skip(size_t i, std::string_view phrase) const {
  size_t at = i;
  while (!phrase.empty()) {
    const size_t space = std::min(phrase.find(' '), phrase.size());
    if (!is(at++, phrase.substr(0, space))) return i;
    phrase.remove_prefix(std::min(space + 1, phrase.size()));
  }
  return at;
}

size_t Words::skip_parentheses(size_t i) const {
  if (!is(i, "(")) return i;
  int depth = 0;
  for (size_t at = i; at < size(); ++at) {
    if (is(at, "(")) ++depth;
    if (is(at, ")") && --depth == 0) return at + 1;
  }
  return size();
}

size_t Words::end_of_group(size_t i) const {
  int depth = 0;
  for (; i < size(); ++i) {
    if (is(i, "(")) ++depth;
    if (is(i, ")") && --depth < 0) break;
  }
  return i;
}

size_t Words::find(std::string_view phrase, size_t from, size_t to) const {
  int depth = 0;
  for (size_t i = from; i < std::min(to, size()); ++i) {
    if (is(i, ")")) --depth;
    if (depth == 0 && match(i, phrase)) return i;
    if (is(i, "(")) ++depth;
  }
  return npos;
}

size_t Words::find_call(std::string_view function, size_t from, size_t to) const {
  for (size_t i = from; i < std::min(to, size()); ++i) {
    if (is(i, function) && is(i + 1, "(")) return i;
  }
  return npos;
}

size_t Words::skip_name(size_t i) const {
  if (i >= size() || tokens_[i].kind != Token::Kind::identifier) return i;
  while (is(i + 1, ".") && i + 2 < size() && tokens_[i + 2].kind == Token::Kind::identifier) i += 2;
  return i + 1;
}

std::string Words::name(size_t i) const {
  std::string result;
  for (const size_t end = skip_name(i); i < end; ++i) result += text(i);
  return result;
}

std::vector<std::pair<size_t, size_t>> Words::list(size_t from) const {
  std::vector<std::pair<size_t, size_t>> parts;
  while (from < size()) {
    const size_t comma = std::min(find(",", from), size());
    parts.emplace_back(from, comma);
    from = comma + 1;
  }
  return parts;
}

std::string folded(std::string_view part) {
  if (part.size() < 2 || part[0] != '"') return to_lower(part);
  std::string result;
  for (size_t i = 1; i + 1 < part.size(); ++i) {
    result += part[i];
    if (part[i] == '"') ++i;
  }
  return result;
}

std::string literal_value(std::string_view literal) {
  if (!literal.empty() && literal[0] == '$') {
    const size_t tag = literal.find('$', 1) + 1;
    return std::string(literal.substr(tag, literal.size() - 2 * tag));
  }
  const size_t quote = literal.find('\'');
  if (quote == std::string_view::npos || literal.size() < quote + 2) return std::string(literal);
  std::string value;
  for (size_t i = quote + 1; i + 1 < literal.size(); ++i) {
    value += literal[i];
    if (literal[i] == '\'' && literal[i + 1] == '\'') ++i;
  }
  return value;
}

}  // namespace kdb::sql
