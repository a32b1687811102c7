#include "core/profile_text.hpp"

#include <algorithm>
#include <charconv>
#include <optional>

#include <fmt/format.h>

#include "base/text.hpp"

namespace kdb {

namespace {

constexpr size_t line_width = 100;

bool is_bare_key(std::string_view key) {
  const auto fits = [](char c) {
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '_' || c == '-';
  };
  return !key.empty() && std::all_of(key.begin(), key.end(), fits);
}

bool is_control(char c) { return static_cast<unsigned char>(c) < 0x20 || c == 0x7f; }

/// A string of TOML: a literal one where that spares backslashes.
std::string quoted(std::string_view text) {
  const bool escapes = text.find_first_of("\"\\") != std::string_view::npos;
  const bool literal =
      text.find('\'') == std::string_view::npos && std::none_of(text.begin(), text.end(), is_control);
  if (escapes && literal) return fmt::format("'{}'", text);
  std::string result = "\"";
  for (const char c : text) {
    if (c == '"' || c == '\\')
      result += {'\\', c};
    else if (c == '\n')
      result += "\\n";
    else if (c == '\t')
      result += "\\t";
    else if (is_control(c))
      result += fmt::format("\\u{:04x}", static_cast<unsigned char>(c));
    else
      result += c;
  }
  return result + '"';
}

std::string key_text(std::string_view key) { return is_bare_key(key) ? std::string(key) : quoted(key); }

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

/// One object's fields, but those that are as `standard` has them: the visitor of a kind's fields().
class FieldWriter {
 public:
  FieldWriter(std::string& out, std::string_view default_schema) : out_(out), schema_(default_schema) {}

  template <class Member>
  void operator()(std::string_view name, const Member& member, const Member& standard) {
    if (member == standard) return;
    write(name, member);
  }

 private:
  template <class Member>
  void write(std::string_view name, const Member& member) {
    out_ += fmt::format("{} = {}\n", name, value(name, member));
  }

  /// An inline table has to be on one line; what is too long for one is written key by key.
  void write(std::string_view name, const Options& member) {
    const std::string line = fmt::format("{} = {}\n", name, value(name, member));
    if (line.size() <= line_width + 1) {
      out_ += line;
      return;
    }
    for (const auto& [option, text] : member)
      out_ += fmt::format("{}.{} = {}\n", name, key_text(option), scalar(text));
  }

  std::string value(std::string_view, const std::string& member) const { return profile_string(member); }
  std::string value(std::string_view, bool member) const { return member ? "true" : "false"; }
  std::string value(std::string_view, const Fragment& member) const { return profile_string(member.sql); }
  std::string value(std::string_view, const std::optional<int>& member) const {
    return fmt::format("{}", member.value_or(0));
  }
  std::string value(std::string_view, const std::vector<std::string>& member) const {
    std::vector<std::string> items;
    items.reserve(member.size());
    for (const std::string& item : member) items.push_back(profile_string(item));
    return fmt::format("[{}]", fmt::join(items, ", "));
  }
  std::string value(std::string_view, const ObjectName& member) const {
    return profile_string(to_text(member, schema_));
  }

  std::string value(std::string_view name, const std::vector<Fragment>& member) const {
    std::vector<std::string> items;
    items.reserve(member.size());
    size_t length = name.size() + 5;
    for (const Fragment& fragment : member) {
      items.push_back(profile_string(fragment.sql));
      length += items.back().size() + 2;
    }
    if (length <= line_width) return fmt::format("[{}]", fmt::join(items, ", "));
    return fmt::format("[\n  {},\n]", fmt::join(items, ",\n  "));
  }

  std::string value(std::string_view, const Options& member) const {
    std::vector<std::string> items;
    for (const auto& [name, text] : member)
      items.push_back(fmt::format("{} = {}", key_text(name), scalar(text)));
    return fmt::format("{{ {} }}", fmt::join(items, ", "));
  }

  std::string scalar(const std::string& text) const {
    const bool plain = text == "true" || text == "false" || is_plain_number(text);
    return plain ? text : profile_string(text);
  }

  std::string& out_;
  std::string_view schema_;
};

/// What is written of an object; nothing of a table of which there is nothing to say.
template <class T>
std::optional<T> as_written(const Live<T>& live, std::string_view) {
  return live.value;
}
std::optional<Extension> as_written(const Live<Extension>& live, std::string_view default_schema) {
  return as_written(live.value, default_schema);
}
std::optional<TableProperties> as_written(const Live<TableProperties>& live, std::string_view) {
  const bool plain = live.value == TableProperties{.name = live.value.name};
  return plain && live.facts.unmanaged.empty() ? std::nullopt : std::optional(live.value);
}

template <class T>
std::string key_of(const T& value, std::string_view default_schema) {
  return to_text(value.name, default_schema);
}
std::string key_of(const Extension& extension, std::string_view) { return extension.name.name; }

template <class T>
void write_kind(std::string& out, const std::vector<Live<T>>& list, std::string_view default_schema) {
  std::vector<const Live<T>*> sorted;
  sorted.reserve(list.size());
  for (const Live<T>& one : list) sorted.push_back(&one);
  std::sort(sorted.begin(), sorted.end(), [](const auto* a, const auto* b) { return a->value < b->value; });
  const T standard;
  for (const Live<T>* one : sorted) {
    const std::optional<T> written = as_written(*one, default_schema);
    if (!written) continue;
    if (!out.empty()) out += '\n';
    for (const std::string& remark : remarks(one->value, one->facts)) out += comment_line(remark);
    out += fmt::format("[{}.{}]\n", T::section, key_text(key_of(*written, default_schema)));
    FieldWriter writer(out, default_schema);
    fields(writer, *written, standard);
  }
}

}  // namespace

std::string comment_line(std::string_view text) { return fmt::format("# {}\n", printable_line(text)); }

// `${` would be a variable of the environment.
std::string profile_string(std::string_view text) {
  std::string escaped;
  for (size_t at = 0; at < text.size(); ++at) {
    if (text.substr(at).starts_with("${")) escaped += '$';
    escaped += text[at];
  }
  return quoted(escaped);
}

std::string profile_text(const LiveSchema& live, std::string_view default_schema) {
  std::string text;
  live.each([&](const auto& list) { write_kind(text, list, default_schema); });
  return text;
}

}  // namespace kdb
