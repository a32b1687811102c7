#include "core/time_verdict.hpp"

#include <cmath>
#include <limits>
#include <string>
#include <vector>

#include <doctest/doctest.h>

#include "support/cases.hpp"
#include "support/simulated_times.hpp"

namespace kdb::time_verdict_test {

namespace {

/// Spreads of the blocks' log ratios of about 0.025, 0.044 and 0.074.
const test::NoisyMachine calm{.block_noise = 0.01, .execution_noise = 0.02, .spikes = 0.02, .bad_blocks = 0};
const test::NoisyMachine usual{.block_noise = 0.015, .execution_noise = 0.03, .bad_blocks = 0.005};
const test::NoisyMachine noisy;

/// All of one query's blocks; `a_ms` as given, the ratios' logs `log_ratio` plus and minus `spread` in turn.
QueryBlocks made(double a_ms, double log_ratio, double spread, int blocks = 8) {
  QueryBlocks query;
  for (int i = 0; i < blocks; ++i)
    query.blocks.push_back(
        {.a_ms = a_ms, .b_ms = a_ms * std::exp(log_ratio + (i % 2 == 0 ? spread : -spread))});
  return query;
}

QueryVerdict judged(const QueryBlocks& query, const VerdictRules& rules = {}) {
  return judge_times(std::vector<QueryBlocks>{query}, rules).front();
}

bool is_difference(const QueryVerdict& found) {
  return found.verdict == TimeVerdict::better || found.verdict == TimeVerdict::worse;
}

}  // namespace

TEST_CASE("Holm's correction is that of the hand-computed example") {
  // Sorted 0.005, 0.01, 0.03, 0.04: × 4 = 0.02, × 3 = 0.03, × 2 = 0.06, × 1 = 0.04, which may not be less.
  const std::vector<double> corrected = holm(std::vector<double>{0.01, 0.04, 0.03, 0.005});
  const std::vector<double> expected{0.03, 0.06, 0.06, 0.02};
  REQUIRE(corrected.size() == expected.size());
  for (size_t i = 0; i < expected.size(); ++i) CHECK(corrected[i] == doctest::Approx(expected[i]));
  CHECK(holm({}).empty());
  CHECK(holm(std::vector<double>{0.7, 0.8}) == std::vector<double>{1, 1});
  const double nan = std::numeric_limits<double>::quiet_NaN();
  CHECK(holm(std::vector<double>{nan, 0.01}) == std::vector<double>{1, 0.02});
}

TEST_CASE("runs of the same against the same are not called better or worse") {
  const unsigned seed = test::seed();
  CAPTURE(seed);
  for (const test::NoisyMachine& machine : {calm, noisy}) {
    CAPTURE(machine.block_noise);
    test::SimulatedTimes times(seed, machine);
    int quiet = 0;
    const test::Rounds rounds = test::rounds(200);
    for (int i = 0; i < rounds.count; ++i) {
      bool different = false;
      for (const QueryVerdict& found : judge_times(times.queries(16, 1, 12), {}))
        different = different || is_difference(found);
      quiet += different ? 0 : 1;
    }
    if (rounds.judged) CHECK(quiet >= 190);
  }
}

TEST_CASE("with enough blocks the same against the same is called no difference") {
  const unsigned seed = test::seed();
  CAPTURE(seed);
  struct Row {
    test::NoisyMachine machine;
    double spread;
    int blocks;
  };
  const Row rows[] = {{calm, 0.025, 10}, {usual, 0.044, 28}, {noisy, 0.074, 64}};
  for (const Row& row : rows) {
    CAPTURE(row.spread);
    test::SimulatedTimes times(seed, row.machine);
    int same = 0;
    double spread = 0;
    const test::Rounds rounds = test::rounds(50);
    for (int i = 0; i < rounds.count; ++i)
      for (const QueryVerdict& found : judge_times(times.queries(16, 1, row.blocks), {})) {
        same += found.verdict == TimeVerdict::no_difference ? 1 : 0;
        spread += found.ratio.spread / 800;
      }
    if (!rounds.judged) continue;
    CHECK(same >= 760);
    CHECK(spread == doctest::Approx(row.spread).epsilon(0.15));
  }
}

TEST_CASE("a planted slowdown of a tenth is found among 16 queries, and no other") {
  const unsigned seed = test::seed();
  CAPTURE(seed);
  struct Row {
    test::NoisyMachine machine;
    int blocks;
    double power;
  };
  const Row rows[] = {{calm, 8, 0.95}, {usual, 12, 0.9}, {noisy, 20, 0.8}};
  for (const Row& row : rows) {
    CAPTURE(row.blocks);
    test::SimulatedTimes times(seed, row.machine);
    double found = 0;
    double others = 0;
    const test::Rounds rounds = test::rounds(200);
    for (int i = 0; i < rounds.count; ++i) {
      auto queries = times.queries(16, 1, row.blocks);
      queries[3].blocks = times.query(20, 1.1, row.blocks);
      const auto verdicts = judge_times(queries, {});
      for (size_t at = 0; at < verdicts.size(); ++at)
        (at == 3 ? found : others) += is_difference(verdicts[at]) ? 1.0 / 200 : 0;
    }
    if (!rounds.judged) continue;
    CHECK(found >= row.power);
    CHECK(others <= 0.07);
  }
}

TEST_CASE("a slowdown of what is said to be detectable is found in four of five cases") {
  const unsigned seed = test::seed();
  CAPTURE(seed);
  const test::NoisyMachine normal{
      .block_noise = 0.03, .execution_noise = 0, .spikes = 0, .bad_blocks = 0, .drift = 0};
  const double spread = 0.03 * std::sqrt(2.0);
  for (const int blocks : {5, 8, 12}) {
    CAPTURE(blocks);
    test::SimulatedTimes times(seed, normal);
    const double ratio = smallest_detectable_ratio(spread, blocks, 0.05);
    int found = 0;
    const test::Rounds rounds = test::rounds(1000);
    for (int i = 0; i < rounds.count; ++i)
      found += paired_ratio(times.query(10, ratio, blocks)).p_value < 0.05 ? 1 : 0;
    if (!rounds.judged) continue;
    CHECK(found >= 740);
    CHECK(found <= 860);
  }
}

TEST_CASE("each rule decides where it should") {
  struct Row {
    const char* name;
    QueryBlocks query;
    TimeVerdict verdict;
    const char* reason;
  };
  const Row rows[] = {
      {"slower", made(10, 0.2, 0.02), TimeVerdict::worse, "p = "},
      {"faster", made(10, -0.2, 0.02), TimeVerdict::better, "p = "},
      {"alike", made(10, 0.01, 0.01), TimeVerdict::no_difference, "any difference is below 5 %"},
      {"significant and small", made(10, 0.04, 0.015), TimeVerdict::inconclusive,
       "a difference, but maybe one below 5 %"},
      {"noise", made(10, 0.1, 0.3), TimeVerdict::inconclusive, "the blocks differ too much"},
      {"a fast one, below the floor", made(0.1, 0.3, 0.02), TimeVerdict::no_difference,
       "any difference is below 0.05 ms"},
      {"a fast one, above the floor", made(0.1, 0.6, 0.02), TimeVerdict::worse, "p = "},
      {"nothing can be better than the floor", made(0.04, -3, 0.1), TimeVerdict::no_difference,
       "any difference is below 0.05 ms"},
      {"four blocks", made(10, 1, 0.02, 4), TimeVerdict::inconclusive, "4 blocks, at least 5 are needed"},
      {"one block", made(10, 1, 0.02, 1), TimeVerdict::inconclusive, "1 block, at least 5 are needed"},
      {"none", {}, TimeVerdict::inconclusive, "0 blocks, at least 5 are needed"},
      {"no time at all", made(0, 0, 0), TimeVerdict::no_difference, "any difference is below 0.05 ms"},
  };
  for (const Row& row : rows) {
    CAPTURE(row.name);
    const QueryVerdict found = judged(row.query);
    CHECK(name_of(found.verdict) == name_of(row.verdict));
    CHECK(found.reason.substr(0, std::string(row.reason).size()) == row.reason);
  }
}

TEST_CASE("a short query may take the slack longer, and no other may") {
  const VerdictRules rules{.delta = 0.1, .floor_ms = 0.2, .short_ms = 2, .slack_ms = 1};
  const auto verdict = [&](double from, double to) {
    return name_of(
        judge_times(std::vector<QueryBlocks>{made(from, std::log(to / from), 0.01)}, rules).front().verdict);
  };
  CHECK(verdict(0.06, 0.9) == name_of(TimeVerdict::no_difference));
  CHECK(verdict(0.06, 1.2) == name_of(TimeVerdict::worse));
  CHECK(verdict(1.9, 2.8) == name_of(TimeVerdict::no_difference));
  CHECK(verdict(2.1, 2.6) == name_of(TimeVerdict::worse));
  CHECK(verdict(1.9, 1.2) == name_of(TimeVerdict::better));
}

TEST_CASE("what is significant alone may not be so among many") {
  const QueryBlocks doubtful = made(10, 0.1, 0.1);  // p = 0.03
  CHECK(judged(doubtful).verdict == TimeVerdict::worse);
  std::vector<QueryBlocks> all(16, made(10, 0, 0.1));
  all[0] = doubtful;
  CHECK(judge_times(all, {})[0].verdict == TimeVerdict::inconclusive);
}

TEST_CASE("a query that was not measured makes the others no less significant") {
  std::vector<QueryBlocks> all(16);
  all[3] = made(10, 0.1, 0.1);  // p = 0.03
  const std::vector<QueryVerdict> verdicts = judge_times(all, {});
  CHECK(verdicts[3].verdict == TimeVerdict::worse);
  CHECK(verdicts[3].smallest_detectable == judged(all[3]).smallest_detectable);
  CHECK(verdicts[0].ratio.blocks == 0);
  CHECK(verdicts[0].verdict == TimeVerdict::inconclusive);
}

TEST_CASE("the worst query is the one with the greatest ratio of those measured") {
  const std::vector<QueryBlocks> queries{made(10, 0.1, 0), {}, made(10, 0.3, 0), made(10, -1, 0)};
  CHECK(worst_of(judge_times(queries, {})) == std::optional<size_t>(2));
  CHECK_FALSE(worst_of({}).has_value());
  CHECK_FALSE(worst_of(judge_times(std::vector<QueryBlocks>(2), {})).has_value());
}

TEST_CASE("a machine on which the same differs from itself is unfit") {
  const VerdictRules rules;
  const auto fitness = [&](const std::vector<QueryBlocks>& queries) {
    return machine_fitness(judge_times(queries, rules), rules);
  };
  const MachineFitness good = fitness({made(10, 0.001, 0.02), made(10, -0.001, 0.02)});
  CHECK(good.fit);
  CHECK(good.reason.find("no query differs from itself") == 0);

  const MachineFitness bad = fitness({made(10, 0, 0.02), made(10, 0.2, 0.02)});
  CHECK_FALSE(bad.fit);
  CHECK(bad.different == std::vector<size_t>{1});
  CHECK(bad.reason == "1 of 2 queries differ from themselves: something else decides the times here");

  // Unlike itself, but surely by less than anybody cares for.
  CHECK(fitness({made(10, 0.01, 0.005)}).fit);
  // Significant and maybe more than that: unfit, although nobody would call it worse.
  CHECK_FALSE(fitness({made(10, 0.04, 0.015)}).fit);
  CHECK_FALSE(fitness({}).fit);
  // What was not measured, for it fails, says nothing of the machine.
  CHECK(fitness({made(10, 0.001, 0.02), {}}).fit);
  CHECK(fitness({{}, made(10, 0.2, 0.02)}).different == std::vector<size_t>{1});
  CHECK(fitness({{}, made(10, 0.2, 0.02)}).reason.starts_with("1 of 1 queries differ"));
  CHECK(fitness({{}, {}}).reason == "no query was measured against itself");
  CHECK(fitness({made(10, 0, 0.01, 3)}).reason == "a query has 3 blocks, at least 5 are needed");
}

}  // namespace kdb::time_verdict_test
