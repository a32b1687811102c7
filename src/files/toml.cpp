#include "files/toml.hpp"

#include <algorithm>
#include <tuple>
#include <utility>

// Its parser asserts that a key begins where "[}" has none, and reports an error where assertions are off, as
// in the distribution's own build.
#define TOML_ASSERT(expression) static_cast<void>(0)
#include <toml++/toml.h>

namespace kdb::files {
namespace {

Source source_of(const toml::source_region& region, const FileName& file) {
  return {.file = file,
          .line = static_cast<int>(region.begin.line),
          .column = static_cast<int>(region.begin.column)};
}

TomlValue convert(const toml::node& node, const FileName& file);

std::vector<TomlMember> convert_members(const toml::table& table, const FileName& file) {
  // toml++ sorts by key; people and messages follow the file.
  std::vector<std::pair<const toml::key*, const toml::node*>> in_order;
  in_order.reserve(table.size());
  for (const auto& [key, value] : table) in_order.emplace_back(&key, &value);
  std::stable_sort(in_order.begin(), in_order.end(), [](const auto& a, const auto& b) {
    const toml::source_position& one = a.first->source().begin;
    const toml::source_position& other = b.first->source().begin;
    return std::tie(one.line, one.column) < std::tie(other.line, other.column);
  });
  std::vector<TomlMember> members;
  members.reserve(in_order.size());
  for (const auto& [key, value] : in_order)
    members.push_back({.key = std::string(key->str()),
                       .where = source_of(key->source(), file),
                       .value = convert(*value, file)});
  return members;
}

TomlValue convert(const toml::node& node, const FileName& file) {
  TomlValue value;
  value.where = source_of(node.source(), file);
  if (const auto* table = node.as_table()) {
    value.kind = TomlValue::Kind::table;
    value.members = convert_members(*table, file);
  } else if (const auto* array = node.as_array()) {
    value.kind = TomlValue::Kind::array;
    value.items.reserve(array->size());
    for (const toml::node& item : *array) value.items.push_back(convert(item, file));
  } else if (const auto* string = node.as_string()) {
    value.kind = TomlValue::Kind::string;
    value.string = string->get();
  } else if (const auto* integer = node.as_integer()) {
    value.kind = TomlValue::Kind::integer;
    value.integer = integer->get();
  } else if (const auto* floating = node.as_floating_point()) {
    value.kind = TomlValue::Kind::floating;
    value.floating = floating->get();
  } else if (const auto* boolean = node.as_boolean()) {
    value.kind = TomlValue::Kind::boolean;
    value.boolean = boolean->get();
  } else {
    value.kind = TomlValue::Kind::date;
  }
  return value;
}

}  // namespace

const TomlValue* TomlValue::find(std::string_view key) const {
  const auto member = std::find_if(members.begin(), members.end(),
                                   [&](const TomlMember& candidate) { return candidate.key == key; });
  return member == members.end() ? nullptr : &member->value;
}

std::string_view describe(TomlValue::Kind kind) {
  switch (kind) {
    case TomlValue::Kind::table:
      return "a table";
    case TomlValue::Kind::array:
      return "an array";
    case TomlValue::Kind::string:
      return "a string";
    case TomlValue::Kind::integer:
      return "an integer";
    case TomlValue::Kind::floating:
      return "a number";
    case TomlValue::Kind::boolean:
      return "a boolean";
    case TomlValue::Kind::date:
      return "a date or time";
  }
  return "a value";
}

TomlValue parse_toml(std::string_view text, const std::string& file) {
  try {
    return convert(toml::parse(text, std::string_view(file)), file);
  } catch (const toml::parse_error& error) {
    throw Error(Exit::usage,
                Problem{.message = std::string("malformed TOML: ") + std::string(error.description()),
                        .where = source_of(error.source(), file),
                        .hint = {}});
  }
}

}  // namespace kdb::files
