#include "base/sql_scan.hpp"

#include <algorithm>
#include <array>

#include "base/sql_keywords.hpp"
#include "base/text.hpp"

namespace kdb::sql {

namespace {

constexpr std::string_view byte_order_mark = "\xEF\xBB\xBF";
constexpr std::string_view operator_characters = "~!@#^&|`?+-*/%<>=";

bool is_space(char c) { return c == ' ' || (c >= '\t' && c <= '\r'); }
bool starts_word(char c) {
  return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c == '_' ||
         static_cast<unsigned char>(c) >= 0x80;
}
bool continues_word(char c) { return starts_word(c) || is_digit(c) || c == '$'; }
bool is_operator(char c) { return operator_characters.find(c) != std::string_view::npos; }
bool is_sign(char c) { return c == '+' || c == '-'; }

/// Where the keywords with each first letter begin, so that a look-up compares a handful of words.
constexpr std::array<std::uint16_t, 27> make_keyword_index() {
  std::array<std::uint16_t, 27> index{};
  for (size_t letter = 0; letter < index.size(); ++letter) {
    size_t first = 0;
    while (first < keywords.size() && keywords[first][0] < static_cast<char>('a' + letter)) ++first;
    index[letter] = static_cast<std::uint16_t>(first);
  }
  return index;
}
constexpr std::array<std::uint16_t, 27> keyword_index = make_keyword_index();

}  // namespace

bool is_keyword(std::string_view word) {
  constexpr size_t longest = 17;  // current_timestamp
  if (word.empty() || word.size() > longest) return false;
  std::array<char, longest> lower{};
  std::transform(word.begin(), word.end(), lower.begin(),
                 [](char c) { return c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c; });
  if (lower[0] < 'a' || lower[0] > 'z') return false;
  const auto letter = static_cast<size_t>(lower[0] - 'a');
  return std::binary_search(keywords.begin() + keyword_index[letter],
                            keywords.begin() + keyword_index[letter + 1],
                            std::string_view(lower.data(), word.size()));
}

Scanner::Scanner(std::string_view text) : text_(text) {
  if (text.substr(0, byte_order_mark.size()) == byte_order_mark) at_ = 3;
}

char Scanner::peek(std::uint32_t ahead) const {
  return size_t{at_} + ahead < text_.size() ? text_[size_t{at_} + ahead] : '\0';
}

bool Scanner::looking_at(char c, std::uint32_t ahead) const {
  return size_t{at_} + ahead < text_.size() && text_[size_t{at_} + ahead] == c;
}

std::optional<Token> Scanner::next() {
  if (fault_ != Fault::none) return std::nullopt;
  skip_space();
  if (at_ >= text_.size()) return std::nullopt;
  begin_ = at_;
  const Token::Kind kind = read_token();
  if (fault_ != Fault::none) {
    fault_at_ = begin_;
    return std::nullopt;
  }
  return Token{.kind = kind, .begin = begin_, .end = at_};
}

void Scanner::skip_space() {
  while (at_ < text_.size() && is_space(text_[at_])) ++at_;
}

void Scanner::skip_to_line_end() {
  while (at_ < text_.size() && text_[at_] != '\n' && text_[at_] != '\r') ++at_;
}

Token::Kind Scanner::read_token() {
  const char c = text_[at_];
  if (starts_word(c)) return read_word();
  if (is_digit(c) || (c == '.' && is_digit(peek(1)))) return read_number();
  if (c == '\'') return read_quoted(0, '\'', false, true);
  if (c == '"') return read_quoted(0, '"', false, true);
  if (c == '$') return read_dollar();
  if ((c == '-' && looking_at('-', 1)) || (c == '/' && looking_at('*', 1))) return read_comment();
  if (is_operator(c)) return read_operator();
  if (c == '\\') {
    skip_to_line_end();
    return Token::Kind::op;
  }
  const bool pair =
      (c == ':' && (looking_at(':', 1) || looking_at('=', 1))) || (c == '.' && looking_at('.', 1));
  at_ += pair ? 2 : 1;
  return Token::Kind::op;
}

/// `prefix` is the length of the E, B, X or U& before the quote.
Token::Kind Scanner::read_quoted(std::uint32_t prefix, char quote, bool escapes, bool doubling) {
  at_ += prefix + 1;
  while (at_ < text_.size()) {
    const char c = text_[at_++];
    if (c == '\\' && escapes && at_ < text_.size()) {
      ++at_;
    } else if (c == quote) {
      if (doubling && looking_at(quote)) {
        ++at_;
      } else if (quote == '"') {
        return Token::Kind::identifier;
      } else if (!at_continuation()) {
        return Token::Kind::literal;
      }
    }
  }
  fault_ = quote == '"' ? Fault::quoted_identifier : Fault::quoted_string;
  return Token::Kind::literal;
}

/// A string goes on in the next string constant if a line break is between them (PG docs 4.1.2.1); comments
/// may be. Moves behind the next opening quote if so, else stays.
bool Scanner::at_continuation() {
  const std::uint32_t back = at_;
  bool line_break = false;
  for (; at_ < text_.size(); ++at_) {
    const char c = text_[at_];
    if (c == '-' && looking_at('-', 1)) {
      skip_to_line_end();
      if (at_ >= text_.size()) break;
      line_break = true;
    } else if (c == '\n' || c == '\r') {
      line_break = true;
    } else if (!is_space(c)) {
      if (c != '\'' || !line_break) break;
      ++at_;
      return true;
    }
  }
  at_ = back;
  return false;
}

Token::Kind Scanner::read_dollar() {
  if (is_digit(peek(1))) {
    ++at_;
    while (is_digit(peek())) ++at_;
    return Token::Kind::parameter;
  }
  size_t tag_end = size_t{at_} + 1;
  while (tag_end < text_.size() && (starts_word(text_[tag_end]) || is_digit(text_[tag_end]))) ++tag_end;
  if (tag_end >= text_.size() || text_[tag_end] != '$') {
    ++at_;
    return Token::Kind::op;
  }
  const std::string_view tag = text_.substr(at_, tag_end + 1 - at_);
  const size_t close = text_.find(tag, tag_end + 1);
  if (close == std::string_view::npos) {
    fault_ = Fault::dollar_quote;
  } else {
    at_ = static_cast<std::uint32_t>(close + tag.size());
  }
  return Token::Kind::literal;
}

Token::Kind Scanner::read_comment() {
  if (text_[at_] == '-') {
    skip_to_line_end();
    return Token::Kind::comment;
  }
  int depth = 0;  // PostgreSQL's comments nest
  while (at_ < text_.size()) {
    if (looking_at('/') && looking_at('*', 1)) {
      ++depth;
      at_ += 2;
    } else if (looking_at('*') && looking_at('/', 1)) {
      at_ += 2;
      if (--depth == 0) return Token::Kind::comment;
    } else {
      ++at_;
    }
  }
  fault_ = Fault::comment;
  return Token::Kind::comment;
}

Token::Kind Scanner::read_number() {
  const auto skip_digits = [&] {
    while (is_digit(peek()) || (looking_at('_') && is_digit(peek(1)))) ++at_;
  };
  skip_digits();
  if (looking_at('.') && !looking_at('.', 1)) {
    ++at_;
    skip_digits();
  }
  if (looking_at('e') || looking_at('E')) {
    const std::uint32_t sign = is_sign(peek(1)) ? 1 : 0;
    if (is_digit(peek(1 + sign))) {
      at_ += 1 + sign;
      skip_digits();
    }
  }
  // Hexadecimal and whatever a later release may allow; today's servers refuse it as "trailing junk".
  if (starts_word(peek())) {
    while (continues_word(peek())) ++at_;
  }
  return Token::Kind::number;
}

Token::Kind Scanner::read_word() {
  const char c = text_[at_];
  if (looking_at('\'', 1)) {
    if (c == 'e' || c == 'E') return read_quoted(1, '\'', true, true);
    if (c == 'b' || c == 'B' || c == 'x' || c == 'X') return read_quoted(1, '\'', false, false);
  }
  if ((c == 'u' || c == 'U') && looking_at('&', 1) && (looking_at('\'', 2) || looking_at('"', 2))) {
    return read_quoted(2, text_[size_t{at_} + 2], false, true);
  }
  while (at_ < text_.size() && continues_word(text_[at_])) ++at_;
  return Token::Kind::identifier;
}

/// As scan.l cuts operators: before an embedded comment, and without trailing signs unless it has a character
/// that no SQL operator has (PG docs 4.1.3).
Token::Kind Scanner::read_operator() {
  size_t length = 1;
  while (is_operator(peek(static_cast<std::uint32_t>(length)))) ++length;
  const std::string_view run = text_.substr(at_, length);
  length = std::min({length, run.find("/*"), run.find("--")});
  const bool keeps_signs = run.substr(0, length).find_first_of("~!@#^&|`?%") != std::string_view::npos;
  // scan.l looks for that character before the sign only, but a sign is none of them.
  while (!keeps_signs && length > 1 && is_sign(run[length - 1])) --length;
  at_ += static_cast<std::uint32_t>(length);
  return Token::Kind::op;
}

std::vector<Token> scan(std::string_view text) {
  std::vector<Token> tokens;
  Scanner scanner(text);
  while (auto token = scanner.next()) {
    const bool word = token->kind == Token::Kind::identifier && starts_word(text[token->begin]);
    if (word && is_keyword(text.substr(token->begin, token->end - token->begin)))
      token->kind = Token::Kind::keyword;
    tokens.push_back(*token);
  }
  return tokens;
}

}  // namespace kdb::sql
