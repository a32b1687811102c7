#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "kinds/columnstore.hpp"
#include "kinds/policy.hpp"
#include "kinds/row.hpp"
#include "model/change.hpp"
#include "model/facts.hpp"
#include "model/object.hpp"

namespace kdb {

template <class T>
struct Declared;
template <class T>
struct Live;
template <class T>
struct Difference;

/// What is true of a live continuous aggregate beside what a profile says of it.
struct ContinuousAggregateFacts {
  std::string oid;
  ObjectName source;           // the hypertable that it reads, which is locked when it is dropped
  ObjectName materialization;  // the hypertable that holds its rows
  std::string time_column;     // of that one
  Estimate estimate;           // of all its chunks
  std::int64_t chunks = 0;
  std::int64_t compressed = 0;  // of the chunks
  std::optional<JobFacts> refresh;
  std::optional<JobFacts> compression;
  std::optional<JobFacts> retention;
  std::vector<std::string> unmanaged;  // what somebody has set that no profile can say
};

/// A view whose rows TimescaleDB keeps and refreshes. What a profile does not say of one is left as it is; a
/// part that it declares as `false` must not be there. Its indexes are indexes whose table it is.
struct ContinuousAggregate {
  static constexpr std::string_view section = "continuous_aggregates";
  static constexpr std::string_view word = "continuous aggregate";
  static constexpr bool is_whole = false;
  static constexpr size_t rank = 2;
  using Facts = ContinuousAggregateFacts;

  ObjectName name;
  Fragment query;                         // as the server prints it
  std::optional<bool> materialized_only;  // false: what is not refreshed yet is computed by each query
  std::optional<Refresh> refresh;
  std::optional<Columnstore> columnstore;
  std::optional<Retention> retention;
  std::string when_unavailable = "error";  // of profiles only: "skip" where the server cannot have it

  ObjectName name_of(std::string_view key, std::string_view default_schema) const {
    return parse_name(key, default_schema);
  }

  /// One row for each. Empty where the database has no TimescaleDB: there are none.
  static std::string catalog_query(const ServerFacts& facts);
  static bool vanished(const Row& row) { return !row.value("query"); }
  static ContinuousAggregate read(const Row& row);
  static ContinuousAggregateFacts read_facts(const Row& row);

  bool operator==(const ContinuousAggregate&) const = default;
};

/// As for an index: each field once.
template <class Visitor, class... C>
requires all_are<ContinuousAggregate, C...>
void fields(Visitor&& visit, C&... aggregate) {
  visit("query", aggregate.query...);
  visit("materialized_only", aggregate.materialized_only...);
  visit("refresh", aggregate.refresh...);
  visit("columnstore", aggregate.columnstore...);
  visit("retention", aggregate.retention...);
  visit("when_unavailable", aggregate.when_unavailable...);
}

inline bool operator<(const ContinuousAggregate& a, const ContinuousAggregate& b) { return a.name < b.name; }

inline const ObjectName* table_of(const ContinuousAggregate& aggregate) { return &aggregate.name; }

/// What somebody would write of it: without the schedules that are the same in every version.
std::optional<ContinuousAggregate> as_written(const ContinuousAggregate& aggregate,
                                              const ContinuousAggregateFacts& facts,
                                              std::string_view default_schema);

std::vector<std::string> remarks(const ContinuousAggregate& aggregate, const ContinuousAggregateFacts& facts);
FieldProblems check(const ContinuousAggregate& aggregate);
/// What a server takes and is hardly meant: rows that are dropped and refreshed again and again.
FieldProblems doubts(const ContinuousAggregate& aggregate);

/// Whether its query speaks of something called like `other`: an aggregate may stand on another one.
bool reads(const ContinuousAggregate& aggregate, const ObjectName& other);
/// The places of all in the order of their names, but of those that others read before these.
std::vector<size_t> sources_first(const std::vector<Declared<ContinuousAggregate>>& declared);

/// The live ones that read the live one of that name directly: while they are there, it cannot be dropped.
std::vector<ObjectName> readers_of(const ObjectName& name,
                                   const std::vector<Live<ContinuousAggregate>>& live);
/// The places of all in the order in which they are changed: sources first, but what is declared absent after
/// those that read it. What a kept one still reads comes last: it may read something else by then.
std::vector<size_t> order_of_changes(const std::vector<Declared<ContinuousAggregate>>& declared,
                                     const std::vector<Live<ContinuousAggregate>>& live);

/// A query as a profile has it: without the semicolon that pg_get_viewdef() ends it with.
std::string_view bare_query(std::string_view printed);

/// As for a hypertable. The query has to be in the server's form already.
std::vector<FieldChange> differing(const Declared<ContinuousAggregate>& declared,
                                   const Live<ContinuousAggregate>& live);

/// Another query needs another aggregate: it is dropped and made again.
Action action_of(const ContinuousAggregate& desired, const std::vector<FieldChange>& fields);

/// One problem where this server cannot have it.
std::vector<Problem> unavailable(const Declared<ContinuousAggregate>& declared, const ServerFacts& facts);

/// The statements of a change, in their order. A new one is empty until its policy refreshes it.
std::vector<ChangeStep> steps(const Difference<ContinuousAggregate>& difference, const ServerFacts& facts);

}  // namespace kdb
