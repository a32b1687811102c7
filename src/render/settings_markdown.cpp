#include <fmt/format.h>

#include "render/markdown_text.hpp"
#include "render/setting_lines.hpp"

namespace kdb::render {

namespace {

std::string_view restart_cell(const SettingFacts& facts) {
  if (facts.context.empty()) return "not known";
  return facts.needs_restart() ? "**yes**" : "no";
}

std::string group_table(const SettingGroup& group) {
  std::string text = group.name.empty() ? "" : fmt::format("#### {}\n\n", plain(group.name));
  text += "| setting | value | why | from | restart |\n|---|---|---|---|---|\n";
  std::string verdicts;
  for (const SettingLine* line : group.lines) {
    text += fmt::format("| {} | {} | {} | {} | {} |\n", code(line->name),
                        code(line->value.empty() ? "''" : line->value), plain(line->reason),
                        plain(line->origin), restart_cell(line->facts));
    for (const std::string& verdict : line->verdicts)
      verdicts += fmt::format("- ⚠️ {}: {}\n", code(line->name), plain(verdict));
    if (const std::string why = why_unwritable(*line); !why.empty())
      verdicts += fmt::format("- ⚠️ {}: {}\n", code(line->name), plain(why));
  }
  return verdicts.empty() ? text : text + "\n" + verdicts;
}

}  // namespace

std::string settings_markdown(const std::vector<SettingLine>& settings) {
  std::string text;
  for (const SettingGroup& group : by_group(settings))
    text += (text.empty() ? "" : "\n") + group_table(group);
  return text;
}

}  // namespace kdb::render
