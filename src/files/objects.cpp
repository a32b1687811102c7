#include "files/objects.hpp"

#include <algorithm>
#include <limits>

#include <fmt/format.h>

#include "base/sql_fragment.hpp"

namespace kdb::files {

namespace {

/// Reads the fields of one object out of its TOML table: the visitor of a kind's fields().
class FieldReader {
 public:
  FieldReader(ReadContext& context, const Field& table, std::string_view schema,
              std::map<std::string, Source>& seen)
      : context_(context), table_(table), schema_(schema), seen_(seen) {}

  template <class Member>
  void operator()(std::string_view name, Member& member) {
    known_.push_back(name);
    const TomlValue* value = table_.value.find(name);
    if (value == nullptr) return;
    seen_[std::string(name)] = value->where;
    read({*value, fmt::format("{} {}", table_.name, name)}, member);
  }

  /// Names the keys that are no fields.
  void report_unknown() {
    known_.emplace_back("state");
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

  void read(const Field& field, Options& member) {
    const auto* members = read_members(context_, field);
    if (members == nullptr) return;
    for (const TomlMember& option : *members)
      if (auto text = scalar({option.value, fmt::format("{}.{}", field.name, option.key)}))
        member[option.key] = std::move(*text);
  }

  /// A parameter's value as the catalog stores it.
  std::optional<std::string> scalar(const Field& field) {
    switch (field.value.kind) {
      case TomlValue::Kind::string:
        return read_text(context_, field);
      case TomlValue::Kind::integer:
        return fmt::format("{}", field.value.integer);
      case TomlValue::Kind::floating:
        return fmt::format("{}", field.value.floating);
      case TomlValue::Kind::boolean:
        return field.value.boolean ? "true" : "false";
      case TomlValue::Kind::table:
      case TomlValue::Kind::array:
      case TomlValue::Kind::date:
        break;
    }
    report(context_, field,
           fmt::format("must be a number, a string, true or false, not {}", describe(field.value.kind)));
    return std::nullopt;
  }

  ReadContext& context_;
  const Field& table_;
  std::string_view schema_;
  std::map<std::string, Source>& seen_;
  std::vector<std::string_view> known_;
};

template <class T>
std::string title(std::string_view key) {
  return fmt::format("[{}.{}]", T::section, key);
}

template <class T>
Declared<T>& find_or_add(std::vector<Declared<T>>& list, const std::string& key) {
  const auto found = std::find_if(list.begin(), list.end(), [&](const auto& one) { return one.key == key; });
  if (found != list.end()) return *found;
  list.push_back({.key = key});
  return list.back();
}

template <class T>
void read_object(ReadContext& context, const TomlMember& member, std::string_view schema,
                 Declared<T>& object) {
  const Field field{member.value, title<T>(member.key)};
  object.where = member.where;
  FieldReader reader(context, field, schema, object.fields);
  fields(reader, object.value);
  reader.report_unknown();
  if (const TomlValue* state = member.value.find("state")) {
    const auto word = read_word(context, {*state, field.name + " state"}, {"present", "absent"});
    if (word) object.absent = *word == 1;
  }
}

template <class T>
void read_section(ReadContext& context, const TomlValue& root, std::string_view schema,
                  std::vector<Declared<T>>& list) {
  const TomlValue* section = root.find(T::section);
  if (section == nullptr) return;
  const auto* members = read_members(context, {*section, fmt::format("[{}]", T::section)});
  if (members == nullptr) return;
  for (const TomlMember& member : *members) {
    if (read_members(context, {member.value, title<T>(member.key)}) == nullptr) continue;
    Declared<T>& object = find_or_add(list, member.key);
    read_object(context, member, schema, object);
    try {
      object.value.name = object.value.name_of(member.key, schema);
    } catch (const Error& error) {
      report(context, {member.value, title<T>(member.key)}, error.what(), error.problems().front().hint);
    }
  }
}

/// What could not even be read is missing for that reason.
bool is_reported(const ReadContext& context, const Source& where) {
  return std::any_of(context.problems.begin(), context.problems.end(), [&](const Problem& problem) {
    return problem.where.file == where.file && problem.where.line == where.line &&
           problem.where.column == where.column;
  });
}

template <class T>
void check_list(ReadContext& context, const std::vector<Declared<T>>& list) {
  for (const Declared<T>& object : list) {
    if (object.absent) continue;
    for (const auto& [field, message] : check(object.value)) {
      const Source& where = object.where_of(field);
      if (object.sets(field) && is_reported(context, where)) continue;
      context.problems.push_back({.message = fmt::format("{} {} {}", title<T>(object.key), field, message),
                                  .where = where,
                                  .hint = {}});
    }
  }
}

}  // namespace

void read_objects(ReadContext& context, const TomlValue& root, std::string_view schema,
                  DesiredSchema& desired) {
  std::apply([&](auto&... list) { (read_section(context, root, schema, list), ...); }, desired.lists);
}

void check_objects(ReadContext& context, const DesiredSchema& desired) {
  desired.each([&](const auto& list) { check_list(context, list); });
}

void add_object_sections(std::vector<std::string_view>& names) {
  DesiredSchema{}.each(
      [&](const auto& list) { names.push_back(std::decay_t<decltype(list)>::value_type::Kind::section); });
}

bool is_object_section(std::string_view section) {
  std::vector<std::string_view> names;
  add_object_sections(names);
  return std::find(names.begin(), names.end(), section) != names.end();
}

}  // namespace kdb::files
