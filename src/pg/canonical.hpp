#pragma once

#include <chrono>
#include <optional>
#include <string>

#include "base/error.hpp"
#include "kinds/declared.hpp"
#include "model/facts.hpp"
#include "pg/connection.hpp"

namespace kdb::pg {

/// A declared object in the server's form, or why there is none: exactly one of the three is there.
template <class T>
struct Canonical {
  using Kind = T;

  std::optional<T> value;          // to be compared with the live object, field by field
  std::optional<Problem> refused;  // the server takes no such object
  std::string undecided;           // why it could not be asked
  bool table_missing = false;      // with `undecided`: a pending migration may make the table
  bool names_unknown = false;      // with `refused`: a function, type or operator class is not there

  bool operator==(const Canonical&) const = default;
};

/// The kinds with pieces of SQL in them. Each list is parallel to that of the desired schema.
using CanonicalSchema = ObjectLists<Canonical, KindList<Index, Statistics, ContinuousAggregate>>;

/// Asks the server for its form of every declared index, statistics object and continuous aggregate. One
/// whose SQL is byte for byte that of the live object is not asked for, and one that is to be absent neither.
///
/// Changes nothing: the objects are made on empty temporary copies of their tables, in transactions that are
/// rolled back. Of the tables themselves that takes ACCESS SHARE locks only; Error(lock) where one is not had
/// within `lock_timeout`. What depends on the table as a whole stays undecided: an expression over its rows,
/// or its name with the schema in front. That a unique index of a partitioned table lacks its key is not
/// seen. No transaction may be open; throws ServerError.
CanonicalSchema canonicalise(Connection& connection, const ServerFacts& facts, const DesiredSchema& desired,
                             const LiveSchema& live, std::chrono::milliseconds lock_timeout);

}  // namespace kdb::pg
