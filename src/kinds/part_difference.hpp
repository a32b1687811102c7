#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include <fmt/format.h>

#include "kinds/columnstore.hpp"
#include "kinds/declared.hpp"
#include "kinds/nested.hpp"
#include "kinds/span.hpp"
#include "model/change.hpp"

namespace kdb {

// How members look in a plan: as in a profile, without the quotes. Empty: not set.
inline std::string part_text(const std::string& member) { return member; }
inline std::string part_text(bool member) { return member ? "true" : "false"; }
inline std::string part_text(const Span& member) { return member.text; }
inline std::string part_text(const Instant& member) { return member.text; }
inline std::string part_text(const Fragment& member) { return member.sql; }
inline std::string part_text(const ObjectName& member) {
  return member.name.empty() ? "" : to_text(member, "");
}
inline std::string part_text(const OrderColumn& member) { return to_text(member); }
inline std::string part_text(int member) { return fmt::format("{}", member); }
template <HasFields T>
std::string part_text(const T& part);
template <class T>
std::string part_text(const std::vector<T>& member) {
  std::string text;
  for (const T& item : member) text += (text.empty() ? "" : ", ") + part_text(item);
  return text;
}
template <class T>
std::string part_text(const std::optional<T>& member) {
  return member ? part_text(*member) : "";
}

/// The visitor that writes a part of an object: `{ drop_after = 2 years }`.
class PartText {
 public:
  template <class Member>
  void operator()(std::string_view name, const Member& member, const Member& standard) {
    if (!(member == standard))
      text_ += fmt::format("{}{} = {}", text_.empty() ? " " : ", ", name, part_text(member));
  }
  std::string take() const { return text_.empty() ? "{}" : fmt::format("{{{} }}", text_); }

 private:
  std::string text_;
};

template <HasFields T>
std::string part_text(const T& part) {
  PartText text;
  const T standard;
  fields(text, part, standard);
  return text.take();
}

/// Notes what a profile sets and the server has otherwise: the visitor of the fields() of a kind with parts.
template <class Kind>
class PartComparer {
 public:
  PartComparer(const Declared<Kind>& declared, std::vector<FieldChange>& changes, std::string path = {})
      : declared_(declared), changes_(changes), path_(std::move(path)) {}

  template <class Member>
  void operator()(std::string_view name, const Member& desired, const Member& live) {
    std::string path = path_.empty() ? std::string(name) : fmt::format("{}.{}", path_, name);
    if (declared_.sets(path)) compare(std::move(path), desired, live);
  }

 private:
  template <class Member>
  void compare(std::string path, const Member& desired, const Member& live) {
    if (!(desired == live)) changes_.push_back({std::move(path), part_text(live), part_text(desired)});
  }

  /// A part that is on both sides is compared field by field.
  template <HasFields T>
  void compare(std::string path, const std::optional<T>& desired, const std::optional<T>& live) {
    if (desired && live) {
      PartComparer part(declared_, changes_, std::move(path));
      fields(part, *desired, *live);
    } else if (desired || live) {
      changes_.push_back({std::move(path), part_text(live), desired ? part_text(desired) : "false"});
    }
  }

  const Declared<Kind>& declared_;
  std::vector<FieldChange>& changes_;
  std::string path_;
};

/// What differs between two objects of a kind with parts, in forms that can be compared.
template <class Kind>
std::vector<FieldChange> compare_parts(const Declared<Kind>& declared, const Kind& desired,
                                       const Kind& live) {
  std::vector<FieldChange> changes;
  PartComparer<Kind> comparer(declared, changes);
  fields(comparer, desired, live);
  return changes;
}

}  // namespace kdb
