#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "base/error.hpp"

namespace kdb::sql {

/// A token by the rules of PostgreSQL's scanner. Offsets are bytes into the scanned text, `end` exclusive.
struct Token {
  enum class Kind { keyword, identifier, literal, number, parameter, op, comment };
  Kind kind = Kind::op;
  std::uint32_t begin = 0;
  std::uint32_t end = 0;

  bool operator==(const Token&) const = default;
};

/// One statement of a script, without the white space and comments before it and without its semicolon.
struct Statement {
  std::string text;
  std::uint32_t offset = 0;  // of `text` in the script, in bytes
  int line = 1;              // of `text` in the script, from 1
  int column = 1;            // in characters, from 1
  /// Cut by the scanner because this kdb's grammar does not know the statement; the server decides.
  bool newer_grammar = false;
  /// Annotated with `-- kdb:rerunnable` in the comment directly before it.
  bool rerunnable = false;

  bool operator==(const Statement&) const = default;
};

/// Splits a script into its statements with PostgreSQL's own grammar, and cuts what that grammar does not
/// know with the scanner. `problems` receives, with line and column (the caller adds the file): unterminated
/// quotes, comments and dollar tags, psql meta-commands, inline COPY data, NUL bytes, invalid UTF-8. Nothing
/// of a script that has problems may run.
std::vector<Statement> split(std::string_view script, std::vector<Problem>& problems);

/// The tokens of `text`, comments included; what cannot be scanned ends the list (see split for the report).
std::vector<Token> scan(std::string_view text);

/// Whether `name` is one of the identifiers of a piece of SQL. True for any name where it has one in Unicode
/// escapes, which may be that.
bool has_identifier(std::string_view text, std::string_view name);

/// Whether two scripts have equal tokens: white space, comments, a BOM and CRLF, inside of literals too, do
/// not count.
bool equal_tokens(std::string_view a, std::string_view b);

}  // namespace kdb::sql
