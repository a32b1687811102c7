#include "core/paired_ratio.hpp"

#include <algorithm>
#include <cmath>

#include "core/student_t.hpp"

namespace kdb {

namespace {

bool is_measured(const BlockTimes& block) { return std::isfinite(block.a_ms) && std::isfinite(block.b_ms); }

double log_of_time(double ms) { return std::log(std::max(ms, shortest_ms)); }

double mean_of_logs(const std::vector<double>& values) {
  double sum = 0;
  for (const double value : values) sum += value;
  return sum / static_cast<double>(values.size());
}

/// Differences that are rounding's alone count as none.
double deviation_of_logs(const std::vector<double>& values, double mean) {
  double squares = 0;
  for (const double value : values) squares += (value - mean) * (value - mean);
  const double deviation = std::sqrt(squares / static_cast<double>(values.size() - 1));
  return deviation < 1e-12 ? 0 : deviation;
}

PairedRatio ratio_of_logs(const std::vector<double>& a_logs, const std::vector<double>& differences) {
  PairedRatio found{.blocks = static_cast<int>(differences.size())};
  if (differences.empty()) return found;
  const double mean = mean_of_logs(differences);
  found.ratio = std::exp(mean);
  found.a_ms = std::exp(mean_of_logs(a_logs));
  if (found.blocks < 2) return found;
  found.spread = deviation_of_logs(differences, mean);
  const double error = found.spread / std::sqrt(static_cast<double>(found.blocks));
  const double reach = student_t_critical(interval_level, found.blocks - 1) * error;
  found.low = std::exp(mean - reach);
  found.high = std::exp(mean + reach);
  if (error > 0)
    found.p_value = student_t_two_sided(mean / error, found.blocks - 1);
  else
    found.p_value = std::abs(mean) < 1e-12 ? 1 : 0;
  return found;
}

bool counts(const QueryBlocks& query) {
  return query.weight > 0 && std::isfinite(query.weight) &&
         std::any_of(query.blocks.begin(), query.blocks.end(), is_measured);
}

}  // namespace

double median_of(std::vector<double> values) {
  std::erase_if(values, [](double value) { return std::isnan(value); });
  if (values.empty()) return std::numeric_limits<double>::quiet_NaN();
  std::sort(values.begin(), values.end());
  const size_t middle = values.size() / 2;
  return values.size() % 2 == 1 ? values[middle] : (values[middle - 1] + values[middle]) / 2;
}

std::vector<BlockTimes> paired_blocks(const std::vector<double>& a_ms, const std::vector<double>& b_ms) {
  std::vector<BlockTimes> blocks;
  for (size_t at = 0; at < std::min(a_ms.size(), b_ms.size()); ++at)
    blocks.push_back({.a_ms = a_ms[at], .b_ms = b_ms[at]});
  return blocks;
}

PairedRatio paired_ratio(std::span<const BlockTimes> blocks) {
  std::vector<double> a_logs;
  std::vector<double> differences;
  for (const BlockTimes& block : blocks) {
    if (!is_measured(block)) continue;
    a_logs.push_back(log_of_time(block.a_ms));
    differences.push_back(log_of_time(block.b_ms) - a_logs.back());
  }
  return ratio_of_logs(a_logs, differences);
}

PairedRatio overall_ratio(std::span<const QueryBlocks> queries) {
  size_t blocks = std::numeric_limits<size_t>::max();
  double weights = 0;
  for (const QueryBlocks& query : queries) {
    if (!counts(query)) continue;
    blocks = std::min(blocks, query.blocks.size());
    weights += query.weight;
  }
  if (weights == 0) return {};
  std::vector<double> a_logs;
  std::vector<double> differences;
  for (size_t at = 0; at < blocks; ++at) {
    double a_log = 0;
    double difference = 0;
    bool complete = true;
    for (const QueryBlocks& query : queries) {
      if (!counts(query)) continue;
      const BlockTimes& block = query.blocks[at];
      complete = complete && is_measured(block);
      const double part = query.weight / weights;
      a_log += part * log_of_time(block.a_ms);
      difference += part * (log_of_time(block.b_ms) - log_of_time(block.a_ms));
    }
    if (!complete) continue;
    a_logs.push_back(a_log);
    differences.push_back(difference);
  }
  return ratio_of_logs(a_logs, differences);
}

double smallest_detectable_ratio(double spread, int blocks, double level) {
  if (blocks < 2) return std::numeric_limits<double>::infinity();
  const double reach = student_t_critical(level, blocks - 1) + student_t_critical(0.4, blocks - 1);
  return std::exp(reach * spread / std::sqrt(static_cast<double>(blocks)));
}

int blocks_to_show_equality(double spread, double delta) {
  const double room = std::log1p(std::max(delta, 0.0));
  int blocks = least_blocks;
  for (; blocks < 1000; ++blocks) {
    const double reach = student_t_critical(interval_level, blocks - 1) * 2;
    if (reach * spread <= room * std::sqrt(static_cast<double>(blocks))) break;
  }
  return blocks;
}

}  // namespace kdb
