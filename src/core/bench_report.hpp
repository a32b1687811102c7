#pragma once

#include <cstddef>
#include <limits>
#include <string>
#include <vector>

#include "core/time_verdict.hpp"
#include "model/comparison.hpp"
#include "model/report.hpp"

namespace kdb {

/// What designs are judged by: 1.1 times the time, and 0.2 ms, are what nobody would notice, and a query
/// below 2 ms may take 1 ms longer.
inline constexpr VerdictRules comparison_rules{.delta = 0.1, .floor_ms = 0.2, .short_ms = 2, .slack_ms = 1};

/// How one design's queries compare with those of the first one.
struct JudgedDesign {
  std::vector<QueryVerdict> verdicts;  // of each query; one that fails on either design has no block
  size_t timed = 0;                    // queries that have
  PairedRatio time;                    // the geometric mean over these, each counting once
  PairedRatio weighted;                // each counting as often as it runs
  size_t counted = 0;                  // queries of which both designs' buffers are known
  double buffers = std::numeric_limits<double>::quiet_NaN();  // the geometric mean of these ratios
  PairedRatio copy;                                           // of the time for a row
  PairedRatio insert;
};

struct JudgedComparison {
  MachineFitness fitness;             // by the first design against itself
  std::vector<JudgedDesign> designs;  // the first one against itself, too
};

JudgedComparison judge(const ComparisonMeasures& measures, const VerdictRules& rules);

/// For people and programs. Its problems: queries that fail, that a design makes worse, or does not answer as
/// the first one does, or slower than the profile allows; rows that cannot be written; and that no time could
/// be judged, which is a warning where less than `least_blocks` were measured.
Report report_comparison(const ComparisonMeasures& measures, const VerdictRules& rules);

}  // namespace kdb
