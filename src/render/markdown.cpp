#include <algorithm>
#include <map>
#include <set>

#include <fmt/format.h>

#include "base/text.hpp"
#include "render/changes.hpp"
#include "render/formats.hpp"
#include "render/markdown_text.hpp"
#include "render/setting_lines.hpp"

namespace kdb::render {

namespace {

std::string title_cell(const Change& change) {
  std::string text = fmt::format("{} {}", change.kind, code(change.object));
  if (!change.table.empty() && change.table != change.object) text += " on " + code(change.table);
  return text;
}

std::string why(const Change& change) {
  std::vector<std::string> lines;
  if (!change.reason.empty()) lines.push_back(plain(change.reason));
  for (const FieldChange& field : change.fields)
    lines.push_back(fmt::format("{}: {} → {}", code(field.field),
                                field.live.empty() ? "not set" : code(field.live),
                                field.desired.empty() ? "not set" : code(field.desired)));
  return fmt::format("{}", fmt::join(lines, "<br>"));
}

std::string change_table(const std::vector<Change>& changes) {
  std::string text = "| | | what | why | declared |\n|---:|---|---|---|---|\n";
  for (size_t number = 0; number < changes.size(); ++number) {
    const Change& change = changes[number];
    const std::string where = to_string(change.where);
    text += fmt::format("| {} | **{}** | {} | {} | {} |\n", number + 1, to_string(change.action),
                        title_cell(change), why(change), where.empty() ? "" : code(where));
  }
  return text;
}

/// What many changes have in common once, with their numbers.
std::string hazard_list(const std::vector<Change>& changes) {
  std::vector<std::string> lines;
  std::map<std::string, std::set<size_t>> numbers;
  std::set<std::string> flags;
  for (size_t i = 0; i < changes.size(); ++i)
    for (const ChangeStep& step : changes[i].steps)
      for (const Hazard& hazard : step.hazards) {
        if (hazard.blocks) flags.insert(allowance_of(hazard));
        const std::string reason = hazard.in_text.value_or(hazard.reason);
        if (reason.empty()) continue;
        std::string line =
            fmt::format("{} **{}**: {}", hazard.blocks ? "🛑" : "⚠️", plain(hazard.id), plain(reason));
        std::set<size_t>& of_line = numbers[line];
        if (of_line.empty()) lines.push_back(std::move(line));
        of_line.insert(i + 1);
      }
  if (lines.empty()) return {};
  std::string text;
  for (const std::string& line : lines)
    text += fmt::format("- {} ({})\n", line, fmt::join(numbers.at(line), ", "));
  if (!flags.empty())
    text += fmt::format("\n🛑 is refused unless it is allowed: {}\n",
                        code(fmt::format("kdb apply --allow '{}'", fmt::join(flags, ","))));
  return text;
}

std::string step_list(const Change& change) {
  std::string text;
  std::string block;
  const auto end_block = [&] {
    if (!block.empty()) text += code_block("sql", block) + "\n";
    block.clear();
  };
  for (const auto& [at, left_out] : shown_steps(change.steps)) {
    const ChangeStep& step = change.steps[at];
    if (left_out > 0) {
      end_block();
      text += plain(left_out_text(left_out)) + "\n\n";
    }
    if (const std::string begins = boundary_text(change.steps, at); !begins.empty()) {
      end_block();
      text += plain(begins) + "\n\n";
    }
    if (!step.purpose.empty()) block += fmt::format("-- {}\n", printable_line(step.purpose));
    block += printable(step.sql) + ";\n";
  }
  end_block();
  if (text.ends_with("\n\n")) text.pop_back();
  return text;
}

std::string steps(const std::vector<Change>& changes) {
  std::string text;
  for (size_t number = 0; number < changes.size(); ++number) {
    const Change& change = changes[number];
    const std::string size = size_text(change.estimate);
    // Between the tags of HTML there is no markdown.
    text +=
        folded(fmt::format("{}. {} {} <code>{}</code>{}", number + 1, to_string(change.action), change.kind,
                           html(change.object), size.empty() ? "" : fmt::format(" ({})", size)),
               step_list(change));
  }
  return text;
}

std::string cell(const Value& value) {
  struct Visitor {
    std::string operator()(std::monostate) const { return ""; }
    std::string operator()(bool held) const { return held ? "yes" : "no"; }
    std::string operator()(std::int64_t held) const { return fmt::format("{}", held); }
    std::string operator()(double held) const { return fmt::format("{:.3g}", held); }
    std::string operator()(const std::string& held) const { return plain(held); }
    std::string operator()(const std::vector<std::string>& held) const {
      return plain(fmt::format("{}", fmt::join(held, ", ")));
    }
  };
  return std::visit(Visitor{}, value);
}

std::string table_of(const Table& table) {
  std::string head;
  std::string rule;
  for (const Column& column : table.columns) {
    if (column.title.empty()) continue;
    head += fmt::format("| {} ", plain(column.title));
    rule += column.align_right ? "|---:" : "|---";
  }
  std::string text = head + "|\n" + rule + "|\n";
  for (const auto& row : table.rows) {
    for (size_t i = 0; i < table.columns.size(); ++i)
      if (!table.columns[i].title.empty()) text += fmt::format("| {} ", cell(row.at(i)));
    text += "|\n";
  }
  return text;
}

std::string remark(const Problem& problem, std::string_view sign) {
  const std::string where = to_string(problem.where);
  return fmt::format("- {} {}{}{}\n", sign, where.empty() ? "" : code(where) + ": ", plain(problem.message),
                     problem.hint.empty() ? "" : fmt::format("<br>hint: {}", plain(problem.hint)));
}

std::string_view sign_of(Finding::Level level) {
  switch (level) {
    case Finding::Level::error:
      return "❌";
    case Finding::Level::warning:
      return "⚠️";
    case Finding::Level::note:
      return "ℹ️";
  }
  return {};
}

std::string finding_list(const Report& report) {
  std::string text;
  for (const Problem& problem : report.problems) text += remark(problem, "❌");
  for (const Problem& warning : report.warnings) text += remark(warning, "⚠️");
  for (const Finding& finding : report.findings) text += remark(finding.problem, sign_of(finding.level));
  return text;
}

}  // namespace

std::string render_markdown(const Report& report, const Style&) {
  std::vector<std::string> parts = {fmt::format("### kdb {}: {}\n", report.command, plain(report.summary))};
  const auto add = [&](std::string part) {
    if (!part.empty()) parts.push_back(std::move(part));
  };
  std::string fields;
  for (const Field& field : report.fields)
    if (!field.label.empty())
      fields += fmt::format("{}{}: {}", fields.empty() ? "" : " · ", plain(field.label), cell(field.value));
  if (!fields.empty()) add(fields + "\n");
  const std::vector<Change> none;
  const std::vector<Change>& changes = report.changes ? *report.changes : none;
  if (!changes.empty()) add(change_table(changes));
  if (report.settings) add(settings_markdown(*report.settings));
  add(hazard_list(changes));
  add(finding_list(report));
  add(steps(changes));
  for (const Table& table : report.tables)
    if (!table.rows.empty() && !table.columns.front().title.empty())
      add(folded(html(fmt::format("{}: {}", table.columns.front().title, table.rows.size())),
                 table_of(table)));
  if (!report.text.empty()) add(code_block("", printable(report.text)));
  return fmt::format("{}", fmt::join(parts, "\n"));
}

}  // namespace kdb::render
