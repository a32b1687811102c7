#pragma once

#include <algorithm>
#include <initializer_list>
#include <limits>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <type_traits>
#include <utility>
#include <vector>

#include <fmt/format.h>

#include "base/sql_fragment.hpp"
#include "files/profile_values.hpp"
#include "kinds/declared.hpp"
#include "kinds/nested.hpp"

namespace kdb::files {

/// Reads the fields of one object out of its TOML table: the visitor of a kind's fields().
class FieldReader {
 public:
  /// Notes in `seen` which fields are set and where. `path` is that of a part of an object in the object:
  /// `retention`; its fields are noted as `retention.drop_after`.
  FieldReader(ReadContext& context, const Field& table, std::string_view schema,
              std::map<std::string, Source>& seen, std::string path = {})
      : context_(context), table_(table), schema_(schema), seen_(seen), path_(std::move(path)) {}

  template <class Member>
  void operator()(std::string_view name, Member& member) {
    known_.push_back(name);
    const TomlValue* value = table_.value.find(name);
    if (value == nullptr) return;
    const std::string path = path_.empty() ? std::string(name) : fmt::format("{}.{}", path_, name);
    seen_[path] = value->where;
    const Field field{*value, fmt::format("{}{}{}", table_.name, path_.empty() ? ' ' : '.', name)};
    if constexpr (is_nested<Member>)
      read_nested(field, path, member);
    else if constexpr (std::is_same_v<Member, Options>)
      read_options(field, path, member);
    else
      read(field, member);
  }

  /// Names the keys that are neither fields nor `others`.
  void report_unknown(std::initializer_list<std::string_view> others = {}) {
    known_.insert(known_.end(), others);
    for (const TomlMember& member : table_.value.members)
      if (std::find(known_.begin(), known_.end(), member.key) == known_.end())
        report_unknown_key(context_, member, table_.name, known_);
  }

 private:
  void read(const Field& field, std::string& member) {
    if (auto value = read_text(context_, field)) member = std::move(*value);
  }

  void read(const Field& field, bool& member) {
    if (field.value.kind == TomlValue::Kind::boolean)
      member = field.value.boolean;
    else
      report(context_, field, fmt::format("must be true or false, not {}", describe(field.value.kind)));
  }

  void read(const Field& field, std::optional<int>& member) {
    constexpr auto most = std::numeric_limits<int>::max();
    if (const auto value = read_integer(context_, field, 0, most)) member = static_cast<int>(*value);
  }

  /// A part is a table of its own, or `false` where it must not be there.
  template <class T>
  void read_nested(const Field& field, const std::string& path, std::optional<T>& member) {
    if (field.value.kind == TomlValue::Kind::boolean && !field.value.boolean) {
      forget(path + ".");
      member.reset();
    } else if (field.value.kind != TomlValue::Kind::table) {
      report(context_, field, fmt::format("must be a table or false, not {}", describe(field.value.kind)));
    } else {
      if (!member) member.emplace();
      read_part(field, path, *member);
    }
  }

  template <class T>
  void read_nested(const Field& field, const std::string& path, std::vector<T>& member) {
    if (field.value.kind != TomlValue::Kind::array)
      return report(context_, field,
                    fmt::format("must be an array of tables, not {}", describe(field.value.kind)));
    forget(path + "[");
    member.clear();
    for (size_t i = 0; i < field.value.items.size(); ++i) {
      const TomlValue& item = field.value.items[i];
      const std::string index = fmt::format("[{}]", i + 1);
      const Field one{item, field.name + index};
      seen_[path + index] = item.where;
      T& part = member.emplace_back();
      if (read_members(context_, one) != nullptr) read_part(one, path + index, part);
    }
  }

  template <class T>
  void read_part(const Field& field, const std::string& path, T& part) {
    FieldReader reader(context_, field, schema_, seen_, path);
    fields(reader, part);
    reader.report_unknown();
  }

