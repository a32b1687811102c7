#pragma once

#include <optional>
#include <string_view>
#include <type_traits>
#include <vector>

namespace kdb {

/// Takes any field.
struct AnyVisitor {
  template <class... Member>
  void operator()(std::string_view, Member&...) const {}
};

/// A part of an object that has fields of its own.
template <class T>
concept HasFields = requires(T& part) {
  fields(AnyVisitor{}, part);
};

/// Whether a member is such a part that may be missing, or a list of them.
template <class T>
struct is_nested : std::false_type {};
template <HasFields T>
struct is_nested<std::optional<T>> : std::true_type {};
template <HasFields T>
struct is_nested<std::vector<T>> : std::true_type {};

}  // namespace kdb
