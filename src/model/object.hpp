#pragma once

#include <compare>
#include <cstddef>
#include <functional>
#include <string>
#include <string_view>
#include <unordered_map>
#include <unordered_set>

namespace kdb {

/// A name as the catalog has it, unquoted: {"public", "My Table"}. `schema` is empty for what lives in none
/// (an extension).
struct ObjectName {
  std::string schema;
  std::string name;

  auto operator<=>(const ObjectName&) const = default;
};

/// Most names of a database have the same schema: it is the name that tells them apart.
struct ObjectNameHash {
  size_t operator()(const ObjectName& name) const {
    constexpr size_t odd = 31;
    return std::hash<std::string>()(name.name) * odd + std::hash<std::string>()(name.schema);
  }
};

/// Where names are only looked up: a database has thousands, and sorting them takes longer than finding them.
template <class T>
using ByName = std::unordered_map<ObjectName, T, ObjectNameHash>;
using NameSet = std::unordered_set<ObjectName, ObjectNameHash>;

/// For SQL: `"public"."My Table"`, quoted always.
std::string to_sql(const ObjectName& name);

/// As a profile writes it and people read it: the schema left out where it is `default_schema`, parts quoted
/// only where a dot or a quote is in them. parse_name() is the inverse.
std::string to_text(const ObjectName& name, std::string_view default_schema);

/// Reads `events`, `audit.events` or `audit."odd.name"`. Nothing is folded to lower case. Throws Error(usage)
/// without a place for a name that has more than two parts, an empty part, a part of more than 63 bytes, or a
/// quote that does not end.
ObjectName parse_name(std::string_view text, std::string_view default_schema);

/// The name that a statement has written as `events` or `Audit."Odd.Name"`, as the catalog has it: what is
/// not quoted in lower case, not cut where it is too long. Of three parts the last two count as one.
ObjectName name_in_catalog(std::string_view written, std::string_view default_schema);

}  // namespace kdb
