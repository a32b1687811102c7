#include <fmt/format.h>

#include "render/formats.hpp"
#include "render/plan_findings.hpp"

namespace kdb::render {

namespace {

/// As @actions/core escapes them: a line is a command, and `,` and `:` part its properties.
std::string escaped(std::string_view text, bool property) {
  std::string result;
  for (const char c : text) {
    const bool special = c == '%' || c == '\r' || c == '\n' || (property && (c == ':' || c == ','));
    if (special)
      result += fmt::format("%{:02X}", static_cast<unsigned char>(c));
    else
      result += c;
  }
  return result;
}

/// GitHub's word for it.
std::string_view command_of(Finding::Level level) {
  switch (level) {
    case Finding::Level::error:
      return "error";
    case Finding::Level::warning:
      return "warning";
    case Finding::Level::note:
      return "notice";
  }
  return {};
}

std::string annotation(Finding::Level level, std::string_view title, const Problem& problem) {
  std::string properties;
  const auto add = [&](std::string_view name, std::string_view value) {
    properties += fmt::format("{}{}={}", properties.empty() ? " " : ",", name, escaped(value, true));
  };
  const Source& where = problem.where;
  if (!where.file.empty()) add("file", where.file.str());
  if (!where.file.empty() && where.line > 0) add("line", std::to_string(where.line));
  if (!where.file.empty() && where.line > 0 && where.column > 0) add("col", std::to_string(where.column));
  add("title", title);
  std::string message = problem.message;
  if (!problem.hint.empty()) message += "\nhint: " + problem.hint;
  return fmt::format("::{}{}::{}\n", command_of(level), properties, escaped(message, false));
}

}  // namespace

std::string render_github(const Report& given, const Style&) {
  const Report report = as_findings(given);
  std::string text;
  for (const Finding& finding : report.findings)
    text += annotation(finding.level, finding.rule, finding.problem);
  for (const Problem& problem : report.problems)
    text += annotation(Finding::Level::error, "kdb " + report.command, problem);
  for (const Problem& warning : report.warnings)
    text += annotation(Finding::Level::warning, "kdb " + report.command, warning);
  // The rest of the log is for people; a line of it must not be taken for a command.
  return text + "kdb " + report.command + ": " + escaped(report.summary, false) + "\n";
}

std::string render_error_github(std::string_view command, const Error& error) {
  std::string text;
  for (const Problem& problem : error.problems())
    text += annotation(Finding::Level::error, fmt::format("kdb {}", command), problem);
  return text;
}

}  // namespace kdb::render
