#include <fmt/format.h>

#include "base/text.hpp"
#include "render/setting_lines.hpp"

namespace kdb::render {

namespace {

/// Each line of a text in one colour.
std::string painted_lines(std::string_view lines, std::string_view colour, const Painter& paint) {
  std::string text;
  if (lines.ends_with('\n')) lines.remove_suffix(1);
  for (const std::string_view line : split(lines, '\n')) text += paint(colour, line) + "\n";
  return text;
}

std::string conf_line(const SettingLine& line, const Style& style) {
  const std::string text = fmt::format("{} = {}", line.name, conf_value(line.value));
  const std::string why = why_unwritable(line);
  if (!why.empty())
    return painted_lines(commented("# ", printable_line(fmt::format("! Not set: {}: {}", why, text)), 2),
                         yellow, Painter(style.colour));
  return (style.terminal ? printable_line(text) : text) + "\n";
}

}  // namespace

std::string render_conf(const Report& report, const Style& style) {
  const Painter paint(style.colour);
  const std::string fields = fields_text(report);
  std::string text = fmt::format("A part of a postgresql.conf, by kdb {}", report.command);
  text = commented("# ", text + (fields.empty() ? "." : ", for:"));
  if (!fields.empty()) text += commented("#   ", fields, 2);
  text = painted_lines(text, dim, paint);
  if (report.settings)
    for (const SettingGroup& group : by_group(*report.settings)) {
      if (!group.name.empty()) text += "\n\n" + painted_lines(heading("# ", group.name), dim, paint);
      for (const SettingLine* line : group.lines)
        text += "\n" + setting_comment(*line, "# ", paint) + conf_line(*line, style);
    }
  const std::string remarks = remarks_text(report);
  if (!remarks.empty()) text += "\n\n" + painted_lines(commented("# ", remarks, 2), dim, paint);
  return text;
}

}  // namespace kdb::render
