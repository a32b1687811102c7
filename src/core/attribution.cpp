#include "core/attribution.hpp"

#include <algorithm>
#include <cmath>
#include <tuple>

namespace kdb {

namespace {

/// Parallel workers share pages as it happens.
constexpr double counted_tolerance = 0.01;

using Count = std::optional<std::int64_t>;

bool is_beyond(const Count& first, const Count& again, const Count& without) {
  if (!first || !again || !without) return false;
  const auto [least, most] = std::minmax(*first, *again);
  return static_cast<double>(*without) > static_cast<double>(most) * (1 + counted_tolerance) ||
         static_cast<double>(*without) < static_cast<double>(least) * (1 - counted_tolerance);
}

/// Pages are never fewer than one, so that a query that reads none has a logarithm.
std::optional<double> ratio_of(const Count& before, const Count& after) {
  if (!before || !after) return std::nullopt;
  return static_cast<double>(std::max<std::int64_t>(*after, 1)) /
         static_cast<double>(std::max<std::int64_t>(*before, 1));
}

bool is_decided(const QueryVerdict& time) {
  return time.verdict == TimeVerdict::better || time.verdict == TimeVerdict::worse;
}

/// By which factor it changes, up or down: in time where that is decided, else in buffers.
double change_of(const JudgedPart::Moved& moved) {
  if (moved.fails) return std::numeric_limits<double>::infinity();
  if (is_decided(moved.time)) return std::abs(std::log(moved.time.ratio.ratio));
  if (moved.time.verdict == TimeVerdict::no_difference) return 0;
  return std::abs(std::log(moved.buffers.value_or(1)));
}

double bytes_of_row(const WriteMeasures& writes) {
  return writes.wal_rows > 0 ? static_cast<double>(writes.wal_bytes) / static_cast<double>(writes.wal_rows)
                             : 0;
}

JudgedPart counted_part(const DesignMeasures& design, const PartMeasures& part) {
  const AttributionMeasures& all = *design.attribution;
  JudgedPart judged;
  for (size_t query = 0; query < std::min(part.queries.size(), all.whole.size()); ++query) {
    if (!moves(design.queries[query], all.whole[query], part.queries[query])) continue;
    JudgedPart::Moved& moved = judged.moved.emplace_back();
    moved.query = query;
    moved.fails = !part.queries[query].error.empty();
    if (moved.fails)
      ++judged.failing;
    else
      moved.buffers = ratio_of(all.whole[query].buffers, part.queries[query].buffers);
  }
  judged.copy = paired_ratio(paired_blocks(all.writes.copy_us, part.writes.copy_us));
  const double whole = bytes_of_row(all.writes);
  if (whole > 0 && part.writes.wal_rows > 0) judged.wal = 1 - bytes_of_row(part.writes) / whole;
  return judged;
}

void judge_moved(const DesignMeasures& design, const MachineFitness& fitness, const VerdictRules& rules,
                 std::vector<JudgedPart>& parts) {
  const AttributionMeasures& all = *design.attribution;
  std::vector<JudgedPart::Moved*> pairs;
  std::vector<QueryBlocks> blocks;
  for (size_t part = 0; part < parts.size(); ++part)
    for (JudgedPart::Moved& moved : parts[part].moved) {
      if (moved.fails) continue;
      pairs.push_back(&moved);
      blocks.push_back({.blocks = paired_blocks(all.whole[moved.query].block_ms,
                                                all.parts[part].queries[moved.query].block_ms)});
    }
  const std::vector<QueryVerdict> verdicts = judge_times(blocks, rules);
  for (size_t pair = 0; pair < pairs.size(); ++pair) {
    pairs[pair]->time = verdicts[pair];
    if (!fitness.fit) pairs[pair]->time.verdict = TimeVerdict::inconclusive;
  }
}

void sum_up(JudgedPart& part, size_t queries) {
  double buffers = 0;
  double time = 0;
  for (size_t at = 0; at < part.moved.size(); ++at) {
    const JudgedPart::Moved& moved = part.moved[at];
    if (!part.most || change_of(moved) > change_of(part.moved[*part.most])) part.most = at;
    buffers += std::log(moved.buffers.value_or(1));
    if (is_decided(moved.time)) time += std::log(moved.time.ratio.ratio);
  }
  if (queries == 0) return;
  part.buffers = std::exp(buffers / static_cast<double>(queries));
  part.time = std::exp(time / static_cast<double>(queries));
}

}  // namespace

bool moves(const QueryMeasures& first, const QueryMeasures& again, const QueryMeasures& without) {
  if (!first.error.empty() || !again.error.empty()) return false;
  if (!without.error.empty()) return true;
  const auto is_new = [&](const auto& what) {
    return what(without) != what(first) && what(without) != what(again);
  };
  return is_new([](const QueryMeasures& one) { return one.shape; }) ||
         is_new([](const QueryMeasures& one) { return one.workers; }) ||
         is_new([](const QueryMeasures& one) { return one.jit; }) ||
         is_beyond(first.buffers, again.buffers, without.buffers) ||
         is_beyond(first.temp_blocks, again.temp_blocks, without.temp_blocks);
}

std::vector<JudgedPart> judge_parts(const DesignMeasures& design, const MachineFitness& fitness,
                                    const VerdictRules& rules) {
  std::vector<JudgedPart> judged;
  if (!design.attribution) return judged;
  for (const PartMeasures& part : design.attribution->parts) judged.push_back(counted_part(design, part));
  judge_moved(design, fitness, rules, judged);
  for (JudgedPart& part : judged) sum_up(part, design.queries.size());
  return judged;
}

std::vector<size_t> by_worth(const std::vector<JudgedPart>& parts) {
  std::vector<size_t> order;
  for (size_t at = 0; at < parts.size(); ++at)
    if (!parts[at].moved.empty()) order.push_back(at);
  const auto worth = [&](size_t at) {
    return std::tuple(parts[at].failing, parts[at].time, parts[at].buffers);
  };
  std::stable_sort(order.begin(), order.end(), [&](size_t a, size_t b) { return worth(a) > worth(b); });
  return order;
}

}  // namespace kdb
