#include <fmt/format.h>

#include "base/text.hpp"
#include "lint/check.hpp"

namespace kdb::lint {

namespace {

constexpr size_t width = 80;

/// Words of one paragraph in lines that fit; the first line begins with `head`, the others with `indent`.
std::string wrapped(std::string head, std::string_view paragraph, size_t indent) {
  std::string text;
  std::string line = std::move(head);
  const auto columns = [](std::string_view words) {
    size_t count = 0;
    for (const char c : words) count += (static_cast<unsigned char>(c) & 0xC0U) != 0x80U ? 1U : 0U;
    return count;
  };
  bool first = true;
  for (const std::string_view word : split(paragraph, ' ')) {
    if (!first && columns(line) + 1 + columns(word) > width) {
      text += line + "\n";
      line = std::string(indent, ' ');
      first = true;
    }
    line += (first ? "" : " ") + std::string(word);
    first = false;
  }
  return text + line + "\n";
}

}  // namespace

std::string explanation(const Rule& rule) {
  std::string text = wrapped(fmt::format("{} ({}): ", rule.name, to_string(rule.level)), rule.summary, 0) +
                     "\n" + wrapped("", rule.why, 0);
  if (!rule.lock.empty()) text += "\n" + wrapped("Lock: ", rule.lock, 6);
  text += "\nInstead:\n";
  for (const std::string_view line : split(rule.instead, '\n'))
    text += line.starts_with("  ") ? fmt::format("  {}\n", line) : wrapped("  ", line, 2);
  if (!rule.aliases.empty())
    text += "\n" + wrapped("", fmt::format("Also known as {}.", fmt::join(rule.aliases, ", ")), 0);
  return text;
}

FindingRule describe(const Rule& rule) {
  return {.name = std::string(rule.name),
          .level = rule.level,
          .summary = std::string(rule.summary),
          .help = explanation(rule)};
}

}  // namespace kdb::lint