  /// What an earlier file said of a part that this one replaces.
  void forget(std::string_view beginning) {
    std::erase_if(seen_, [&](const auto& one) { return one.first.starts_with(beginning); });
  }

  template <class T>
  void read(const Field& field, std::optional<T>& member) {
    read(field, member.emplace());
  }

  void read(const Field& field, Span& member) {
    if (field.value.kind == TomlValue::Kind::integer)
      member = {.text = fmt::format("{}", field.value.integer), .number = true};
    else if (field.value.kind != TomlValue::Kind::string)
      report(context_, field,
             fmt::format("must be an interval such as \"7 days\", or an integer, not {}",
                         describe(field.value.kind)));
    else if (auto text = read_name(context_, field))
      member = {.text = std::move(*text)};
  }

  void read(const Field& field, Instant& member) {
    if (auto text = read_name(context_, field)) member = {.text = std::move(*text)};
  }

  void read(const Field& field, OrderColumn& member) {
    const auto text = read_name(context_, field);
    if (!text) return;
    if (auto order = parse_order_column(*text))
      member = std::move(*order);
    else
      report(context_, field,
             fmt::format("must be a column, with DESC and NULLS FIRST or LAST where wanted: {}", *text),
             "a name with spaces or punctuation is written in double quotes");
  }

  void read(const Field& field, std::vector<OrderColumn>& member) {
    if (field.value.kind != TomlValue::Kind::array)
      return report(context_, field, "must be an array of strings, such as [\"created_at DESC\"]");
    member.clear();
    for (const TomlValue& item : field.value.items) read(Field{item, field.name}, member.emplace_back());
  }

  void read(const Field& field, std::vector<std::string>& member) {
    if (field.value.kind != TomlValue::Kind::array)
      return report(context_, field, "must be an array of strings");
    member.clear();
    for (const TomlValue& item : field.value.items)
      if (auto text = read_name(context_, {item, field.name})) member.push_back(std::move(*text));
  }

  void read(const Field& field, ObjectName& member) {
    const auto value = read_name(context_, field);
    if (!value) return;
    try {
      member = parse_name(*value, schema_);
    } catch (const Error& error) {
      report(context_, field, error.what(), error.problems().front().hint);
    }
  }

  void read(const Field& field, Fragment& member) { read_fragment(field, false, member); }

  void read(const Field& field, std::vector<Fragment>& member) {
    if (field.value.kind != TomlValue::Kind::array)
      return report(context_, field, "must be an array of strings, such as [\"created_at DESC\"]");
    member.clear();
    for (const TomlValue& item : field.value.items) {
      Fragment fragment;
      read_fragment({item, field.name}, true, fragment);
      member.push_back(std::move(fragment));
    }
  }

  void read_fragment(const Field& field, bool one_of_list, Fragment& member) {
    auto value = read_name(context_, field);
    if (!value) return;
    if (const auto problem = sql::fragment_problem(*value, one_of_list))
      report(context_, field, fmt::format("{}: {}", *problem, *value));
    else
      member.sql = std::move(*value);
  }

  /// `toast.fillfactor = 90` is what `"toast.fillfactor" = 90` is.
  void read_options(const Field& field, const std::string& path, Options& member,
                    const std::string& prefix = {}) {
    const auto* members = read_members(context_, field);
    if (members == nullptr) return;
    for (const TomlMember& option : *members) {
      const Field one{option.value, fmt::format("{}.{}", field.name, option.key)};
      const std::string name = prefix + option.key;
      if (option.value.kind == TomlValue::Kind::table && !option.value.members.empty()) {
        read_options(one, path, member, name + ".");
        continue;
      }
      seen_[fmt::format("{}.{}", path, name)] = option.value.where;
      if (auto text = read_scalar(context_, one)) member[name] = std::move(*text);
    }
  }

  ReadContext& context_;
  const Field& table_;
  std::string_view schema_;
  std::map<std::string, Source>& seen_;
  std::string path_;
  std::vector<std::string_view> known_;
};

}  // namespace kdb::files
