#include "base/sql_fragment.hpp"

#include <vector>

#include <fmt/format.h>

#include "base/sql.hpp"
#include "base/text.hpp"

namespace kdb::sql {

namespace {

/// What stands between tokens can only be white space: anything else is what the scanner gave up on.
bool is_scanned(std::string_view text, const std::vector<Token>& tokens) {
  size_t at = 0;
  for (const Token& token : tokens) {
    if (!trim(text.substr(at, token.begin - at)).empty()) return false;
    at = token.end;
  }
  return trim(text.substr(at)).empty();
}

}  // namespace

std::optional<std::string> fragment_problem(std::string_view fragment, bool one_of_list) {
  if (fragment.find('\0') != std::string_view::npos) return "has a NUL byte";
  const std::vector<Token> tokens = scan(fragment);
  if (!is_scanned(fragment, tokens)) return "has a quote or a comment that does not end";
  if (tokens.empty()) return "is empty";
  std::string open;  // the closing brackets that are still to come
  for (const Token& token : tokens) {
    const std::string_view text = fragment.substr(token.begin, token.end - token.begin);
    if (token.kind == Token::Kind::comment) return "has a comment";
    if (token.kind == Token::Kind::parameter) return fmt::format("has a parameter, {}", text);
    if (text == ";") return "has a semicolon";
    if (text == "(" || text == "[") {
      open += text == "(" ? ')' : ']';
    } else if (text == ")" || text == "]") {
      if (open.empty() || open.back() != text.front()) return fmt::format("has a {} too many", text);
      open.pop_back();
    } else if (text == "," && one_of_list && open.empty()) {
      return "has a comma: each entry of the list is one column or expression";
    }
  }
  if (!open.empty()) return fmt::format("lacks a {}", open.back());
  return std::nullopt;
}

}  // namespace kdb::sql
