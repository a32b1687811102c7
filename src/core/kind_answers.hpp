#pragma once

#include <algorithm>
#include <iterator>
#include <string>
#include <string_view>
#include <type_traits>
#include <utility>
#include <vector>

#include <fmt/format.h>
#include <fmt/ranges.h>

#include "kinds/declared.hpp"
#include "kinds/difference.hpp"

namespace kdb {

// What the diff asks of every kind, and kinds answer differently.

// What a kind's objects belong to; nothing where it is no table.
inline const ObjectName* table_of(const Index& index) { return &index.table; }
inline const ObjectName* table_of(const Statistics& statistics) { return &statistics.table; }
inline const ObjectName* table_of(const Hypertable& hypertable) { return &hypertable.name; }
template <class T>
const ObjectName* table_of(const T&) {
  return nullptr;
}

// Objects with parts know by themselves what differs, and what a server can have of them.
template <class T>
inline constexpr bool has_parts = std::is_same_v<T, Hypertable> || std::is_same_v<T, ContinuousAggregate>;

template <class T>
std::vector<FieldChange> fields_of(const Declared<T>& declared, const Live<T>& live,
                                   std::string_view default_schema) {
  if constexpr (has_parts<T>)
    return differing(declared, live);
  else
    return differing(declared, live.value, default_schema);
}

inline Action action_of(const Hypertable&, const std::vector<FieldChange>&) { return Action::alter; }

template <class T>
std::vector<ChangeStep> steps_of(const Difference<T>& difference, const Surroundings& around) {
  if constexpr (has_parts<T>)
    return steps(difference, around.facts);
  else
    return steps(difference, around);
}

/// Whether a catalog's object is more than a row that every such object has.
inline bool counts(const TableProperties& table) { return table != TableProperties{.name = table.name}; }
template <class T>
bool counts(const T&) {
  return true;
}

/// Two objects that differ in nothing but their names, and what is changed along with these.
template <class T>
bool same_but_name(T a, const T& b) {
  a.name = b.name;
  if constexpr (requires { a.comment; }) a.comment = b.comment;
  if constexpr (std::is_same_v<T, Index>) a.statistics = b.statistics;
  return a == b;
}

/// What is wrong with an undeclared object, or what a table has that it has not by default: `has storage
/// parameters, comments of columns`.
inline std::string remark(const Live<Index>& index, std::string_view) {
  if (index.facts.whole()) return "";
  return index.facts.coverage.leaves > 0 ? index.facts.coverage.text() : "INVALID";
}
inline std::string remark(const Live<TableProperties>& table, std::string_view default_schema) {
  FieldComparer comparer(default_schema, nullptr);
  const TableProperties plain{.name = table.value.name};
  fields(comparer, plain, table.value);
  constexpr std::pair<std::string_view, std::string_view> words[] = {
      {"storage", "storage parameters"},
      {"statistics", "statistics targets"},
      {"column_storage", "storage of columns"},
      {"compression", "compression of columns"},
      {"replica_identity", "a replica identity"},
      {"cluster", "an index to cluster by"},
      {"tablespace", "a tablespace"},
      {"comment", "a comment"},
      {"comments", "comments of columns"},
  };
  std::vector<std::string> has;
  for (const FieldChange& change : comparer.take()) {
    const std::string field = change.field.substr(0, change.field.find('.'));
    const auto* word =
        std::find_if(std::begin(words), std::end(words), [&](const auto& one) { return one.first == field; });
    const std::string text = word == std::end(words) ? field : std::string(word->second);
    if (has.empty() || has.back() != text) has.push_back(text);
  }
  return has.empty() ? "" : fmt::format("has {}", fmt::join(has, ", "));
}
template <class T>
std::string remark(const Live<T>&, std::string_view) {
  return {};
}

/// `create` after what it needs: tables' properties may name indexes.
template <class T>
inline constexpr size_t rank = 3;
template <>
inline constexpr size_t rank<Extension> = 0;
template <>
inline constexpr size_t rank<Hypertable> = 1;
template <>
inline constexpr size_t rank<ContinuousAggregate> = 2;
template <>
inline constexpr size_t rank<TableProperties> = 4;
inline constexpr size_t last_rank = 4;

}  // namespace kdb
