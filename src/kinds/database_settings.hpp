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

/// Nothing else of a database is asked.
struct DatabaseFacts {};

/// The settings that sessions in a database begin with, whoever's they are, unless their role has its own:
/// ALTER DATABASE … SET. Databases are made elsewhere; what a profile does not say of one is left as it is.
struct DatabaseSettings {
  static constexpr std::string_view section = "databases";
  static constexpr std::string_view word = "database";
  static constexpr bool is_whole = false;
  static constexpr bool made_elsewhere = true;
  static constexpr size_t rank = 5;  // as of roles
  using Facts = DatabaseFacts;

  ObjectName name;                           // in no schema
  Options settings;                          // "default" takes one back
  std::map<std::string, SettingType> types;  // of declared settings, as the server told; no field

  /// The key is the name as it is. Never throws.
  ObjectName name_of(std::string_view key, std::string_view) const { return {"", std::string(key)}; }

  /// One row for every database, where they are asked for.
  static std::string catalog_query(const ServerFacts& facts);
  static bool vanished(const Row&) { return false; }
  static DatabaseSettings read(const Row& row);
  static DatabaseFacts read_facts(const Row&) { return {}; }

  bool operator==(const DatabaseSettings& other) const {
    return name == other.name && settings == other.settings;
  }
};

/// As for an index: each field once.
template <class Visitor, class... D>
requires all_are<DatabaseSettings, D...>
void fields(Visitor&& visit, D&... database) { visit("settings", database.settings...); }

inline bool operator<(const DatabaseSettings& a, const DatabaseSettings& b) { return a.name < b.name; }

/// None is worth a line where no profile declares it.
inline bool counts(const DatabaseSettings&) { return false; }
/// Of an object whose profile has it under the key, however odd: no schema, no quotes.
inline std::string key_of(const DatabaseSettings& database, std::string_view) { return database.name.name; }

inline std::vector<std::string> remarks(const DatabaseSettings&, const DatabaseFacts&) { return {}; }
std::vector<std::pair<std::string, std::string>> check(const DatabaseSettings& database);

/// What is wrong with one that is not there, or is to go: a profile neither makes nor drops databases.
Problem problem_if_missing(const DatabaseSettings& database);
Problem problem_if_absent(const DatabaseSettings& database);

/// The declared settings that differ, spellings of one value not counted.
std::vector<FieldChange> differing(const Declared<DatabaseSettings>& declared, const DatabaseSettings& live,
                                   std::string_view);

/// The statements of a change, in their order.
std::vector<ChangeStep> steps(const Difference<DatabaseSettings>& difference, const Surroundings& around);

}  // namespace kdb
