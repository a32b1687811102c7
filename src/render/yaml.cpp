#include "render/yaml.hpp"

#include <algorithm>

#include <fmt/format.h>

#include "base/text.hpp"
#include "render/setting_lines.hpp"

namespace kdb::render {

namespace {

/// The code point at `at` of valid UTF-8, and how many bytes it takes.
struct CodePoint {
  unsigned value = 0;
  size_t bytes = 1;
};

CodePoint code_point(std::string_view text, size_t at) {
  const auto byte = [&](size_t i) { return static_cast<unsigned>(static_cast<unsigned char>(text[at + i])); };
  if (byte(0) < 0x80) return {byte(0), 1};
  if (byte(0) < 0xe0) return {(byte(0) & 0x1fU) << 6U | (byte(1) & 0x3fU), 2};
  if (byte(0) < 0xf0) return {(byte(0) & 0x0fU) << 12U | (byte(1) & 0x3fU) << 6U | (byte(2) & 0x3fU), 3};
  return {(byte(0) & 0x07U) << 18U | (byte(1) & 0x3fU) << 12U | (byte(2) & 0x3fU) << 6U | (byte(3) & 0x3fU),
          4};
}

/// What ends a line to a reader of YAML 1.1 (5.4: next line, line and paragraph separator), or what no
/// document may hold as it is (5.1).
bool is_special(unsigned point) {
  return point < 0x20 || (point >= 0x7f && point < 0xa0) || point == 0x2028 || point == 0x2029 ||
         point == 0xfeff || (point & 0xfffeU) == 0xfffe;
}

/// With everything special as an escape of YAML's strings.
std::string without_special(std::string_view text) {
  std::string result;
  for (size_t at = 0; at < text.size();) {
    const CodePoint point = code_point(text, at);
    if (!is_special(point.value))
      result += text.substr(at, point.bytes);
    else if (point.value < 0x100)
      result += fmt::format("\\x{:02x}", point.value);
    else if (point.value < 0x10000)
      result += fmt::format("\\u{:04x}", point.value);
    else
      result += fmt::format("\\U{:08x}", point.value);
    at += point.bytes;
  }
  return result;
}

/// Words that YAML 1.1 reads as something else than a string.
bool is_yaml_word(std::string_view name) {
  constexpr std::string_view words[] = {"y", "n", "yes", "no", "on", "off", "true", "false", "null"};
  return std::any_of(std::begin(words), std::end(words),
                     [&](std::string_view word) { return equals_ignore_case(word, name); });
}

std::string indented(size_t indent, std::string_view lines) {
  std::string text;
  for (const std::string_view line : split(lines, '\n'))
    text += line.empty() ? "\n" : std::string(indent, ' ') + std::string(line) + "\n";
  return text;
}

std::string comment_of(const SettingLine& line, size_t indent, std::string_view left_out) {
  std::string text = line.reason.empty() ? "" : yaml_comment(indent, printable_line(line.reason));
  text += yaml_comment(indent, printable_line(provenance(line)));
  for (const std::string& verdict : line.verdicts)
    text += yaml_comment(indent, printable_line("! " + verdict), 2);
  if (!left_out.empty())
    text += yaml_comment(
        indent,
        printable_line(fmt::format("! Not set: {}: {} = {}", left_out, line.name, conf_value(line.value))),
        2);
  return text;
}

}  // namespace

std::string yaml_string(std::string_view text) {
  std::string escaped;
  for (const char c : text) escaped += c == '"' || c == '\\' ? std::string{'\\', c} : std::string(1, c);
  return "\"" + without_special(escaped) + "\"";
}

std::string yaml_key(std::string_view name) {
  const bool bare = !name.empty() && !is_digit(name.front()) && name.front() != '.' &&
                    std::all_of(name.begin(), name.end(), [](char c) {
                      return (c >= 'a' && c <= 'z') || is_digit(c) || c == '_' || c == '.';
                    });
  return bare && !is_yaml_word(name) ? std::string(name) : yaml_string(name);
}

std::string yaml_comment(size_t indent, std::string_view text, size_t hang) {
  std::string lines;  // one by one, for a line feed ends one here
  if (text.ends_with('\n')) text.remove_suffix(1);
  const std::string shown = printable(text);
  for (const std::string_view line : split(shown, '\n'))
    lines += commented(std::string(indent, ' ') + "# ", without_special(line), hang);
  return lines;
}

YamlEntries yaml_entries(const std::vector<SettingLine>& settings, size_t indent,
                         const std::function<YamlEntry(const SettingLine&)>& entry_of) {
  YamlEntries result;
  for (const SettingGroup& group : by_group(settings)) {
    std::string entries;
    for (const SettingLine* line : group.lines) {
      const std::string unwritable = why_unwritable(*line);
      const YamlEntry entry = unwritable.empty() ? entry_of(*line) : YamlEntry{"", unwritable};
      entries += "\n" + comment_of(*line, indent, entry.left_out);
      if (entry.left_out.empty()) entries += indented(indent, entry.lines);
      result.any = result.any || entry.left_out.empty();
    }
    if (group.name.empty())
      result.text += entries.substr(1);
    else
      result.text += (result.text.empty() ? "" : "\n\n") + std::string(indent, ' ') +
                     without_special(trim(heading("# ", group.name))) + "\n" + entries;
  }
  return result;
}

std::string yaml_settings(const std::vector<SettingLine>& settings, size_t indent, std::string_view key,
                          std::string_view nothing,
                          const std::function<YamlEntry(const SettingLine&)>& entry_of) {
  const YamlEntries entries = yaml_entries(settings, indent + 2, entry_of);
  return fmt::format("{}{}:{}{}\n{}", std::string(indent, ' '), key, entries.any ? "" : " ",
                     entries.any ? "" : nothing, entries.text);
}

std::string yaml_head(const Report& report, std::string_view what) {
  const std::string fields = fields_text(report);
  std::string text =
      yaml_comment(0, fmt::format("{}, by kdb {}{}", what, report.command, fields.empty() ? "." : ", for:"));
  for (const std::string_view line : split(trim(fields), '\n'))
    if (!line.empty()) text += yaml_comment(0, "  " + std::string(line), 4);
  return text;
}

std::string yaml_foot(const Report& report) {
  const std::string remarks = remarks_text(report);
  return remarks.empty() ? "" : "\n" + yaml_comment(0, remarks, 2);
}

}  // namespace kdb::render
