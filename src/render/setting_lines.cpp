#include "render/setting_lines.hpp"

#include <algorithm>

#include <fmt/format.h>

#include "base/text.hpp"

namespace kdb::render {

namespace {

bool is_letter(char c) { return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c == '_'; }

/// An ID of guc-file.l. A `$`, which SQL takes, ends it.
bool is_conf_id(std::string_view text) {
  const auto begins = [](char c) { return is_letter(c) || static_cast<unsigned char>(c) >= 0x80; };
  return !text.empty() && begins(text.front()) &&
         std::all_of(text.begin(), text.end(), [&](char c) { return begins(c) || is_digit(c); });
}

/// An ID or a QUALIFIED_ID of guc-file.l, which has one dot; and no directive.
bool is_conf_name(std::string_view name) {
  for (const std::string_view directive : {"include", "include_dir", "include_if_exists"})
    if (equals_ignore_case(name, directive)) return false;
  const std::vector<std::string_view> parts = split(name, '.');
  return parts.size() <= 2 && std::all_of(parts.begin(), parts.end(), is_conf_id);
}

/// Words and numbers that guc-file.l takes without quotes, and people read as such: `on`, `2GB`, `-1`, `0.9`.
/// A fraction has no unit there.
bool is_bare(std::string_view value) {
  const auto all = [](std::string_view text, auto is) {
    return !text.empty() && std::all_of(text.begin(), text.end(), is);
  };
  if (all(value, [](char c) { return is_letter(c) || is_digit(c); }) && is_letter(value.front())) return true;
  if (value.starts_with('-')) value.remove_prefix(1);
  const size_t digits = std::min(value.find_first_not_of("0123456789"), value.size());
  if (digits == 0) return false;
  const std::string_view rest = value.substr(digits);
  if (rest.starts_with('.')) return all(rest.substr(1), is_digit);
  return std::all_of(rest.begin(), rest.end(), [](char c) { return is_letter(c) && c != '_'; });
}

std::optional<std::string> enum_word(const SettingLine& line) {
  const std::vector<std::string>& choices = line.facts.type.choices;
  const auto find = [&](std::string_view word) -> std::optional<std::string> {
    for (const std::string& choice : choices)
      if (equals_ignore_case(choice, word)) return choice;
    return std::nullopt;
  };
  if (auto word = find(line.value)) return word;
  if (const auto is_on = setting_boolean(line.value)) return find(*is_on ? "on" : "off");
  return std::nullopt;
}

/// A report of which only some parts are left, as text.
std::string part_text(const Report& report) { return render_text(report, {.width = widest_prose}); }

}  // namespace

std::vector<SettingGroup> by_group(const std::vector<SettingLine>& settings) {
  std::vector<SettingGroup> groups;
  for (const SettingLine& line : settings) {
    const auto has_name = [&](const SettingGroup& group) { return group.name == line.group; };
    auto group = std::find_if(groups.begin(), groups.end(), has_name);
    if (group == groups.end())
      group = groups.insert(line.group.empty() ? groups.begin() : groups.end(),
                            {.name = line.group, .lines = {}});
    group->lines.push_back(&line);
  }
  return groups;
}

std::string provenance(const SettingLine& line) {
  std::string text = line.origin.empty() ? "" : "From " + line.origin + "; ";
  if (line.facts.context.empty())
    text += "kdb does not know this setting";
  else
    text += line.facts.needs_restart() ? "needs a restart" : "a reload is enough";
  if (line.origin.empty() && text.front() != 'k') text.front() = to_upper(text.substr(0, 1)).front();
  return text + ".";
}

std::optional<std::string> raw_value(const SettingLine& line) {
  const SettingType& type = line.facts.type;
  if (type.vartype == "bool") {
    const auto is_on = setting_boolean(line.value);
    return is_on ? std::optional<std::string>(*is_on ? "on" : "off") : std::nullopt;
  }
  if (type.vartype == "integer" || type.vartype == "real") {
    const auto number = setting_number(line.value, type);
    if (!number) return std::nullopt;
    return fmt::format("{}", *number == 0 ? 0 : *number);  // no -0
  }
  if (type.vartype == "enum") return enum_word(line);
  return type.vartype.empty() ? std::nullopt : std::optional(line.value);
}

std::string why_unwritable(const SettingLine& line) {
  if (!is_conf_name(line.name)) return "this is no name that a postgresql.conf takes";
  if (line.value.find_first_of(std::string_view("\0\n", 2)) != std::string::npos)
    return "no postgresql.conf can hold its value, which has a line feed or a NUL byte";
  if (find_invalid_utf8(line.name + line.value)) return "it is not valid UTF-8";
  return {};
}

std::string conf_escaped(std::string_view value) {
  std::string text;
  for (const char c : value) {
    if (c == '\'' || c == '\\')
      text += std::string(2, c);
    else if (static_cast<unsigned char>(c) < 0x20 || c == '\x7f')
      text += fmt::format("\\{:03o}", static_cast<unsigned char>(c));
    else
      text += c;
  }
  return text;
}

std::string conf_value(std::string_view value) {
  return is_bare(value) ? std::string(value) : "'" + conf_escaped(value) + "'";
}

std::string commented(std::string_view prefix, std::string_view text, size_t hang) {
  std::string result;
  if (text.ends_with('\n')) text.remove_suffix(1);
  const std::string lines = printable(text);
  for (const std::string_view line : split(lines, '\n')) {
    const std::string broken = wrapped("", line, hang, widest_prose - prefix.size());
    for (const std::string_view piece : split(std::string_view(broken).substr(0, broken.size() - 1), '\n')) {
      std::string whole = std::string(prefix) + std::string(piece);
      whole.erase(whole.find_last_not_of(' ') + 1);
      result += whole + "\n";
    }
  }
  return result;
}

std::string heading(std::string_view prefix, std::string_view name) {
  constexpr size_t width = 80;
  std::string line = fmt::format("{}---- {} ", prefix, printable_line(name));
  line.append(width - std::min(width, columns_of(line)), '-');
  return line + "\n";
}

std::string fields_text(const Report& report) {
  Report fields;
  fields.fields = report.fields;
  return part_text(fields);
}

std::string remarks_text(const Report& report) {
  Report remarks = report;
  remarks.fields.clear();
  remarks.settings.reset();
  return part_text(remarks);
}

std::string setting_comment(const SettingLine& line, std::string_view prefix, const Painter& paint) {
  const auto part = [&](std::string_view code, const std::string& text, size_t hang) {
    std::string painted;
    const std::string lines = commented(prefix, printable_line(text), hang);
    for (const std::string_view one : split(std::string_view(lines).substr(0, lines.size() - 1), '\n'))
      painted += paint(code, one) + "\n";
    return painted;
  };
  std::string text = line.reason.empty() ? "" : part(dim, line.reason, 0);
  text += part(dim, provenance(line), 0);
  for (const std::string& verdict : line.verdicts) text += part(yellow, "! " + verdict, 2);
  return text;
}

}  // namespace kdb::render
