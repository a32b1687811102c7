#include "support/settings_reader.hpp"

#include <algorithm>
#include <stdexcept>

namespace kdb::test {

namespace {

[[noreturn]] void refuse(std::string_view why, std::string_view line) {
  throw std::runtime_error(std::string(why) + ": " + std::string(line));
}

bool is_letter(char c) {
  return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c == '_' ||
         static_cast<unsigned char>(c) >= 0x80;
}

bool is_decimal(char c) { return c >= '0' && c <= '9'; }

template <class Is>
size_t span(std::string_view text, Is is) {
  size_t length = 0;
  while (length < text.size() && is(text[length])) ++length;
  return length;
}

std::string_view without_blanks(std::string_view text) {
  text.remove_prefix(span(text, [](char c) { return c == ' ' || c == '\t' || c == '\r'; }));
  return text;
}

std::vector<std::string_view> lines_of(std::string_view text, const std::vector<std::string_view>& ends) {
  std::vector<std::string_view> lines;
  size_t begin = 0;
  for (size_t at = 0; at < text.size();) {
    const auto end = std::find_if(ends.begin(), ends.end(),
                                  [&](std::string_view one) { return text.substr(at, one.size()) == one; });
    if (end == ends.end()) {
      ++at;
      continue;
    }
    lines.push_back(text.substr(begin, at - begin));
    begin = at += end->size();
  }
  lines.push_back(text.substr(begin));
  return lines;
}

/// DeescapeQuotedString() of guc-file.l; moves `text` behind the closing quote.
std::string conf_string(std::string_view& text, std::string_view line) {
  std::string value;
  text.remove_prefix(1);
  for (;;) {
    if (text.empty()) refuse("no quote ends", line);
    const char c = text.front();
    if (c == '\'' && text.substr(1, 1) != "'") break;
    text.remove_prefix(1);
    if (c == '\'') {
      text.remove_prefix(1);
      value += c;
    } else if (c != '\\') {
      value += c;
    } else if (const size_t digits =
                   std::min<size_t>(3, span(text, [](char d) { return d >= '0' && d <= '7'; }));
               digits > 0) {
      value += static_cast<char>(std::stoi(std::string(text.substr(0, digits)), nullptr, 8));
      text.remove_prefix(digits);
    } else {
      constexpr std::string_view letters = "bfnrt";
      const size_t letter = text.empty() ? std::string_view::npos : letters.find(text.front());
      if (text.empty()) refuse("a backslash ends", line);
      value += letter == std::string_view::npos ? text.front() : "\b\f\n\r\t"[letter];
      text.remove_prefix(1);
    }
  }
  text.remove_prefix(1);
  return value;
}

/// The longest of INTEGER, REAL, UNQUOTED_STRING and ID.
std::string conf_word(std::string_view& text, std::string_view line) {
  size_t length = 0;
  if (!text.empty() && is_letter(text.front())) {
    length = span(text, [](char c) {
      return is_letter(c) || is_decimal(c) || std::string_view("-._:/").find(c) != std::string_view::npos;
    });
    if (std::count(text.begin(), text.begin() + static_cast<long>(length), '.') == 1 &&
        text.substr(0, length).find_first_of("-:/") == std::string_view::npos)
      refuse("a qualified name is no value", line);
  } else {
    const size_t sign = !text.empty() && (text[0] == '-' || text[0] == '+') ? 1 : 0;
    const size_t digits = span(text.substr(sign), is_decimal);
    length = sign + digits;
    if (text.substr(length, 1) == ".")
      length += 1 + span(text.substr(length + 1), is_decimal);
    else if (digits > 0)
      length += span(text.substr(length), [](char c) { return is_letter(c) && c > 0 && c != '_'; });
    if (digits == 0) refuse("no value", line);
  }
  std::string word(text.substr(0, length));
  text.remove_prefix(length);
  return word;
}

unsigned hex(std::string_view digits) {
  return static_cast<unsigned>(std::stoul(std::string(digits), nullptr, 16));
}

std::string utf8(unsigned point) {
  const auto byte = [](unsigned value) { return static_cast<char>(static_cast<unsigned char>(value)); };
  if (point < 0x80) return {byte(point)};
  if (point < 0x800) return {byte(0xc0 | point >> 6), byte(0x80 | (point & 0x3f))};
  if (point < 0x10000)
    return {byte(0xe0 | point >> 12), byte(0x80 | ((point >> 6) & 0x3f)), byte(0x80 | (point & 0x3f))};
  return {byte(0xf0 | point >> 18), byte(0x80 | ((point >> 12) & 0x3f)), byte(0x80 | ((point >> 6) & 0x3f)),
          byte(0x80 | (point & 0x3f))};
}

std::string yaml_string(std::string_view text, std::string_view line) {
  if (text.size() < 2 || text.front() != '"') refuse("no string in double quotes", line);
  std::string value;
  for (size_t at = 1;; ++at) {
    if (at >= text.size()) refuse("no quote ends", line);
    if (text[at] == '"') {
      if (at + 1 != text.size()) refuse("something behind a string", line);
      return value;
    }
    if (text[at] != '\\') {
      value += text[at];
      continue;
    }
    const char kind = text.substr(at + 1, 1).empty() ? ' ' : text[++at];
    const size_t digits = kind == 'x' ? 2 : kind == 'u' ? 4 : kind == 'U' ? 8 : 0;
    if (digits == 0 && kind != '"' && kind != '\\') refuse("an unknown escape", line);
    value += digits == 0 ? std::string(1, kind) : utf8(hex(text.substr(at + 1, digits)));
    at += digits;
  }
}

void check_characters(std::string_view text) {
  for (size_t at = 0; at < text.size(); ++at) {
    const auto c = static_cast<unsigned char>(text[at]);
    const auto next = at + 1 < text.size() ? static_cast<unsigned char>(text[at + 1]) : 0U;
    if ((c < 0x20 && c != '\n' && c != '\r' && c != '\t') || c == 0x7f ||
        (c == 0xc2 && next >= 0x80 && next < 0xa0 && next != 0x85))
      refuse("a character that no document may hold", text.substr(at, 20));
  }
}

std::string path_of(const std::vector<std::pair<size_t, std::string>>& open, const std::string& key) {
  std::string path;
  for (const auto& [indent, name] : open) path += name + "/";
  return path + key;
}

/// `key:` and what stands behind it; of a key in quotes, what it means.
std::pair<std::string, std::string_view> yaml_pair(std::string_view text, std::string_view line) {
  size_t end = text.find(':');
  if (!text.empty() && text.front() == '"') end = text.find("\":") + 1;
  if (end == std::string_view::npos || end == 0) refuse("no key", line);
  const std::string_view key = text.substr(0, end);
  const std::string_view rest = text.substr(end + 1);
  if (!rest.empty() && rest.front() != ' ') refuse("no blank behind a key", line);
  if (key.find_first_of(" #{}[]&*!|>'%@`,") != std::string_view::npos && key.front() != '"')
    refuse("no bare key", line);
  return {key.front() == '"' ? yaml_string(key, line) : std::string(key), without_blanks(rest)};
}

/// A literal of SQL; moves `text` behind it.
std::string sql_literal(std::string_view& text, std::string_view line) {
  const bool escapes = text.substr(0, 2) == "E'";
  if (escapes) text.remove_prefix(1);
  if (text.substr(0, 1) != "'") refuse("no literal", line);
  std::string value;
  for (text.remove_prefix(1); !text.empty(); text.remove_prefix(1)) {
    const bool twice = text.substr(0, 2) == "''" || (escapes && text.substr(0, 2) == "\\\\");
    if (text.front() == '\'' && !twice) {
      text.remove_prefix(1);
      return value;
    }
    if (escapes && text.front() == '\\' && !twice) refuse("an unknown escape", line);
    value += text.front();
    if (twice) text.remove_prefix(1);
  }
  refuse("no quote ends", line);
}

std::string sql_name(std::string_view& text, std::string_view line) {
  std::string name;
  while (text.substr(0, 1) == "\"") {
    const size_t end = text.find('"', 1);
    if (end == std::string_view::npos) refuse("no quote ends", line);
    name += (name.empty() ? "" : ".") + std::string(text.substr(1, end - 1));
    text.remove_prefix(end + 1);
    if (text.substr(0, 1) == ".") text.remove_prefix(1);
  }
  return name;
}

}  // namespace

Settings read_conf(std::string_view text) {
  Settings settings;
  for (const std::string_view line : lines_of(text, {"\n"})) {
    std::string_view rest = without_blanks(line);
    if (rest.empty() || rest.front() == '#') continue;
    const size_t name = span(rest, [](char c) { return is_letter(c) || is_decimal(c) || c == '.'; });
    if (name == 0 || is_decimal(rest.front())) refuse("no name", line);
    const std::string key(rest.substr(0, name));
    if (std::count(key.begin(), key.end(), '.') > 1) refuse("two dots in a name", line);
    rest = without_blanks(rest.substr(name));
    if (!rest.empty() && rest.front() == '=') rest = without_blanks(rest.substr(1));
    if (key.starts_with("include")) refuse("a directive", line);
    settings[key] = !rest.empty() && rest.front() == '\'' ? conf_string(rest, line) : conf_word(rest, line);
    rest = without_blanks(rest);
    if (!rest.empty() && rest.front() != '#') refuse("something behind a value", line);
  }
  return settings;
}

std::vector<std::pair<std::string, std::string>> read_yaml(std::string_view text) {
  check_characters(text);
  std::vector<std::pair<std::string, std::string>> leaves;
  std::vector<std::pair<size_t, std::string>> open;
  for (const std::string_view line : lines_of(text, {"\r\n", "\n", "\r", "\u0085", "\u2028", "\u2029"})) {
    size_t indent = span(line, [](char c) { return c == ' '; });
    std::string_view rest = line.substr(indent);
    if (rest.empty() || rest.front() == '#' || line == "---") continue;
    const bool item = rest.starts_with("- ");
    while (!open.empty() && (open.back().first > indent || (open.back().first == indent && !item)))
      open.pop_back();
    if (item) {
      rest.remove_prefix(2);
      indent += 2;
      if (rest.starts_with('"')) {
        leaves.emplace_back(path_of(open, ""), yaml_string(rest, line));
        continue;
      }
    }
    auto [key, value] = yaml_pair(rest, line);
    if (value.starts_with("!unsafe ")) value.remove_prefix(8);
    const bool plain = value == "{}" || value == "[]" || key == "apiVersion" || key == "kind";
    if (value.empty())
      open.emplace_back(indent, key);
    else
      leaves.emplace_back(path_of(open, key), plain ? std::string(value) : yaml_string(value, line));
  }
  return leaves;
}

std::map<std::string, std::vector<std::string>> read_alter_system(std::string_view text) {
  constexpr std::string_view begin = "ALTER SYSTEM SET ";
  std::map<std::string, std::vector<std::string>> settings;
  for (const std::string_view line : lines_of(text, {"\n"})) {
    if (line.empty() || line.starts_with("--") || line == "SELECT pg_reload_conf();") continue;
    if (!line.starts_with(begin)) refuse("another statement", line);
    std::string_view rest = line.substr(begin.size());
    std::vector<std::string>& values = settings[sql_name(rest, line)];
    if (!rest.starts_with(" = ")) refuse("no value", line);
    for (rest.remove_prefix(1); rest != ";";) {
      rest.remove_prefix(std::min<size_t>(2, rest.size()));
      values.push_back(sql_literal(rest, line));
    }
  }
  return settings;
}

}  // namespace kdb::test
