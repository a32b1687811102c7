#include "core/profile_text.hpp"

#include <algorithm>
#include <charconv>
#include <optional>

#include <fmt/format.h>

#include "base/text.hpp"
#include "core/kind_answers.hpp"
#include "kinds/nested.hpp"

namespace kdb {

namespace {

constexpr size_t line_width = 100;

bool is_bare_key(std::string_view key) {
  const auto fits = [](char c) {
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '_' || c == '-';
  };
  return !key.empty() && std::all_of(key.begin(), key.end(), fits);
}

bool is_control_byte(char c) { return static_cast<unsigned char>(c) < 0x20 || c == 0x7f; }

/// A string of TOML: a literal one where that spares backslashes.
std::string toml_string(std::string_view text) {
  const bool escapes = text.find_first_of("\"\\") != std::string_view::npos;
  const bool literal =
      text.find('\'') == std::string_view::npos && std::none_of(text.begin(), text.end(), is_control_byte);
  if (escapes && literal) return fmt::format("'{}'", text);
  std::string result = "\"";
  for (const char c : text) {
    if (c == '"' || c == '\\')
      result += {'\\', c};
    else if (c == '\n')
      result += "\\n";
    else if (c == '\t')
      result += "\\t";
    else if (is_control_byte(c))
      result += fmt::format("\\u{:04x}", static_cast<unsigned char>(c));
    else
      result += c;
  }
  return result + '"';
}

/// `${` would be a variable of the environment.
std::string without_variables(std::string_view text) {
  std::string escaped;
  for (size_t at = 0; at < text.size(); ++at) {
    if (text.substr(at).starts_with("${")) escaped += '$';
    escaped += text[at];
  }
  return escaped;
}

/// A text of several lines as such, where TOML can have it without escapes.
std::string profile_lines(std::string_view text) {
  const std::string escaped = without_variables(text);
  const bool plain =
      std::none_of(escaped.begin(), escaped.end(), [](char c) { return is_control_byte(c) && c != '\n'; });
  if (escaped.find('\n') == std::string::npos || !plain || escaped.find("'''") != std::string::npos ||
      escaped.ends_with('\''))
    return toml_string(escaped);
  return fmt::format("'''\n{}'''", escaped);
}

std::string key_text(std::string_view key) { return is_bare_key(key) ? std::string(key) : toml_string(key); }

/// Whether TOML's number, read and printed again, is the same text.
template <class Number>
bool is_plain(std::string_view text) {
  Number number{};
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), number);
  return error == std::errc() && end == text.data() + text.size() && fmt::format("{}", number) == text;
}

bool is_plain_number(std::string_view text) {
  const bool pointed = text.find('.') != std::string_view::npos && text.find('e') == std::string_view::npos;
  return pointed ? is_plain<double>(text) : is_plain<std::int64_t>(text);
}

/// The fields of an object, or of a part of one, but those that are as `standard` has them, as keys and
/// values of TOML: the visitor of a kind's fields().
class FieldWriter {
 public:
  struct Entry {
    std::string key;
    std::string value;
  };

  explicit FieldWriter(std::string_view default_schema) : schema_(default_schema) {}

  template <class Member>
  void operator()(std::string_view name, const Member& member, const Member& standard) {
    if (member == standard) return;
    write(name, member);
  }

  /// A line for each.
  std::string lines() const {
    std::string text;
    for (const Entry& entry : entries_) text += line_of(entry.key, entry.value);
    return text;
  }

 private:
  static std::string line_of(std::string_view key, std::string_view value) {
    return fmt::format("{} = {}\n", key, value);
  }

  template <class Member>
  void write(std::string_view name, const Member& member) {
    entries_.push_back({std::string(name), value(name, member)});
  }

  /// An inline table has to be on one line; what is too long for one is written key by key.
  void write_table(std::string_view name, const std::vector<Entry>& table) {
    const std::string all = inline_table(table);
    if (line_of(name, all).size() <= line_width + 1)
      entries_.push_back({std::string(name), all});
    else
      for (const auto& [key, text] : table) entries_.push_back({fmt::format("{}.{}", name, key), text});
  }

  void write(std::string_view name, const Options& member) { write_table(name, entries_of(member)); }
  template <HasFields T>
  void write(std::string_view name, const std::optional<T>& member) {
    if (member) write_table(name, entries_of(*member));
  }

