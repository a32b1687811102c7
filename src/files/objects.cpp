#include "files/objects.hpp"

#include <algorithm>
#include <unordered_map>

#include <fmt/format.h>

#include "files/field_reader.hpp"

namespace kdb::files {

namespace {

/// Whether the objects are tables of a section of their own; the server's settings are values in [server].
template <class T>
inline constexpr bool has_section = T::section.find('.') == std::string_view::npos;

template <class T>
std::string title(std::string_view key) {
  return fmt::format("[{}.{}]", T::section, key);
}

/// Where the objects of a list are, by key.
template <class T>
std::unordered_map<std::string, size_t> places_of(const std::vector<Declared<T>>& list) {
  std::unordered_map<std::string, size_t> places;
  for (size_t i = 0; i < list.size(); ++i) places.emplace(list[i].key, i);
  return places;
}

template <class T>
void read_object(ReadContext& context, const TomlMember& member, std::string_view schema,
                 Declared<T>& object) {
  const Field field{member.value, title<T>(member.key)};
  object.where = member.where;
  FieldReader reader(context, field, schema, object.fields);
  fields(reader, object.value);
  reader.report_unknown({"state"});
  if (const TomlValue* state = member.value.find("state")) {
    const auto word = read_word(context, {*state, field.name + " state"}, {"present", "absent"});
    if (word) object.absent = *word == 1;
  }
}

template <class T>
void read_section(ReadContext& context, const TomlValue& root, std::string_view schema,
                  std::vector<Declared<T>>& list) {
  if constexpr (has_section<T>) {
    const TomlValue* section = root.find(T::section);
    if (section == nullptr) return;
    const auto* members = read_members(context, {*section, fmt::format("[{}]", T::section)});
    if (members == nullptr) return;
    auto places = places_of(list);
    list.reserve(list.size() + members->size());
    for (const TomlMember& member : *members) {
      if (read_members(context, {member.value, title<T>(member.key)}) == nullptr) continue;
      const auto [place, is_new] = places.try_emplace(member.key, list.size());
      if (is_new) list.push_back({.key = member.key});
      Declared<T>& object = list[place->second];
      read_object(context, member, schema, object);
      try {
        object.value.name = object.value.name_of(member.key, schema);
      } catch (const Error& error) {
        report(context, {member.value, title<T>(member.key)}, error.what(), error.problems().front().hint);
      }
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
      if (!(where == object.where) && is_reported(context, where)) continue;
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
  DesiredSchema{}.each([&](const auto& list) {
    using Kind = typename std::decay_t<decltype(list)>::value_type::Kind;
    if constexpr (has_section<Kind>) names.push_back(Kind::section);
  });
}

bool is_object_section(std::string_view section) {
  std::vector<std::string_view> names;
  add_object_sections(names);
  return std::find(names.begin(), names.end(), section) != names.end();
}

}  // namespace kdb::files
