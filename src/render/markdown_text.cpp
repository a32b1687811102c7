#include "render/markdown_text.hpp"

#include <algorithm>

#include <fmt/format.h>

#include "base/text.hpp"

namespace kdb::render {

namespace {

/// The longest run of backticks.
size_t backticks(std::string_view text) {
  size_t longest = 0;
  size_t run = 0;
  for (const char c : text) {
    run = c == '`' ? run + 1 : 0;
    longest = std::max(longest, run);
  }
  return longest;
}

}  // namespace

std::string plain(std::string_view text) {
  constexpr std::string_view special = "\\`*_{}[]<>()#+-!|~&@";
  std::string result;
  for (const char c : printable_line(text)) {
    if (special.find(c) != std::string_view::npos) result += '\\';
    result += c;
  }
  return result;
}

std::string html(std::string_view text) {
  std::string result;
  for (const char c : printable_line(text)) {
    if (c == '<')
      result += "&lt;";
    else if (c == '>')
      result += "&gt;";
    else if (c == '&')
      result += "&amp;";
    else
      result += c;
  }
  return result;
}

std::string code(std::string_view text) {
  if (text.find('|') != std::string_view::npos) {
    std::string shown;
    for (const char c : html(text)) shown += c == '|' ? std::string("&#124;") : std::string(1, c);
    return fmt::format("<code>{}</code>", shown);
  }
  const std::string line = printable_line(text);
  const std::string fence(backticks(line) + 1, '`');
  const bool apart = !line.empty() && (line.front() == '`' || line.back() == '`');
  return fmt::format("{0}{1}{2}{1}{0}", fence, apart ? " " : "", line);
}

std::string code_block(std::string_view language, std::string_view text) {
  const std::string fence(std::max<size_t>(3, backticks(text) + 1), '`');
  return fmt::format("{0}{1}\n{2}{3}{0}\n", fence, language, text, text.ends_with('\n') ? "" : "\n");
}

std::string folded(std::string_view summary, std::string_view body) {
  return fmt::format("<details><summary>{}</summary>\n\n{}\n</details>\n", summary, body);
}

}  // namespace kdb::render
