#include "kinds/index_names.hpp"

#include <algorithm>

#include <fmt/format.h>

#include "base/text.hpp"
#include "kinds/definition.hpp"

namespace kdb {

namespace {

constexpr size_t name_limit = 63;  // NAMEDATALEN - 1

/// At most `size` bytes, no character cut in two.
std::string_view clip(std::string_view text, size_t size) {
  if (text.size() <= size) return text;
  while (size > 0 && (static_cast<unsigned char>(text[size]) & 0xC0U) == 0x80U) --size;
  return text.substr(0, size);
}

/// As PostgreSQL's makeObjectName: the longer of two parts is cut first.
std::string object_name(std::string_view first, std::string_view second, std::string_view label) {
  const size_t room = name_limit - 1 - (label.empty() ? 0 : label.size() + 1);
  size_t a = first.size();
  size_t b = second.size();
  while (a + b > room) --(a > b ? a : b);
  return fmt::format("{}_{}{}{}", clip(first, a), clip(second, b), label.empty() ? "" : "_", label);
}

/// The first of `name`, `name1`, `name2` … that is free.
template <class Make>
std::string first_free(const Make& make, const IsTaken& is_taken) {
  std::string name = make(0);
  for (int number = 1; is_taken(name); ++number) name = make(number);
  return name;
}

bool is_word_character(char c) {
  return std::isalnum(static_cast<unsigned char>(c)) != 0 || c == '_' || c == '$' ||
         static_cast<unsigned char>(c) >= 0x80U;
}

/// Reads names off the front of an expression as the server prints it.
class NameReader {
 public:
  explicit NameReader(std::string_view text) : text_(trim(text)) {}

  /// As PostgreSQL's FigureIndexColname; empty where it finds none. `whole`: what follows belongs to the
  /// expression, and is no opclass or order.
  std::string read(bool whole) {
    if (text_.starts_with('(')) return read_parentheses(whole);
    std::string name = word();
    while (text_.starts_with('.')) {
      text_.remove_prefix(1);
      name = word();
    }
    if (name == "CASE") return "case";
    if (text_.starts_with('(')) {
      name = to_lower(name);
      skip_parentheses();
    }
    return whole ? with_rest(std::move(name)) : name;
  }

 private:
  std::string read_parentheses(bool whole) {
    const std::string_view all = text_;
    skip_parentheses();
    std::string name = NameReader(all.substr(1, all.size() - text_.size() - 2)).read(true);
    return whole ? with_rest(std::move(name)) : name;
  }

  /// An operator behind it makes it an expression without a name; a cast or a subscript does not.
  std::string with_rest(std::string name) const {
    const std::string_view rest = trim(text_);
    if (rest.starts_with("AT TIME ZONE")) return "timezone";
    if (rest.empty() || rest.starts_with("::") || rest.starts_with('[')) return name;
    return {};
  }

  std::string word() {
    std::string name;
    if (text_.starts_with('"')) {
      size_t at = 1;
      for (; at < text_.size(); ++at) {
        if (text_[at] == '"' && text_.substr(at + 1, 1) != "\"") break;
        if (text_[at] == '"') ++at;
        name += text_[at];
      }
      text_.remove_prefix(std::min(at + 1, text_.size()));
      return name;
    }
    size_t at = 0;
    while (at < text_.size() && is_word_character(text_[at])) ++at;
    name = text_.substr(0, at);
    text_.remove_prefix(at);
    return name;
  }

  void skip_parentheses() {
    Cutter cutter(text_);
    cutter.list();
    text_ = cutter.rest();
  }

  std::string_view text_;
};

std::string numbered(std::string_view text, int number) {
  return number == 0 ? std::string(text) : fmt::format("{}{}", text, number);
}

}  // namespace

std::vector<std::string> index_column_names(const Index& index) {
  std::vector<std::string> names;
  const auto add = [&](const Fragment& column) {
    std::string name = NameReader(column.sql).read(false);
    if (name.empty()) name = "expr";
    names.push_back(first_free(
        [&](int number) {
          const std::string suffix = number == 0 ? "" : std::to_string(number);
          return std::string(clip(name, name_limit - suffix.size())) + suffix;
        },
        [&](const std::string& one) { return std::find(names.begin(), names.end(), one) != names.end(); }));
  };
  for (const Fragment& column : index.columns) add(column);
  for (const Fragment& column : index.include) add(column);
  return names;
}

std::string column_part(const Index& index) {
  std::string text;
  for (const std::string& name : index_column_names(index)) {
    text += (text.empty() ? "" : "_") + name;
    if (text.size() > name_limit) break;
  }
  return std::string(clip(text, name_limit));
}

std::string partition_index_name(std::string_view partition, const Index& index, const IsTaken& is_taken) {
  const std::string columns = column_part(index);
  return first_free([&](int number) { return object_name(partition, columns, numbered("idx", number)); },
                    is_taken);
}

bool is_partition_index_name(std::string_view partition, std::string_view columns, std::string_view name) {
  if (name == object_name(partition, columns, "idx")) return true;
  const std::string_view label = name.substr(name.rfind('_') + 1);
  return label.starts_with("idx") && is_number(label.substr(3), 1, 999'999) &&
         name == object_name(partition, columns, label);
}

std::string chunk_index_name(std::string_view chunk, std::string_view index, const IsTaken& is_taken) {
  return first_free(
      [&](int number) { return object_name(chunk, index, number == 0 ? "" : std::to_string(number)); },
      is_taken);
}

bool is_chunk_index_name(std::string_view chunk, std::string_view index, std::string_view name) {
  if (name == object_name(chunk, index, "")) return true;
  const std::string_view label = name.substr(name.rfind('_') + 1);
  return is_number(label, 1, 999'999) && name == object_name(chunk, index, label);
}

}  // namespace kdb
