#pragma once

#include <map>
#include <string>
#include <tuple>
#include <vector>

#include "base/error.hpp"
#include "kinds/kinds.hpp"

namespace kdb {

/// An object as a profile declares it.
template <class T>
struct Declared {
  using Kind = T;

  std::string key;  // as it stands in the profile: [indexes.KEY]
  T value;
  Source where;                          // of its table
  std::map<std::string, Source> fields;  // those that it sets, and where
  bool absent = false;                   // state = "absent": it must not be there
  bool undecided = false;                // the server cannot say what it would make of it: not compared

  bool sets(const std::string& field) const { return fields.count(field) > 0; }
  /// Of a field, or of what it is a part of where the profile does not set it.
  const Source& where_of(std::string field) const {
    for (;;) {
      if (const auto found = fields.find(field); found != fields.end()) return found->second;
      const size_t end = field.find_last_of(".[");
      if (end == std::string::npos) return where;
      field.resize(end);
    }
  }
};

/// An object as the catalog has it.
template <class T>
struct Live {
  using Kind = T;

  T value;
  typename T::Facts facts;
};

/// One list of objects for every kind there is.
template <template <class> class Holder, class List>
struct ObjectLists;
template <template <class> class Holder, class... T>
struct ObjectLists<Holder, KindList<T...>> {
  std::tuple<std::vector<Holder<T>>...> lists;

  template <class Kind>
  std::vector<Holder<Kind>>& of() {
    return std::get<std::vector<Holder<Kind>>>(lists);
  }
  template <class Kind>
  const std::vector<Holder<Kind>>& of() const {
    return std::get<std::vector<Holder<Kind>>>(lists);
  }
  /// Calls `visit` with the list of every kind, in the order of the list of kinds.
  template <class Visitor>
  void each(Visitor&& visit) const {
    std::apply([&](const auto&... list) { (visit(list), ...); }, lists);
  }
};

/// What the profiles say should be, and what is: different types, so that nobody confuses them.
using DesiredSchema = ObjectLists<Declared, Kinds>;
using LiveSchema = ObjectLists<Live, Kinds>;

}  // namespace kdb
