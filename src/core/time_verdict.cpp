#include "core/time_verdict.hpp"

#include <algorithm>
#include <cmath>
#include <numeric>

#include <fmt/format.h>

namespace kdb {

namespace {

/// The ratios that do not matter.
struct Zone {
  double low = 1;
  double high = 1;

  bool holds(double ratio) const { return low <= ratio && ratio <= high; }
};

Zone zone_of(const PairedRatio& ratio, const VerdictRules& rules) {
  if (!(ratio.a_ms > 0)) return {.low = 1 / (1 + rules.delta), .high = 1 + rules.delta};
  const double floor = rules.floor_ms / ratio.a_ms;
  const double slack = ratio.a_ms < rules.short_ms ? rules.slack_ms / ratio.a_ms : 0;
  return {.low = std::min(1 / (1 + rules.delta), 1 - floor),
          .high = 1 + std::max({rules.delta, floor, slack})};
}

std::string blocks_words(int blocks) { return blocks == 1 ? "1 block" : fmt::format("{} blocks", blocks); }

std::string why_inconclusive(const QueryVerdict& found, const VerdictRules& rules) {
  if (found.ratio.blocks < least_blocks)
    return fmt::format("{}, at least {} are needed", blocks_words(found.ratio.blocks), least_blocks);
  if (found.p_value < rules.alpha)
    return fmt::format("a difference, but maybe one below {:.3g} %", rules.delta * 100);
  const int wanted = blocks_to_show_equality(found.ratio.spread, rules.delta);
  if (wanted > found.ratio.blocks)
    return fmt::format("the blocks differ too much among themselves; {} or more would tell", wanted);
  return "near the bound of what matters; more blocks would tell";
}

void decide(QueryVerdict& found, const VerdictRules& rules) {
  const PairedRatio& ratio = found.ratio;
  const Zone zone = zone_of(ratio, rules);
  if (ratio.blocks >= least_blocks && zone.holds(ratio.low) && zone.holds(ratio.high)) {
    found.verdict = TimeVerdict::no_difference;
    const bool by_floor = zone.high > 1 + rules.delta;
    found.reason = by_floor ? fmt::format("any difference is below {:.3g} ms", (zone.high - 1) * ratio.a_ms)
                            : fmt::format("any difference is below {:.3g} %", rules.delta * 100);
  } else if (ratio.blocks >= least_blocks && found.p_value < rules.alpha && !zone.holds(ratio.ratio)) {
    found.verdict = ratio.ratio < 1 ? TimeVerdict::better : TimeVerdict::worse;
    found.reason = fmt::format("p = {:.2g} of all queries together", found.p_value);
  } else {
    found.reason = why_inconclusive(found, rules);
  }
}

}  // namespace

std::vector<double> holm(std::span<const double> p_values) {
  std::vector<size_t> order(p_values.size());
  std::iota(order.begin(), order.end(), size_t{0});
  const auto valid = [&](size_t at) { return p_values[at] >= 0 && p_values[at] <= 1 ? p_values[at] : 1.0; };
  std::stable_sort(order.begin(), order.end(), [&](size_t a, size_t b) { return valid(a) < valid(b); });
  std::vector<double> corrected(p_values.size());
  double least = 0;
  for (size_t rank = 0; rank < order.size(); ++rank) {
    least = std::max(least, valid(order[rank]) * static_cast<double>(order.size() - rank));
    corrected[order[rank]] = std::min(least, 1.0);
  }
  return corrected;
}

std::string_view name_of(TimeVerdict verdict) {
  switch (verdict) {
    case TimeVerdict::better:
      return "better";
    case TimeVerdict::worse:
      return "worse";
    case TimeVerdict::no_difference:
      return "no difference above δ";
    case TimeVerdict::inconclusive:
      return "inconclusive";
  }
  return "";
}

std::vector<QueryVerdict> judge_times(std::span<const QueryBlocks> queries, const VerdictRules& rules) {
  std::vector<QueryVerdict> verdicts(queries.size());
  std::vector<size_t> tested;
  std::vector<double> p_values;
  for (size_t at = 0; at < queries.size(); ++at) {
    verdicts[at].ratio = paired_ratio(queries[at].blocks);
    if (verdicts[at].ratio.blocks == 0) continue;
    tested.push_back(at);
    p_values.push_back(verdicts[at].ratio.p_value);
  }
  const std::vector<double> corrected = holm(p_values);
  for (size_t test = 0; test < tested.size(); ++test) verdicts[tested[test]].p_value = corrected[test];
  const double level = rules.alpha / static_cast<double>(std::max<size_t>(tested.size(), 1));
  for (QueryVerdict& found : verdicts) {
    found.smallest_detectable = smallest_detectable_ratio(found.ratio.spread, found.ratio.blocks, level);
    decide(found, rules);
  }
  return verdicts;
}

std::optional<size_t> worst_of(std::span<const QueryVerdict> verdicts) {
  std::optional<size_t> worst;
  for (size_t at = 0; at < verdicts.size(); ++at) {
    if (verdicts[at].ratio.blocks == 0) continue;
    if (!worst || verdicts[at].ratio.ratio > verdicts[*worst].ratio.ratio) worst = at;
  }
  return worst;
}

MachineFitness machine_fitness(std::span<const QueryVerdict> same_against_same, const VerdictRules& rules) {
  MachineFitness found;
  double coarsest = 1;
  int measured = 0;
  for (size_t at = 0; at < same_against_same.size(); ++at) {
    const QueryVerdict& query = same_against_same[at];
    if (query.ratio.blocks == 0) continue;
    ++measured;
    if (query.ratio.blocks < least_blocks) {
      found.reason = fmt::format("a query has {}, at least {} are needed", blocks_words(query.ratio.blocks),
                                 least_blocks);
      return found;
    }
    coarsest = std::max(coarsest, query.smallest_detectable);
    if (query.p_value < rules.alpha && query.verdict != TimeVerdict::no_difference)
      found.different.push_back(at);
  }
  if (measured == 0) {
    found.reason = "no query was measured against itself";
  } else if (!found.different.empty()) {
    found.reason =
        fmt::format("{} of {} queries differ from themselves: something else decides the times here",
                    found.different.size(), measured);
  } else {
    found.fit = true;
    found.reason = coarsest < 2
                       ? fmt::format("no query differs from itself; a slowdown by {:.2g} % is found in each",
                                     (coarsest - 1) * 100)
                       : fmt::format(
                             "no query differs from itself; more blocks are needed to find a slowdown "
                             "to less than {:.2g} times in each",
                             coarsest);
  }
  return found;
}

}  // namespace kdb