  static std::string inline_table(const std::vector<Entry>& table) {
    std::vector<std::string> items;
    items.reserve(table.size());
    for (const auto& [key, text] : table) items.push_back(fmt::format("{} = {}", key, text));
    return items.empty() ? "{}" : fmt::format("{{ {} }}", fmt::join(items, ", "));
  }

  std::vector<Entry> entries_of(const Options& options) const {
    std::vector<Entry> entries;
    for (const auto& [name, text] : options) entries.push_back({key_text(name), scalar(text)});
    return entries;
  }
  template <HasFields T>
  std::vector<Entry> entries_of(const T& part) const {
    FieldWriter writer(schema_);
    const T standard;
    fields(writer, part, standard);
    return std::move(writer.entries_);
  }

  std::string value(std::string_view, const std::string& member) const { return profile_string(member); }
  std::string value(std::string_view, bool member) const { return member ? "true" : "false"; }
  std::string value(std::string_view, const Fragment& member) const { return profile_lines(member.sql); }
  std::string value(std::string_view, const std::optional<bool>& member) const {
    return *member ? "true" : "false";
  }
  std::string value(std::string_view, const Instant& member) const { return profile_string(member.text); }
  std::string value(std::string_view, const Span& member) const {
    return member.number ? member.text : profile_string(member.text);
  }
  std::string value(std::string_view, const std::optional<int>& member) const {
    return fmt::format("{}", member.value_or(0));
  }
  template <class T>
  std::string value(std::string_view name, const std::optional<std::vector<T>>& member) const {
    return value(name, *member);
  }
  std::string value(std::string_view, const ObjectName& member) const {
    return profile_string(to_text(member, schema_));
  }
  std::string value(std::string_view, const std::vector<std::string>& member) const {
    std::vector<std::string> items;
    items.reserve(member.size());
    for (const std::string& item : member) items.push_back(profile_string(item));
    return fmt::format("[{}]", fmt::join(items, ", "));
  }
  std::string value(std::string_view name, const std::vector<OrderColumn>& member) const {
    std::vector<std::string> items;
    items.reserve(member.size());
    for (const OrderColumn& order : member) items.push_back(to_text(order));
    return value(name, items);
  }
  template <HasFields T>
  std::string value(std::string_view name, const std::vector<T>& member) const {
    std::vector<std::string> items;
    items.reserve(member.size());
    for (const T& part : member) items.push_back(inline_table(entries_of(part)));
    return list(name, items);
  }
  std::string value(std::string_view name, const std::vector<Fragment>& member) const {
    std::vector<std::string> items;
    items.reserve(member.size());
    for (const Fragment& fragment : member) items.push_back(profile_string(fragment.sql));
    return list(name, items);
  }

  /// On one line, if that is not too long.
  static std::string list(std::string_view name, const std::vector<std::string>& items) {
    size_t length = name.size() + 5;
    for (const std::string& item : items) length += item.size() + 2;
    if (length <= line_width) return fmt::format("[{}]", fmt::join(items, ", "));
    return fmt::format("[\n  {},\n]", fmt::join(items, ",\n  "));
  }

  std::string scalar(const std::string& text) const {
    const bool plain = text == "true" || text == "false" || is_plain_number(text);
    return plain ? text : profile_string(text);
  }

  std::vector<Entry> entries_;
  std::string_view schema_;
};

template <class T>
void write_kind(std::string& out, const std::vector<Live<T>>& list, std::string_view default_schema) {
  std::vector<const Live<T>*> sorted;
  sorted.reserve(list.size());
  for (const Live<T>& one : list) sorted.push_back(&one);
  std::sort(sorted.begin(), sorted.end(), [](const auto* a, const auto* b) { return a->value < b->value; });
  const T standard;
  for (const Live<T>* one : sorted) {
    const std::optional<T> written = as_written(one->value, one->facts, default_schema);
    if (!written) continue;
    if (!out.empty()) out += '\n';
    for (const std::string& remark : remarks(one->value, one->facts)) out += comment_line(remark);
    out += fmt::format("[{}.{}]\n", T::section, key_text(key_of(*written, default_schema)));
    FieldWriter writer(default_schema);
    fields(writer, *written, standard);
    out += writer.lines();
  }
}

}  // namespace

std::string comment_line(std::string_view text) { return fmt::format("# {}\n", printable_line(text)); }

std::string profile_string(std::string_view text) { return toml_string(without_variables(text)); }

std::string profile_text(const LiveSchema& live, std::string_view default_schema) {
  std::string text;
  live.each([&](const auto& list) { write_kind(text, list, default_schema); });
  return text;
}

}  // namespace kdb
