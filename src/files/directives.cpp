#include "files/directives.hpp"

#include <algorithm>

#include "base/sql.hpp"
#include "base/text.hpp"

namespace kdb::files {
namespace {

constexpr std::string_view blanks = " \t\f\v";

// Whether nothing before `end` can open a literal or a block comment that reaches over it.
bool surely_outside(std::string_view text, size_t end) {
  const std::string_view before = text.substr(0, end);
  return before.find('\'') == std::string_view::npos && before.find('"') == std::string_view::npos &&
         before.find('$') == std::string_view::npos && before.find("/*") == std::string_view::npos;
}

}  // namespace

std::vector<Directive> find_directive_lines(std::string_view text, std::string_view prefix) {
  std::vector<Directive> found;
  int line = 1;
  for (size_t begin = 0; begin < text.size(); ++line) {
    const size_t newline = text.find('\n', begin);
    const size_t end = newline == std::string_view::npos ? text.size() : newline + 1;
    const std::string_view whole = text.substr(begin, end - begin);
    const size_t dashes = std::min(whole.find_first_not_of(blanks), whole.size());
    if (whole.substr(dashes).starts_with("--")) {
      const std::string_view comment = trim(whole.substr(dashes + 2));
      if (equals_ignore_case(comment.substr(0, prefix.size()), prefix)) {
        found.push_back({.text = comment,
                         .begin = begin,
                         .end = end,
                         .line = line,
                         .column = static_cast<int>(dashes) + 1});
      }
    }
    begin = end;
  }
  return found;
}

std::vector<Directive> find_directives(std::string_view text, std::string_view prefix) {
  auto found = find_directive_lines(text, prefix);
  if (found.empty() || surely_outside(text, found.back().begin)) return found;
  const auto tokens = sql::scan(text);
  // Strictly inside a token: a comment of its own begins where the directive begins. Where the scanner gave
  // up nothing covers the line, and the section before it will be reported by the splitter.
  const auto is_inside = [&](const Directive& directive) {
    const size_t dashes = directive.begin + static_cast<size_t>(directive.column) - 1;
    const auto after =
        std::upper_bound(tokens.begin(), tokens.end(), dashes,
                         [](size_t offset, const sql::Token& token) { return offset < token.end; });
    return after != tokens.end() && after->begin < dashes;
  };
  found.erase(std::remove_if(found.begin(), found.end(), is_inside), found.end());
  return found;
}

bool has_directive_line(std::string_view text, std::string_view prefix,
                        bool (*accepts)(const Directive& line)) {
  for (size_t hit = text.find(prefix); hit != std::string_view::npos; hit = text.find(prefix, hit + 1)) {
    const size_t before = hit == 0 ? std::string_view::npos : text.rfind('\n', hit - 1);
    const size_t begin = before == std::string_view::npos ? 0 : before + 1;
    const auto line = find_directive_lines(text.substr(begin, text.find('\n', hit) - begin), prefix);
    if (!line.empty() && accepts(line.front())) return true;
  }
  return false;
}

}  // namespace kdb::files
