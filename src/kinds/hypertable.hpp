#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "kinds/columnstore.hpp"
#include "kinds/policy.hpp"
#include "kinds/row.hpp"
#include "kinds/span.hpp"
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

/// A dimension beside the first one: of a number of partitions by hash, or of intervals.
struct Dimension {
  std::string column;
  std::optional<int> partitions;
  Span interval;
  ObjectName function;  // that gives the value to partition by; empty: the server's own

  bool operator==(const Dimension&) const = default;
};

template <class Visitor, class... D>
requires all_are<Dimension, D...>
void fields(Visitor&& visit, D&... dimension) {
  visit("column", dimension.column...);
  visit("partitions", dimension.partitions...);
  visit("interval", dimension.interval...);
  visit("function", dimension.function...);
}

/// The version of TimescaleDB that brought enable_chunk_skipping.
inline constexpr int has_chunk_skipping = 21600;

/// What is true of a live hypertable beside what a profile says of it.
struct HypertableFacts {
  std::string oid;
  std::string time_type;  // of the time column: `timestamp with time zone`
  Estimate estimate;      // of all chunks
  std::int64_t chunks = 0;
  std::int64_t compressed = 0;     // of the chunks
  std::vector<std::int64_t> ages;  // microseconds since the end of each chunk; none for integer time
  std::optional<JobFacts> compression;
  std::optional<JobFacts> retention;
  std::optional<JobFacts> reorder;
  std::vector<std::string> unmanaged;  // what somebody has set that no profile can say
};

/// A table that TimescaleDB keeps in chunks by time, with its policies. What a profile does not say of one is
/// left as it is; a part that it declares as `false` must not be there.
struct Hypertable {
  static constexpr std::string_view section = "hypertables";
  static constexpr std::string_view word = "hypertable";
  static constexpr bool is_whole = false;
  static constexpr size_t rank = 1;
  using Facts = HypertableFacts;

  ObjectName name;  // of the table
  std::string time_column;
  ObjectName time_function;  // that gives the time where the column has none
  Span chunk_interval;
  ObjectName integer_now;  // function that says the time, for integer time
  std::vector<Dimension> dimensions;
  std::optional<Columnstore> columnstore;
  std::optional<Retention> retention;
  std::optional<Reorder> reorder;
  std::vector<std::string> chunk_skipping;
  std::vector<std::string> tablespaces;
  bool migrate_data = false;               // of profiles only: rows that are there may be moved into chunks
  std::string when_unavailable = "error";  // of profiles only: "skip" where the server cannot have it

  ObjectName name_of(std::string_view key, std::string_view default_schema) const {
    return parse_name(key, default_schema);
  }

  /// One row for every hypertable of one's own: no continuous aggregates, nothing that TimescaleDB keeps for
  /// itself. Empty where the database has no TimescaleDB: there are none.
  static std::string catalog_query(const ServerFacts& facts);
  static bool vanished(const Row& row) { return !row.value("oid"); }
  static Hypertable read(const Row& row);
  static HypertableFacts read_facts(const Row& row);

  bool operator==(const Hypertable&) const = default;
};

/// As for an index: each field once.
template <class Visitor, class... H>
requires all_are<Hypertable, H...>
void fields(Visitor&& visit, H&... hypertable) {
  visit("time_column", hypertable.time_column...);
  visit("time_function", hypertable.time_function...);
  visit("chunk_interval", hypertable.chunk_interval...);
  visit("integer_now", hypertable.integer_now...);
  visit("dimensions", hypertable.dimensions...);
  visit("columnstore", hypertable.columnstore...);
  visit("retention", hypertable.retention...);
  visit("reorder", hypertable.reorder...);
  visit("chunk_skipping", hypertable.chunk_skipping...);
  visit("tablespaces", hypertable.tablespaces...);
  visit("migrate_data", hypertable.migrate_data...);
  visit("when_unavailable", hypertable.when_unavailable...);
}

inline bool operator<(const Hypertable& a, const Hypertable& b) { return a.name < b.name; }

inline const ObjectName* table_of(const Hypertable& hypertable) { return &hypertable.name; }
/// What is wrong with one that is to go.
inline Problem problem_if_absent(const Hypertable&) {
  return {.message = "a profile drops no tables", .hint = "write a migration that does"};
}

/// What somebody would write of it: without the schedules that are the same in every version.
std::optional<Hypertable> as_written(const Hypertable& hypertable, const HypertableFacts& facts,
                                     std::string_view default_schema);

std::vector<std::string> remarks(const Hypertable& hypertable, const HypertableFacts& facts);
FieldProblems check(const Hypertable& hypertable);
/// What a server takes and is hardly meant: rows that are dropped before they are compressed.
FieldProblems doubts(const Hypertable& hypertable);

/// The fields that the profile sets and that are otherwise: `columnstore.compress_after`, or `retention`
/// where it is to come or go as a whole. Lengths of time are compared as PostgreSQL does.
std::vector<FieldChange> differing(const Declared<Hypertable>& declared, const Live<Hypertable>& live);

/// What this server cannot have, one problem for each part, at its place in the profile. Whether that is an
/// error is for when_unavailable to say. Plan available_part() of the declaration.
std::vector<Problem> unavailable(const Declared<Hypertable>& declared, const ServerFacts& facts);

/// Without these parts, so that they do not count as different for ever.
Declared<Hypertable> available_part(Declared<Hypertable> declared, const ServerFacts& facts);

/// What differs and no statement can change: another time column, a dimension too many. Each with what to do
/// instead. `live` null: the table is to become a hypertable; `table` says how much is in it now.
std::vector<Problem> impossible(const Declared<Hypertable>& declared, const Live<Hypertable>* live,
                                const Estimate& table);

/// The statements of a change, in their order; the reorder policy excepted, whose index may have to be built
/// first.
std::vector<ChangeStep> steps(const Difference<Hypertable>& difference, const ServerFacts& facts);
/// The statements that come after those of indexes.
std::vector<ChangeStep> steps_after_indexes(const Difference<Hypertable>& difference,
                                            const ServerFacts& facts);

}  // namespace kdb
