#pragma once

#include <cstddef>
#include <optional>
#include <vector>

#include "core/time_verdict.hpp"
#include "model/comparison.hpp"

namespace kdb {

/// What one part of a design is worth: what becomes of the queries without it.
struct JudgedPart {
  struct Moved {
    size_t query = 0;
    std::optional<double> buffers;  // without it, as a part of those with it
    bool fails = false;             // without it: all else is empty then
    QueryVerdict time;              // without it, held against with it: worse is what it is worth
  };
  std::vector<Moved> moved;    // by query
  std::optional<size_t> most;  // the one of these that changes most
  size_t failing = 0;          // of these
  double buffers = 1;         // geometric mean over all queries, those counting as 1 that do not move or fail
  double time = 1;            // the same, those counting as 1 too whose time is the same or undecided
  PairedRatio copy;           // of the time for a row of a COPY without it
  std::optional<double> wal;  // the part of the WAL of writing that it makes
};

/// Whether leaving something out changed anything that is counted: the plan's shape, its workers, whether it
/// is compiled; buffers or temporary blocks by more than one in a hundred beyond what two counts of the same
/// design, `first` and `again`, differ by; or whether it runs at all. A query that fails with everything
/// there does not move.
bool moves(const QueryMeasures& first, const QueryMeasures& again, const QueryMeasures& without);

/// Of each part, in their order; times are judged together, of all parts. None of a design of which nothing
/// is left out. On an unfit machine all times are undecided.
std::vector<JudgedPart> judge_parts(const DesignMeasures& design, const MachineFitness& fitness,
                                    const VerdictRules& rules);

/// Those that move any query, the one that is worth most first: without which most queries fail, then by
/// time, by buffers, and as they were given.
std::vector<size_t> by_worth(const std::vector<JudgedPart>& parts);

}  // namespace kdb
