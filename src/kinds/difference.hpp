#pragma once

#include <algorithm>
#include <string_view>
#include <vector>

#include "kinds/declared.hpp"
#include "model/change.hpp"

namespace kdb {

/// What is to be done to one object, and why.
template <class T>
struct Difference {
  Action action = Action::create;
  const T* desired = nullptr;     // in the server's form; null: drop
  const Live<T>* live = nullptr;  // null: create
  std::vector<FieldChange> fields;

  bool differs_in(std::string_view field) const {
    return std::any_of(fields.begin(), fields.end(), [&](const FieldChange& change) {
      return change.field == field ||
             (change.field.starts_with(field) && change.field.substr(field.size(), 1) == ".");
    });
  }
};

}  // namespace kdb
