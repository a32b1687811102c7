#pragma once

#include <chrono>
#include <cstdint>
#include <string>
#include <vector>

#include "core/reference_data.hpp"
#include "flow/bench_cluster.hpp"
#include "flow/session.hpp"
#include "model/report.hpp"

namespace kdb::flow {

struct BenchCompareOptions {
  std::vector<Design> designs;  // two at least; the first is what the others are held against
  ReferenceData data;
  int blocks = 8;
  std::int64_t write_rows = 10'000;           // by COPY, and as many by INSERT, in each block; 0: none
  std::chrono::milliseconds timeout{60'000};  // of each run of a query
  BenchServer server;
  bool attribute = false;  // leave out each part of the last design
};

/// Measures the declared queries, and writing, on throwaway servers that differ in nothing but their design.
/// Queries are those of the context's profile; a design whose profile declares one of that name in other
/// words is asked in these. Throws Error(usage) where none is declared, and as BenchCluster does.
Report bench_compare(const Context& context, const BenchCompareOptions& options);

}  // namespace kdb::flow
