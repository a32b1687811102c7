#include "core/paired_ratio.hpp"

#include <algorithm>
#include <cmath>
#include <limits>
#include <vector>

#include <doctest/doctest.h>

#include "core/student_t.hpp"
#include "support/cases.hpp"
#include "support/simulated_times.hpp"

namespace kdb::paired_ratio_test {

namespace {

constexpr double nan = std::numeric_limits<double>::quiet_NaN();

struct Coverage {
  double t = 0;
  double signed_rank = 0;
  double bootstrap = 0;
};

bool holds(double low, double high, double value) { return low <= value && value <= high; }

/// The interval of the signed-rank test: order statistics of the means of all pairs (Hollander and Wolfe,
/// 3.3); the widest there is where 95 % cannot be had.
bool signed_rank_holds(const std::vector<double>& logs, double truth) {
  const size_t n = logs.size();
  std::vector<double> means;
  for (size_t i = 0; i < n; ++i)
    for (size_t j = i; j < n; ++j) means.push_back((logs[i] + logs[j]) / 2);
  std::sort(means.begin(), means.end());
  std::vector<double> ways(means.size() + 1);  // in how many ways ranks add up to so much
  ways[0] = 1;
  for (size_t rank = 1; rank <= n; ++rank)
    for (size_t sum = means.size(); sum >= rank; --sum) ways[sum] += ways[sum - rank];
  const double allowed = 0.025 * std::pow(2.0, static_cast<double>(n));
  size_t rejected = 0;
  for (double below = ways[0]; below <= allowed; below += ways[rejected]) ++rejected;
  const size_t at = rejected == 0 ? 0 : rejected - 1;
  return holds(means[at], means[means.size() - 1 - at], truth);
}

bool bootstrap_holds(const std::vector<double>& logs, double truth, test::SimulatedTimes& machine) {
  std::vector<double> means;
  for (int draw = 0; draw < 200; ++draw) {
    double sum = 0;
    for (size_t i = 0; i < logs.size(); ++i)
      sum += logs[static_cast<size_t>(machine.unit() * static_cast<double>(logs.size()))];
    means.push_back(sum / static_cast<double>(logs.size()));
  }
  std::sort(means.begin(), means.end());
  return holds(means[4], means[195], truth);
}

/// In how many of so many comparisons the true ratio lies within the interval.
Coverage coverage(test::SimulatedTimes& machine, int blocks, int times, bool of_others) {
  Coverage found;
  for (int i = 0; i < times; ++i) {
    const double truth = 1.1;
    const auto measured = machine.query(10, truth, blocks);
    const PairedRatio ratio = paired_ratio(measured);
    found.t += holds(ratio.low, ratio.high, truth) ? 1.0 / times : 0;
    if (!of_others) continue;
    std::vector<double> logs;
    for (const BlockTimes& block : measured) logs.push_back(std::log(block.b_ms / block.a_ms));
    found.signed_rank += signed_rank_holds(logs, std::log(truth)) ? 1.0 / times : 0;
    found.bootstrap += bootstrap_holds(logs, std::log(truth), machine) ? 1.0 / times : 0;
  }
  return found;
}

}  // namespace

TEST_CASE("Student's t has the values of the tables") {
  struct Row {
    double level;
    int freedom;
    double t;
  };
  // Abramowitz and Stegun, table 26.10.
  const Row rows[] = {{0.05, 1, 12.706}, {0.05, 2, 4.303},  {0.05, 4, 2.776},   {0.05, 7, 2.365},
                      {0.05, 11, 2.201}, {0.01, 3, 5.841},  {0.01, 10, 3.169},  {0.002, 5, 5.893},
                      {0.2, 6, 1.440},   {0.05, 30, 2.042}, {0.05, 120, 1.980}, {0.5, 1, 1.000}};
  for (const Row& row : rows) {
    CAPTURE(row.level);
    CAPTURE(row.freedom);
    CHECK(std::abs(student_t_critical(row.level, row.freedom) - row.t) < 0.00051);
    CHECK(student_t_two_sided(-student_t_critical(row.level, row.freedom), row.freedom) ==
          doctest::Approx(row.level));
  }
  CHECK(student_t_two_sided(0, 5) == 1);
  CHECK(student_t_two_sided(std::numeric_limits<double>::infinity(), 4) == doctest::Approx(0));
}

TEST_CASE("a ratio is computed as by hand") {
  // Logs of 1.1, 1.2, 1.0, 1.15, 1.05: mean 0.092333, standard deviation 0.072202; t(0.05, 4) = 2.7764.
  const std::vector<BlockTimes> blocks{{10, 11}, {20, 24}, {5, 5}, {20, 23}, {20, 21}};
  const PairedRatio ratio = paired_ratio(blocks);
  CHECK(ratio.blocks == 5);
  CHECK(ratio.ratio == doctest::Approx(1.09774).epsilon(1e-4));
  CHECK(ratio.spread == doctest::Approx(0.07171).epsilon(1e-3));
  CHECK(ratio.low == doctest::Approx(std::exp(std::log(ratio.ratio) - 2.7764 * ratio.spread / std::sqrt(5.0)))
                         .epsilon(1e-4));
  CHECK(ratio.low * ratio.high == doctest::Approx(ratio.ratio * ratio.ratio));
  CHECK(ratio.a_ms == doctest::Approx(std::pow(10.0 * 20 * 5 * 20 * 20, 0.2)));
  CHECK(ratio.p_value == doctest::Approx(0.0449).epsilon(0.02));
}

TEST_CASE("B against A is one over A against B") {
  const unsigned seed = test::seed();
  CAPTURE(seed);
  test::SimulatedTimes machine(seed, {});
  for (int i = 0; i < test::cases(); ++i) {
    auto blocks = machine.query(7, 1.3, 2 + i % 12);
    const PairedRatio there = paired_ratio(blocks);
    for (BlockTimes& block : blocks) std::swap(block.a_ms, block.b_ms);
    const PairedRatio back = paired_ratio(blocks);
    CHECK(back.ratio == doctest::Approx(1 / there.ratio));
    CHECK(back.low == doctest::Approx(1 / there.high));
    CHECK(back.p_value == doctest::Approx(there.p_value));
  }
}

TEST_CASE("the interval holds the true ratio in 93 % of 2000 comparisons, with few blocks too") {
  const unsigned seed = test::seed();
  CAPTURE(seed);
  const test::NoisyMachine machines[] = {{},
                                         {.block_noise = 0.01, .spikes = 0.02, .bad_blocks = 0},
                                         {.spikes = 0.1, .bad_blocks = 0.1, .drift = 0.3}};
  for (const test::NoisyMachine& machine : machines) {
    CAPTURE(machine.bad_blocks);
    for (const int blocks : {5, 8, 12}) {
      CAPTURE(blocks);
      test::SimulatedTimes times(seed, machine);
      const test::Rounds rounds = test::rounds(2000);
      const double held = coverage(times, blocks, rounds.count, false).t;
      if (rounds.judged) CHECK(held >= 0.93);
    }
  }
}

TEST_CASE(
    "the bootstrap's interval is too narrow for few blocks, the signed-rank test's cannot hold in 95 %") {
  const unsigned seed = test::seed();
  CAPTURE(seed);
  test::SimulatedTimes machine(seed, {});
  const Coverage five = coverage(machine, 5, 400, true);
  CHECK(five.bootstrap < 0.90);
  CHECK(five.t > five.bootstrap + 0.04);
  // Its widest interval is from the smallest to the greatest: 1 - 2 / 2^5 at best.
  CHECK(five.signed_rank == doctest::Approx(0.9375).epsilon(0.06));
}

TEST_CASE("degenerate blocks have a defined answer") {
  CHECK(paired_ratio({}) == PairedRatio{});
  const std::vector<BlockTimes> one{{10, 20}};
  const PairedRatio single = paired_ratio(one);
  CHECK(single.ratio == doctest::Approx(2));
  CHECK(single.low == 0);
  CHECK(std::isinf(single.high));
  CHECK(single.p_value == 1);

  const std::vector<BlockTimes> equal(6, BlockTimes{3, 3});
  CHECK(paired_ratio(equal).p_value == 1);
  CHECK(paired_ratio(equal).low == 1);
  CHECK(paired_ratio(equal).high == 1);
  const std::vector<BlockTimes> exactly(6, BlockTimes{3, 7});
  CHECK(paired_ratio(exactly).p_value == 0);
  CHECK(paired_ratio(exactly).spread == 0);

  // Nothing measured counts as what the clock can tell; a block without a measurement does not count.
  const std::vector<BlockTimes> zero(5, BlockTimes{0, 0});
  CHECK(paired_ratio(zero).ratio == 1);
  CHECK(paired_ratio(zero).a_ms == doctest::Approx(shortest_ms));
  const std::vector<BlockTimes> below{{-1, 0.002}};
  CHECK(paired_ratio(below).ratio == doctest::Approx(2));
  const std::vector<BlockTimes> gaps{
      {1, nan}, {1, 2}, {nan, 1}, {std::numeric_limits<double>::infinity(), 1}};
  CHECK(paired_ratio(gaps).blocks == 1);
  CHECK(paired_ratio(gaps).ratio == doctest::Approx(2));

  CHECK(std::isnan(median_of({})));
  CHECK(median_of({5}) == 5);
  CHECK(median_of({5, 1, 3}) == 3);
  CHECK(median_of({4, 1, 3, 2}) == 2.5);
  CHECK(median_of({5, nan, 1, 3, nan}) == 3);
  CHECK(std::isnan(median_of({nan, nan})));
}

TEST_CASE("what blocks can detect shrinks with their number and grows with their spread") {
  CHECK(std::isinf(smallest_detectable_ratio(0.05, 1, 0.05)));
  CHECK(smallest_detectable_ratio(0, 5, 0.05) == 1);
  // (t(0.05, 11) + t(0.4, 11)) / sqrt(12) = (2.201 + 0.876) / 3.4641
  CHECK(smallest_detectable_ratio(0.05, 12, 0.05) == doctest::Approx(std::exp(0.05 * 0.88825)).epsilon(1e-3));
  CHECK(smallest_detectable_ratio(0.05, 8, 0.05) > smallest_detectable_ratio(0.05, 12, 0.05));
  CHECK(smallest_detectable_ratio(0.05, 8, 0.05 / 16) > smallest_detectable_ratio(0.05, 8, 0.05));
  CHECK(blocks_to_show_equality(0, 0.05) == least_blocks);
  CHECK(blocks_to_show_equality(0.025, 0.05) == 7);  // 2 × 2.447 × 0.025 / sqrt(7) = 0.0462 <= 0.0488
  CHECK(blocks_to_show_equality(1, 0) == 1000);
}

TEST_CASE("the geometric mean over queries weighs them, block by block") {
  const std::vector<QueryBlocks> queries{{.blocks = {{10, 20}, {10, 20}}, .weight = 3},
                                         {.blocks = {{4, 2}, {4, 1}}, .weight = 1}};
  const PairedRatio ratio = overall_ratio(queries);
  CHECK(ratio.blocks == 2);
  // 2^(3/4) × (1/2)^(1/4) and 2^(3/4) × (1/4)^(1/4): the exponents of two are 0.5 and 0.25.
  CHECK(ratio.ratio == doctest::Approx(std::exp2(0.375)));
  CHECK(ratio.spread == doctest::Approx(std::log(2.0) * 0.25 / std::sqrt(2.0)));
  CHECK(ratio.a_ms == doctest::Approx(std::pow(10, 0.75) * std::pow(4, 0.25)));
}

TEST_CASE("the geometric mean leaves out what was not measured") {
  const QueryBlocks measured{.blocks = {{1, 2}, {1, 2}, {1, 2}}};
  const QueryBlocks failed{.blocks = {{nan, nan}, {nan, 3}, {1, nan}}};
  const QueryBlocks gap{.blocks = {{1, 2}, {nan, 2}, {1, 2}}};
  const QueryBlocks shorter{.blocks = {{1, 2}}};
  const QueryBlocks weightless{.blocks = {{1, 9}}, .weight = 0};
  CHECK(overall_ratio({}) == PairedRatio{});
  CHECK(overall_ratio(std::vector<QueryBlocks>{failed, weightless}) == PairedRatio{});
  CHECK(overall_ratio(std::vector<QueryBlocks>{measured, failed, weightless}).blocks == 3);
  CHECK(overall_ratio(std::vector<QueryBlocks>{measured, gap}).blocks == 2);
  CHECK(overall_ratio(std::vector<QueryBlocks>{measured, shorter}).blocks == 1);
  CHECK(overall_ratio(std::vector<QueryBlocks>{measured, gap}).ratio == doctest::Approx(2));
}

}  // namespace kdb::paired_ratio_test
