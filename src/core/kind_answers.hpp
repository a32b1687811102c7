#pragma once

#include <algorithm>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "kinds/declared.hpp"
#include "kinds/difference.hpp"

namespace kdb {

// What is asked of every kind. A kind that has another answer than these gives it in its own header.

/// Whether its objects have parts: these know by themselves what differs, and what a server can have of them.
template <class T>
inline constexpr bool has_parts = requires(const Declared<T>& declared, const Live<T>& live) {
  differing(declared, live);
};

template <class T>
std::vector<FieldChange> fields_of(const Declared<T>& declared, const Live<T>& live,
                                   std::string_view default_schema) {
  if constexpr (has_parts<T>)
    return differing(declared, live);
  else
    return differing(declared, live.value, default_schema);
}

template <class T>
std::vector<ChangeStep> steps_of(const Difference<T>& difference, const Surroundings& around) {
  if constexpr (has_parts<T>)
    return steps(difference, around.facts);
  else
    return steps(difference, around);
}

/// Whether migrations or other hands make its objects, and a profile only says what they are to be like.
template <class T>
inline constexpr bool is_made_elsewhere = requires {
  T::made_elsewhere;
};

/// What is wrong with a declared object that is not there and that no pending migration makes, said behind
/// its name; nothing where a profile makes it, or its table says so already.
template <class T>
std::optional<Problem> problem_if_missing(const T&) {
  return std::nullopt;
}

/// What is wrong with one that is declared absent, where a profile drops none.
template <class T>
std::optional<Problem> problem_if_absent(const T&) {
  return std::nullopt;
}

/// What is done to an object that differs in these fields.
template <class T>
Action action_of(const T&, const std::vector<FieldChange>&) {
  return Action::alter;
}

/// The table that an object belongs to; null where it is none.
template <class T>
const ObjectName* table_of(const T&) {
  return nullptr;
}

/// Whether a catalog's object is more than a row that every such object has.
template <class T>
bool counts(const T&) {
  return true;
}

/// Whether two objects differ in nothing but their names, and what is changed along with these.
template <class T>
bool same_but_name(T a, const T& b) {
  a.name = b.name;
  if constexpr (requires { a.comment; }) a.comment = b.comment;
  return a == b;
}

/// What is wrong with an object that no profile declares, or is not as by default.
template <class T>
std::string remark(const T&, const typename T::Facts&, std::string_view) {
  return {};
}

/// What a profile says of an object; nothing where there is nothing to say.
template <class T>
std::optional<T> as_written(const T& value, const typename T::Facts&, std::string_view) {
  return value;
}

/// What stands in a profile behind the section's name.
template <class T>
std::string key_of(const T& value, std::string_view default_schema) {
  return to_text(value.name, default_schema);
}

/// The highest rank that a kind has.
template <class... T>
constexpr size_t last_rank(KindList<T...>) {
  return std::max({T::rank...});
}

}  // namespace kdb
