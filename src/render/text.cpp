#include "base/text.hpp"

#include <algorithm>
#include <set>
#include <string_view>

#include <fmt/format.h>

#include "render/cell_value.hpp"
#include "render/changes.hpp"
#include "render/formats.hpp"
#include "render/paint.hpp"
#include "render/setting_lines.hpp"

namespace kdb::render {

namespace {

std::string to_text(const Value& value) { return printable_line(cell_value(value)); }

std::string padded(const std::string& text, size_t width, bool right) {
  const std::string space(width - std::min(width, columns_of(text)), ' ');
  return right ? space + text : text + space;
}

std::string render_table(const Table& table, const Painter& paint) {
  std::vector<size_t> shown;
  for (size_t i = 0; i < table.columns.size(); ++i)
    if (!table.columns[i].title.empty()) shown.push_back(i);
  if (shown.empty()) return {};
  std::vector<size_t> widths;
  for (const size_t column : shown) {
    size_t width = columns_of(table.columns[column].title);
    for (const auto& row : table.rows) width = std::max(width, columns_of(to_text(row.at(column))));
    widths.push_back(width);
  }
  const auto line = [&](const auto& cell) {
    std::string text;
    for (size_t i = 0; i < shown.size(); ++i)
      text += (i > 0 ? "  " : "") + padded(cell(shown[i]), widths[i], table.columns[shown[i]].align_right);
    text.erase(text.find_last_not_of(' ') + 1);
    return text;
  };
  std::string text = paint(dim, line([&](size_t i) { return table.columns[i].title; })) + "\n";
  for (const auto& row : table.rows) text += line([&](size_t i) { return to_text(row.at(i)); }) + "\n";
  return text;
}

std::string render_fields(const std::vector<Field>& fields, const Painter& paint) {
  size_t width = 0;
  for (const Field& field : fields) width = std::max(width, columns_of(field.label));
  std::string text;
  for (const Field& field : fields)
    if (!field.label.empty())
      text += paint(dim, padded(field.label, width, false)) + "  " + to_text(field.value) + "\n";
  return text;
}

std::string_view colour_of(Finding::Level level) {
  switch (level) {
    case Finding::Level::error:
      return red;
    case Finding::Level::warning:
      return yellow;
    case Finding::Level::note:
      return dim;
  }
  return {};
}

/// As compilers write them, so that editors find the place. A hint is read once.
std::string render_findings(const std::vector<Finding>& findings, const Painter& paint) {
  std::string text;
  std::set<std::string_view> given;
  for (const Finding& finding : findings) {
    const std::string where = printable_line(to_string(finding.problem.where));
    const std::string label = fmt::format("{}[{}]:", to_string(finding.level), finding.rule);
    text += fmt::format("{}{}{} {}\n", where, where.empty() ? "" : ": ",
                        paint(colour_of(finding.level), label), printable(finding.problem.message));
    const std::string& hint = finding.problem.hint;
    if (!hint.empty() && given.insert(hint).second) text += fmt::format("  hint: {}\n", printable(hint));
  }
  return text;
}

/// Each line behind `-- `.
std::string as_comment(std::string_view lines) {
  std::string text;
  for (const std::string_view line : split(lines, '\n'))
    if (!line.empty()) text += fmt::format("-- {}\n", line);
  return text;
}

std::string remark(const Problem& problem, std::string_view label, std::string_view colour,
                   const Style& style) {
  const Painter paint(style.colour);
  const std::string where = printable_line(to_string(problem.where));
  const auto prose = [&](std::string begin, const std::string& words) {
    return style.width > 0 ? wrapped(std::move(begin), words, 2, style.width) : begin + words + "\n";
  };
  const std::string text =
      prose(fmt::format("{} ", label),
            fmt::format("{}{}{}", where, where.empty() ? "" : ": ", printable(problem.message)));
  return paint(colour, label) + text.substr(label.size()) +
         (problem.hint.empty() ? "" : prose("hint: ", printable(problem.hint)));
}

}  // namespace

std::string render_sql(const Report& report, const Style& style) {
  if (report.settings) return settings_sql(report, style);
  const Painter paint(style.colour);
  const auto shown = [&](const std::string& sql) { return style.terminal ? printable(sql) : sql; };
  std::string text;
  for (const Script& script : report.scripts) {
    if (!text.empty()) text += "\n";
    text += paint(dim, printable_line(fmt::format("-- {}{}{}", script.subject,
                                                  script.note.empty() ? "" : ": ", script.note))) +
            "\n";
    for (const ScriptStep& step : script.steps) {
      for (const std::string& note : step.notes) text += paint(yellow, "-- " + printable_line(note)) + "\n";
      text += shown(step.sql) + ";\n";
    }
  }
  text += report.changes ? change_sql(*report.changes, style) : "";
  std::string problems;
  for (const Problem& problem : report.problems)
    problems += as_comment(remark(problem, "error:", error_label, {.colour = style.colour}));
  return problems.empty() || text.empty() ? problems + text : problems + "\n" + text;
}

std::string render_text(const Report& report, const Style& style) {
  if (report.settings) return render_conf(report, style);
  const Painter paint(style.colour);
  std::vector<std::string> parts;
  // Beside statements everything else is a comment, so that all of it can be given to psql.
  const auto add = [&](std::string part) {
    if (!part.empty()) parts.push_back(report.scripts.empty() ? std::move(part) : as_comment(part));
  };
  add(render_fields(report.fields, paint));
  if (report.changes) {
    add(change_list(*report.changes, paint));
    add(change_steps(*report.changes, style));
  }
  for (const Table& table : report.tables)
    if (!table.rows.empty()) add(render_table(table, paint));
  if (!report.scripts.empty()) parts.push_back(render_sql(report, style));
  add(render_findings(report.findings, paint));
  std::string remarks;
  for (const Problem& problem : report.problems) remarks += remark(problem, "error:", error_label, style);
  for (const Problem& warning : report.warnings) remarks += remark(warning, "warning:", yellow, style);
  add(std::move(remarks));
  add(printable(report.text));
  if (!report.summary.empty()) add(paint(bold, printable(report.summary)) + "\n");
  return fmt::format("{}", fmt::join(parts, "\n"));
}

}  // namespace kdb::render
