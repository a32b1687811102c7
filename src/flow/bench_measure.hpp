#pragma once

#include <chrono>
#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "core/reference_data.hpp"
#include "flow/sandbox_database.hpp"
#include "flow/session.hpp"
#include "model/comparison.hpp"
#include "model/facts.hpp"
#include "model/query.hpp"

namespace kdb::flow {

/// A session as the application's: names without a schema are those of `schema`, and no statement takes
/// longer than `timeout`.
void begin_measuring(pg::Connection& connection, const std::string& schema,
                     std::chrono::milliseconds timeout);

/// Before rows are written: what may take so long is a query, and no COPY of many rows.
void begin_writing(pg::Connection& connection);

/// What is counted of a query, of its second run: the first one has warmed the caches. What the server
/// refuses, or does not end in time, is QueryMeasures::error.
QueryMeasures count_query(pg::Connection& connection, const ServerFacts& facts, const DeclaredQuery& query,
                          std::chrono::milliseconds timeout);

/// The median time of some runs, in milliseconds: planned and run each time, its rows fetched. Fast ones run
/// oftener. Nothing where it fails, now or before: what the server said is then all that `measures` have.
std::optional<double> time_query(pg::Connection& connection, const DeclaredQuery& query,
                                 QueryMeasures& measures);

/// Sizes of all that the database holds beside its catalogs: chunks are tables of other schemas.
void measure_sizes(pg::Connection& connection, SizeMeasures& sizes);

/// Rows that come after the reference data, `batch` of them each time.
class WriteLoad {
 public:
  WriteLoad(const ReferenceData& data, std::string schema, std::int64_t batch);

  /// Writes the `block`th rows, which are of the `day`th day: some by COPY, as many again by INSERT, each
  /// with what GIN indexes put off until later: else that falls on one of many. Adds what it cost, and
  /// returns what it wrote to the WAL. Where the server refuses it, now or before, nothing, and what the
  /// server said is all that `measures` have.
  std::optional<WalRange> write(pg::Connection& connection, int block, int day,
                                WriteMeasures& measures) const;

 private:
  ReferenceRows rows_of(int block, int day) const;
  std::string copied(ReferenceRows& rows) const;
  std::vector<std::string> inserts(ReferenceRows& rows) const;
  std::string target() const;

  ReferenceData data_;
  std::string schema_;
  std::int64_t batch_;
};

}  // namespace kdb::flow
