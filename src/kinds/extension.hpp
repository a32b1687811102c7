#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "kinds/row.hpp"
#include "model/change.hpp"
#include "model/facts.hpp"
#include "model/object.hpp"

namespace kdb {

template <class T>
struct Difference;
class Surroundings;

/// What is true of a live extension beside what a profile says of it.
struct ExtensionFacts {
  std::string oid;
  std::string default_version;  // what the server would install; empty if it has no files for it any more
  bool relocatable = false;
};

/// An extension. What a profile does not say of one is left as it is.
struct Extension {
  static constexpr std::string_view section = "extensions";
  static constexpr std::string_view word = "extension";
  static constexpr bool is_whole = false;  // what a profile leaves out is as it may be
  static constexpr size_t rank = 0;        // its changes come first
  using Facts = ExtensionFacts;

  ObjectName name;     // in no schema
  std::string schema;  // of its objects
  std::string version;

  /// The key is the name as it is: `uuid-ossp`. Never throws.
  ObjectName name_of(std::string_view key, std::string_view) const { return {"", std::string(key)}; }

  /// One row for every extension but plpgsql, which each database has.
  static std::string catalog_query(const ServerFacts& facts);
  static bool vanished(const Row&) { return false; }
  static Extension read(const Row& row);
  static ExtensionFacts read_facts(const Row& row);

  bool operator==(const Extension&) const = default;
};

/// As for an index: each field once.
template <class Visitor, class... E>
requires all_are<Extension, E...>
void fields(Visitor&& visit, E&... extension) {
  visit("schema", extension.schema...);
  visit("version", extension.version...);
}

inline bool operator<(const Extension& a, const Extension& b) { return a.name < b.name; }

/// What somebody would write of it: no version, which would hold back whoever updates the server's packages,
/// and no schema where it went by itself.
std::optional<Extension> as_written(const Extension& extension, const ExtensionFacts& facts,
                                    std::string_view default_schema);
/// Of an object whose profile has it under the key, however odd: no schema, no quotes.
inline std::string key_of(const Extension& extension, std::string_view) { return extension.name.name; }

std::vector<std::string> remarks(const Extension& extension, const ExtensionFacts& facts);
std::vector<std::pair<std::string, std::string>> check(const Extension& extension);

/// The statements of a change, in their order.
std::vector<ChangeStep> steps(const Difference<Extension>& difference, const Surroundings& around);

}  // namespace kdb
