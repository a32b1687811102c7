#include "lint/column_type.hpp"

#include <algorithm>
#include <array>
#include <charconv>
#include <optional>
#include <string_view>

#include "base/text.hpp"

namespace kdb::lint {

namespace {

struct Alias {
  std::string_view written;
  std::string_view name;
};

constexpr std::array aliases{
    Alias{"smallint", "int2"},       Alias{"int", "int4"},       Alias{"integer", "int4"},
    Alias{"bigint", "int8"},         Alias{"serial", "serial4"}, Alias{"bigserial", "serial8"},
    Alias{"smallserial", "serial2"}, Alias{"char", "bpchar"},    Alias{"character", "bpchar"},
    Alias{"nchar", "bpchar"},        Alias{"dec", "numeric"},    Alias{"decimal", "numeric"},
    Alias{"bool", "bool"},           Alias{"boolean", "bool"},
};

std::string name_of(std::string_view written) {
  const std::string lower = to_lower(written);
  const auto* alias =
      std::find_if(aliases.begin(), aliases.end(), [&](const Alias& row) { return row.written == lower; });
  return alias == aliases.end() ? lower : std::string(alias->name);
}

std::optional<int> number(const ColumnType& type, size_t modifier) {
  if (modifier >= type.modifiers.size()) return std::nullopt;
  const std::string& text = type.modifiers[modifier];
  int value = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
  return error == std::errc() && end == text.data() + text.size() ? std::optional(value) : std::nullopt;
}

}  // namespace

bool is_document(std::string_view type) {
  for (const std::string_view name : {"json", "jsonb", "bytea", "xml", "tsvector", "hstore"})
    if (type == name) return true;
  return false;
}

ColumnType read_type(const sql::Words& words, size_t at, size_t last) {
  ColumnType type;
  const size_t behind = std::min(words.skip_name(at), last);
  if (behind == at) return type;
  type.name = name_of(words.text(behind - 1));
  size_t i = behind;
  if (type.name == "bpchar" && words.is(i, "varying")) {
    type.name = "varchar";
    ++i;
  }
  if (const size_t close = words.skip_parentheses(i); close != i) {
    for (size_t k = i + 1; k + 1 < close; ++k)
      if (!words.is(k, ",")) type.modifiers.emplace_back(words.text(k));
    i = close;
  }
  if (type.name == "timestamp" && words.match(i, "with time zone")) type.name = "timestamptz";
  if (type.name == "time" && words.match(i, "with time zone")) type.name = "timetz";
  i = std::max(words.skip(i, "with time zone"), words.skip(i, "without time zone"));
  type.array = i < last && (words.is(i, "[") || words.is(i, "array"));
  return type;
}

bool is_free_change(const ColumnType& from, const ColumnType& to) {
  if (from == to) return true;
  if (from.array || to.array) return false;
  const bool from_text = from.name == "varchar" || from.name == "text";
  if (from_text && (to.name == "text" || to.name == "varchar")) {
    if (to.modifiers.empty()) return true;
    const auto before = number(from, 0);
    const auto after = number(to, 0);
    return from.name == "varchar" && before && after && *before <= *after;
  }
  if (from.name == "numeric" && to.name == "numeric") {
    if (to.modifiers.empty()) return true;
    const auto digits = number(from, 0);
    const auto wanted = number(to, 0);
    return digits && wanted && *digits <= *wanted && number(from, 1).value_or(0) == number(to, 1).value_or(0);
  }
  return false;
}

}  // namespace kdb::lint
