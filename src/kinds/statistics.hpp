#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <tuple>
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

struct StatisticsFacts {
  std::string oid;
};

/// Extended statistics: CREATE STATISTICS.
struct Statistics {
  static constexpr std::string_view section = "statistics";
  static constexpr std::string_view word = "statistics";
  static constexpr bool is_whole = true;
  static constexpr size_t rank = 3;
  using Facts = StatisticsFacts;

  ObjectName name;
  ObjectName table;
  std::vector<Fragment> columns;   // each a column or an expression
  std::vector<std::string> kinds;  // ndistinct, dependencies, mcv; none: all that there are
  std::optional<int> target;
  std::string comment;

  ObjectName name_of(std::string_view key, std::string_view default_schema) const {
    return parse_name(key, default_schema);
  }

  static std::string catalog_query(const ServerFacts& facts);
  static std::string query_where(std::string_view condition);
  static bool vanished(const Row& row) { return !row.value("columns"); }
  static Statistics read(const Row& row);
  static StatisticsFacts read_facts(const Row& row) { return {.oid = row.text("oid")}; }

  bool operator==(const Statistics&) const = default;
};

/// As for an index: each field once.
template <class Visitor, class... S>
requires all_are<Statistics, S...>
void fields(Visitor&& visit, S&... statistics) {
  visit("table", statistics.table...);
  visit("columns", statistics.columns...);
  visit("kinds", statistics.kinds...);
  visit("target", statistics.target...);
  visit("comment", statistics.comment...);
}

inline bool operator<(const Statistics& a, const Statistics& b) {
  return std::tie(a.table, a.name) < std::tie(b.table, b.name);
}

inline const ObjectName* table_of(const Statistics& statistics) { return &statistics.table; }

inline std::vector<std::string> remarks(const Statistics&, const StatisticsFacts&) { return {}; }
std::vector<std::pair<std::string, std::string>> check(const Statistics& statistics);

/// `CREATE STATISTICS …` under `name` on `table` (both as SQL).
std::string create_sql(const Statistics& statistics, std::string_view name, std::string_view table);

/// Whether fields that differ can be changed in place.
Action action_of(const Statistics& desired, const std::vector<FieldChange>& fields);

/// The statements of a change, in their order.
std::vector<ChangeStep> steps(const Difference<Statistics>& difference, const Surroundings& around);

}  // namespace kdb
