#pragma once

#include <map>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "base/setting_value.hpp"
#include "kinds/row.hpp"
#include "model/change.hpp"
#include "model/facts.hpp"
#include "model/object.hpp"

namespace kdb {

template <class T>
struct Declared;
template <class T>
struct Difference;
class Surroundings;

/// Nothing else of a role is asked.
struct RoleFacts {};

/// The settings that a role's sessions begin with: ALTER ROLE … SET. Roles belong to the server and are made
/// elsewhere; what a profile does not say of one is left as it is.
struct Role {
  static constexpr std::string_view section = "roles";
  static constexpr std::string_view word = "role";
  static constexpr bool is_whole = false;
  static constexpr bool made_elsewhere = true;
  static constexpr size_t rank = 5;  // may name schemas and tablespaces of migrations; nothing needs it
  using Facts = RoleFacts;

  ObjectName name;                           // in no schema
  Options settings;                          // in every database; "default" takes one back
  Options in_database;                       // in this one, before those
  std::map<std::string, SettingType> types;  // of declared settings, as the server told; no field

  /// The key is the name as it is. Never throws.
  ObjectName name_of(std::string_view key, std::string_view) const { return {"", std::string(key)}; }

  /// One row for every role, where they are asked for.
  static std::string catalog_query(const ServerFacts& facts);
  static bool vanished(const Row&) { return false; }
  static Role read(const Row& row);
  static RoleFacts read_facts(const Row&) { return {}; }

  bool operator==(const Role& other) const {
    return name == other.name && settings == other.settings && in_database == other.in_database;
  }
};

/// As for an index: each field once.
template <class Visitor, class... R>
requires all_are<Role, R...>
void fields(Visitor&& visit, R&... role) {
  visit("settings", role.settings...);
  visit("in_database", role.in_database...);
}

inline bool operator<(const Role& a, const Role& b) { return a.name < b.name; }

/// None is worth a line where no profile declares it.
inline bool counts(const Role&) { return false; }
/// Of an object whose profile has it under the key, however odd: no schema, no quotes.
inline std::string key_of(const Role& role, std::string_view) { return role.name.name; }

inline std::vector<std::string> remarks(const Role&, const RoleFacts&) { return {}; }
std::vector<std::pair<std::string, std::string>> check(const Role& role);

/// What is wrong with one that is not there, or is to go: roles are not a profile's to make and drop.
Problem problem_if_missing(const Role& role);
Problem problem_if_absent(const Role& role);

/// The declared settings that differ, spellings of one value not counted.
std::vector<FieldChange> differing(const Declared<Role>& declared, const Role& live, std::string_view);

/// The statements of a change, in their order.
std::vector<ChangeStep> steps(const Difference<Role>& difference, const Surroundings& around);

}  // namespace kdb
