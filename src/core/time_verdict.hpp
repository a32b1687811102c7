#pragma once

#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "core/paired_ratio.hpp"

namespace kdb {

/// P-values as they count where so many tests were made, in the order given (Holm, A simple sequentially
/// rejective multiple test procedure, 1979): the smallest times their number, the next times one less, each
/// at least the one before it and at most 1. What is not in 0 .. 1 counts as 1.
std::vector<double> holm(std::span<const double> p_values);

enum class TimeVerdict { better, worse, no_difference, inconclusive };

/// `better`, `worse`, `no difference above δ`, `inconclusive`.
std::string_view name_of(TimeVerdict verdict);

struct VerdictRules {
  double delta = 0.05;     // smaller changes, as a part of A's time, matter to nobody
  double floor_ms = 0.05;  // nor do those below this, whatever part of A's time they are
  double short_ms = 0;     // a query of A's that takes less than this
  double slack_ms = 0;     // … may take so much longer: nobody waits for it
  double alpha = 0.05;     // the probability that any query of equal speed is called better or worse
};

/// One query's judgement.
struct QueryVerdict {
  PairedRatio ratio;
  double p_value = 1;              // corrected for the number of queries
  double smallest_detectable = 0;  // the slowdown that this many blocks find in four of five cases, over 1
  TimeVerdict verdict = TimeVerdict::inconclusive;
  std::string reason;  // in a few words: which rule decided, and what would help

  bool operator==(const QueryVerdict&) const = default;
};

/// Judges all queries of a comparison together. The zone of changes that do not matter is 1/(1+δ) .. 1+δ,
/// widened to the floor's part of A's time, and of a short query upwards to the slack's.
/// A query without a block is no test, and the others' p is not corrected for it.
/// - Less than `least_blocks`: inconclusive.
/// - The whole interval within the zone: no difference (two one-sided tests: Schuirmann 1987; at 2.5 %
///   each, because the interval that is shown has to be the one that decides).
/// - Otherwise better or worse where the corrected p is below alpha *and* the estimate is outside of the
///   zone.
/// - Else inconclusive.
std::vector<QueryVerdict> judge_times(std::span<const QueryBlocks> queries, const VerdictRules& rules);

/// The query with the greatest ratio of those that have a block; nothing where none has.
std::optional<size_t> worst_of(std::span<const QueryVerdict> verdicts);

/// Whether times measured on this machine can be trusted, as A/A blocks tell: the same thing on both sides.
struct MachineFitness {
  bool fit = false;
  std::vector<size_t> different;  // the queries that came out different from themselves
  std::string reason;             // why it is unfit, or how much it can tell apart
};

/// Unfit where a query differs significantly from itself (corrected for their number) and not demonstrably
/// by less than what matters; or where nothing was measured. A query without a block, which fails, tells
/// nothing of the machine.
MachineFitness machine_fitness(std::span<const QueryVerdict> same_against_same, const VerdictRules& rules);

}  // namespace kdb
