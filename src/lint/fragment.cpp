#include "lint/fragment.hpp"

#include "base/sql.hpp"
#include "base/text.hpp"
#include "lint/known_tables.hpp"

namespace kdb::lint {

namespace {

using Kind = sql::Token::Kind;

/// The words and signs of a fragment, comments left out.
class Tokens {
 public:
  explicit Tokens(std::string_view text) : text_(text) {
    for (const sql::Token& token : sql::scan(text))
      if (token.kind != Kind::comment) tokens_.push_back(token);
  }

  size_t size() const { return tokens_.size(); }
  std::string_view word(size_t at) const {
    return at < size() ? text_.substr(tokens_[at].begin, tokens_[at].end - tokens_[at].begin)
                       : std::string_view();
  }
  bool is(size_t at, std::string_view other) const { return equals_ignore_case(word(at), other); }
  Kind kind(size_t at) const { return tokens_.at(at).kind; }
  bool is_name(size_t at) const {
    return at < size() && (kind(at) == Kind::identifier || kind(at) == Kind::keyword);
  }

 private:
  std::string_view text_;
  std::vector<sql::Token> tokens_;
};

bool is_value(const Tokens& tokens, size_t at) {
  return at < tokens.size() && (tokens.kind(at) == Kind::literal || tokens.kind(at) == Kind::number ||
                                tokens.is(at, "true") || tokens.is(at, "false"));
}

}  // namespace

std::string normalised(std::string_view fragment) {
  const Tokens tokens(fragment);
  std::string text;
  for (size_t at = 0; at < tokens.size(); ++at) {
    const std::string_view word = tokens.word(at);
    if (!text.empty()) text += ' ';
    text += tokens.is_name(at) && !word.starts_with('"') ? to_lower(word) : std::string(word);
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
  const Tokens tokens(key);
  if (tokens.is(0, "(") && tokens.is_name(1) && tokens.is(2, ")")) return folded(tokens.word(1));
  if (!tokens.is_name(0)) return {};
  // A name, and perhaps its collation, operator class and order; never a call, a field or an operator.
  if (tokens.size() > 1 && !tokens.is_name(1)) return {};
  return folded(tokens.word(0));
}

std::vector<std::string> constant_columns(std::string_view condition) {
  const Tokens tokens(condition);
  std::vector<std::string> columns;
  for (size_t at = 0; at < tokens.size(); ++at) {
    for (const std::string_view word : {"or", "not", "case", "is"})
      if (tokens.is(at, word)) return {};
    if (tokens.is(at, "(") && at > 0 && tokens.is_name(at - 1) && !tokens.is(at - 1, "and")) return {};
    const bool begins = at == 0 || tokens.is(at - 1, "and") || tokens.is(at - 1, "(");
    const bool ends = at + 3 >= tokens.size() || tokens.is(at + 3, "and") || tokens.is(at + 3, ")") ||
                      tokens.is(at + 3, "::");
    if (begins && ends && tokens.is_name(at) && tokens.is(at + 1, "=") && is_value(tokens, at + 2))
      columns.push_back(folded(tokens.word(at)));
  }
  return columns;
}

std::vector<std::string> sources_of(std::string_view query) {
  const Tokens tokens(query);
  std::vector<std::string> names;
  for (size_t at = 0; at + 1 < tokens.size(); ++at) {
    if (!tokens.is(at, "from") && !tokens.is(at, "join")) continue;
    size_t name = at + 1;
    if (tokens.is(name, "only")) ++name;
    if (!tokens.is_name(name)) continue;
    std::string written(tokens.word(name));
    if (tokens.is(name + 1, ".") && tokens.is_name(name + 2))
      written += "." + std::string(tokens.word(name + 2));
    names.push_back(std::move(written));
  }
  return names;
}

}  // namespace kdb::lint
