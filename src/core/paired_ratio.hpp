#pragma once

#include <limits>
#include <span>
#include <vector>

namespace kdb {

/// What one block measured of one query: the median of its executions with A and with B. Executions within a
/// block are correlated, so the block is what is counted, never the execution (Kalibera and Jones, Rigorous
/// benchmarking in reasonable time, ISMM 2013). Infinity and NaN are no measurements: such a
/// block is left out of what needs it. Less than `shortest_ms` counts as that.
struct BlockTimes {
  double a_ms = 0;
  double b_ms = 0;

  bool operator==(const BlockTimes&) const = default;
};

/// Block by block, as far as both were measured.
std::vector<BlockTimes> paired_blocks(const std::vector<double>& a_ms, const std::vector<double>& b_ms);

/// What a clock in microseconds can tell from nothing.
inline constexpr double shortest_ms = 0.001;

/// The middle one, or the mean of the two in the middle, NaN among them left out; NaN of none.
double median_of(std::vector<double> values);

/// How B's times relate to A's: under 1 is faster.
struct PairedRatio {
  int blocks = 0;  // that were used
  double ratio = 1;
  double low = 0;  // the 95 % interval; of less than two blocks it knows nothing: 0 to infinity
  double high = std::numeric_limits<double>::infinity();
  double p_value = 1;  // two-sided, that there is no difference
  double spread = 0;   // standard deviation of the blocks' log ratios (0.05: about 5 %); 0 of one block
  double a_ms = 0;     // the geometric mean of A's medians; 0 without blocks

  bool operator==(const PairedRatio&) const = default;
};

inline constexpr double interval_level = 0.05;  // the intervals hold in 95 %

/// The mean of the blocks' log(B/A) with Student's t interval and test. Chosen by simulation, see
/// tests/unit/paired_ratio_test.cpp: of 5 blocks the bootstrap's percentile interval holds in 84 % of
/// the cases; that of the signed-rank test (with the Hodges-Lehmann estimate) cannot have 95 % at all and
/// its p is never below 2 / 2^blocks, too much for Holm's correction of 16 queries below 10 blocks. The t
/// interval is exact for normal log ratios and errs to the wide side for heavy tails (Benjamini, Is the t
/// test really conservative when the parent distribution is long-tailed?, Technometrics 1983). That the
/// estimate is not robust costs little, because each block's median already is.
/// Without spread the interval is a point, and p 1 where that is exactly 1, else 0.
PairedRatio paired_ratio(std::span<const BlockTimes> blocks);

/// The smallest slowdown, as a ratio over 1, that so many blocks with such a spread find in four of five
/// cases, tested for at `level`: exp((t(level) + t(0.4)) spread / sqrt(blocks)), t two-sided critical values
/// (Bloom, Minimum detectable effects, Evaluation Review 1995). For speed-ups it is one over that. Infinity
/// below two blocks. Under Holm's correction of m queries the level is alpha / m at worst.
double smallest_detectable_ratio(double spread, int blocks, double level);

/// How many blocks it takes until two runs of equal speed are called "no difference above `delta`" in at
/// least 95 % of the cases, one query each: the smallest n with
/// 2 t(0.05, n-1) spread / sqrt(n) <= log(1 + delta) (both ends of the interval have to lie in the zone with
/// 97.5 % each), at least `least_blocks`; held to 1000. That is for normal log ratios. Where blocks are
/// disturbed as a whole it is up to twice as many: tests/unit/time_verdict_test.cpp has, for 5 %, 10 blocks
/// of spread 0.025, 28 of 0.044, 64 of 0.074.
int blocks_to_show_equality(double spread, double delta);

/// The fewest blocks from which anything is concluded: one of four or less being disturbed is too likely.
inline constexpr int least_blocks = 5;

/// The blocks of one query, and what it counts for.
struct QueryBlocks {
  std::vector<BlockTimes> blocks = {};
  double weight = 1;
};

/// The weighted geometric mean over queries of B/A: that of each block, then as above. Queries of no positive
/// weight or without a single measured block are left out, and blocks that lack one of the remaining queries.
/// Its `a_ms` is the weighted geometric mean too.
PairedRatio overall_ratio(std::span<const QueryBlocks> queries);

}  // namespace kdb
