#include <fmt/format.h>

#include "base/text.hpp"
#include "render/setting_lines.hpp"

namespace kdb::render {

namespace {

std::string alter_system(const SettingLine& line, const Style& style) {
  const std::string statement = fmt::format("ALTER SYSTEM SET {} = {};", setting_name_sql(line.name),
                                            setting_sql(line.name, line.value));
  std::string why = why_unwritable(line);
  if (why.empty()) why = alter_system_problem(line.name, line.value);
  if (!why.empty())
    return commented("-- ", printable_line(fmt::format("! Not set: {}: {}", why, statement)), 2);
  return (style.terminal ? printable_line(statement) : statement) + "\n";
}

}  // namespace

std::string settings_sql(const Report& report, const Style& style) {
  const Painter paint(style.colour);
  const std::string fields = fields_text(report);
  std::string text = commented("-- ", fmt::format("Settings of the server, by kdb {}{}", report.command,
                                                  fields.empty() ? "." : ", for:"));
  if (!fields.empty()) text += commented("--   ", fields, 2);
  text += commented("-- ", "No transaction may be open: ALTER SYSTEM runs by itself.");
  bool restart = false;
  for (const SettingGroup& group : by_group(*report.settings)) {
    if (!group.name.empty()) text += "\n\n" + paint(dim, trim(heading("-- ", group.name))) + "\n";
    for (const SettingLine* line : group.lines) {
      text += "\n" + setting_comment(*line, "-- ", paint) + alter_system(*line, style);
      restart = restart || line->facts.needs_restart();
    }
  }
  text += "\n\n";
  if (restart) text += commented("-- ", "What needs a restart waits for it; the rest takes effect now.");
  text += "SELECT pg_reload_conf();\n";
  const std::string remarks = remarks_text(report);
  return remarks.empty() ? text : text + "\n" + commented("-- ", remarks, 2);
}

}  // namespace kdb::render
