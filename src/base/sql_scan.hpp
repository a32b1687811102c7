#pragma once

#include <cstdint>
#include <optional>
#include <string_view>

#include "base/sql.hpp"

namespace kdb::sql {

/// Reads SQL token by token by the rules of PostgreSQL's scan.l (`standard_conforming_strings` on), with what
/// newer releases added, so that every build of kdb reads a script alike: libpg_query's own scanner refuses
/// `1_000` in one release and takes it in the next. A test holds the two together wherever libpg_query's
/// knows the text.
///
/// Two liberties. A number with trailing junk is one token. A backslash outside of quotes, which is a psql
/// meta-command and never SQL, takes the rest of its line, for its arguments are not SQL either.
class Scanner {
 public:
  enum class Fault { none, quoted_string, quoted_identifier, dollar_quote, comment };

  explicit Scanner(std::string_view text);

  /// The next token, comments included, words as identifiers; nothing at the end and at a fault.
  std::optional<Token> next();

  /// Goes on at `offset`, which must not be before the current place.
  void skip_to(std::uint32_t offset) { at_ = offset; }

  /// What was opened and never closed, and where; `none` as long as next() has found no such thing.
  Fault fault() const { return fault_; }
  std::uint32_t fault_at() const { return fault_at_; }

  /// The bytes read so far.
  std::uint32_t offset() const { return at_; }

 private:
  bool looking_at(char c, std::uint32_t ahead = 0) const;
  char peek(std::uint32_t ahead = 0) const;
  void skip_space();
  void skip_to_line_end();
  Token::Kind read_token();
  Token::Kind read_quoted(std::uint32_t prefix, char quote, bool escapes, bool doubling);
  bool at_continuation();
  Token::Kind read_dollar();
  Token::Kind read_comment();
  Token::Kind read_number();
  Token::Kind read_word();
  Token::Kind read_operator();

  std::string_view text_;
  std::uint32_t at_ = 0;
  std::uint32_t begin_ = 0;  // of the token that is being read
  Fault fault_ = Fault::none;
  std::uint32_t fault_at_ = 0;
};

/// Whether an unquoted word is one of PostgreSQL's keywords, whatever its case.
bool is_keyword(std::string_view word);

}  // namespace kdb::sql
