#pragma once

#include <chrono>
#include <cstdint>
#include <string>
#include <utility>
#include <vector>

#include "flow/bench_measure.hpp"
#include "flow/bench_parts.hpp"
#include "flow/session.hpp"

namespace kdb::flow {

struct AttributionOptions {
  int blocks = 8;
  std::uint64_t seed = 1;
  std::chrono::milliseconds timeout{60'000};  // of each run of a query
};

/// What each part of a design is worth, measured on the design's own server by leaving it out alone, in a
/// transaction that is rolled back.
class Attribution {
 public:
  /// `queries` are in the design's own words, in the order of the cluster's measures.
  Attribution(const Context& outside, const Design& design, BenchCluster& cluster,
              std::vector<DeclaredQuery> queries, const AttributionOptions& options);

  /// Counts all queries without each part; then times those that move, with it and without, in turn.
  void measure_queries();
  /// Times and counts writing without each index, in turn, after begin_writing(). After everything else, for
  /// what is rolled back leaves its pages behind.
  void measure_writes(const WriteLoad& load);
  /// What was measured.
  AttributionMeasures take();

 private:
  /// The design without one of its parts, or as it is.
  struct Variant {
    std::string leave_out;
    QueryMeasures* query = nullptr;
  };

  void progress(std::string message) const;
  void try_out(DesignPart& part);
  std::vector<QueryMeasures> count(const std::string& leave_out);
  std::vector<Variant> variants_of(size_t query);
  /// The same rows in each call of a block, of a day that is there: no chunk has to be made for them.
  void write(const std::string& leave_out, const WriteLoad& load, int block, WriteMeasures& measures);

  const Context& outside_;
  const Design& design_;
  BenchCluster& cluster_;
  pg::Connection& connection_;
  const std::vector<DeclaredQuery> queries_;
  const AttributionOptions options_;
  const ServerFacts facts_;
  std::vector<DesignPart> parts_;
  std::vector<QueryMeasures> whole_;
  WriteMeasures writes_;
};

}  // namespace kdb::flow
