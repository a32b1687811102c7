#pragma once

#include <optional>
#include <string_view>
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
inline constexpr bool is_nested = false;
template <HasFields T>
inline constexpr bool is_nested<std::optional<T>> = true;
template <HasFields T>
inline constexpr bool is_nested<std::vector<T>> = true;

}  // namespace kdb
