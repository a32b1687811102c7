#pragma once

#include <string_view>
#include <vector>

#include "base/sql.hpp"

namespace kdb::sql {

/// The text of a token.
inline std::string_view text_of(std::string_view script, const Token& token) {
  return script.substr(token.begin, token.end - token.begin);
}

/// Where the statement that starts at tokens[first] ends: the index of its semicolon, or tokens.size(). The
/// tokens are without comments. Semicolons in parentheses (CREATE RULE … DO (a; b)) and in BEGIN ATOMIC … END
/// end nothing.
size_t statement_end(std::string_view script, const std::vector<Token>& tokens, size_t first);

}  // namespace kdb::sql
