// What leaving out the parts of a design says of each of them.

#include "core/attribution.hpp"

#include <algorithm>
#include <cmath>
#include <string>
#include <utility>
#include <vector>

#include <doctest/doctest.h>

#include "core/bench_report.hpp"
#include "render/formats.hpp"
#include "support/cases.hpp"
#include "support/dice.hpp"
#include "support/json.hpp"
#include "support/text.hpp"

namespace kdb::attribution_test {

namespace {

/// So many blocks around a time, with a little spread that is the same each time.
std::vector<double> blocks_around(double ms, int shift = 0) {
  std::vector<double> blocks;
  for (int block = 0; block < 8; ++block)
    blocks.push_back(ms * (1 + 0.004 * (((block + shift) * 7) % 5 - 2)));
  return blocks;
}

QueryMeasures counted(std::int64_t buffers, const std::string& shape = "a") {
  QueryMeasures measures;
  measures.buffers = buffers;
  measures.temp_blocks = 0;
  measures.shape = shape;
  return measures;
}

QueryMeasures timed(std::int64_t buffers, const std::string& shape, double ms, int shift = 0) {
  QueryMeasures measures = counted(buffers, shape);
  measures.block_ms = blocks_around(ms, shift);
  return measures;
}

PartMeasures part(std::string name, std::vector<QueryMeasures> queries) {
  PartMeasures part{.kind = "index", .name = std::move(name)};
  part.queries = std::move(queries);
  return part;
}

/// Two queries: `by_day` serves the first, ten pages instead of 1,000 and 1 ms instead of 20; `by_name` is in
/// the way of the second, 16 pages and 4 ms where it takes 4 and 2 without; nobody uses `idle`.
DesignMeasures example() {
  DesignMeasures design{.name = "profiles/quick.toml", .server = "PostgreSQL 15.20"};
  design.queries = {timed(10, "a", 1), timed(16, "b", 4)};
  AttributionMeasures all;
  all.whole = {timed(10, "a", 1), timed(16, "b", 4)};
  all.writes = {.copy_us = blocks_around(20), .insert_us = {}, .wal_bytes = 100'000, .wal_rows = 100};
  all.parts = {part("idle", {counted(10, "a"), counted(16, "b")}),
               part("by_name", {counted(10, "a"), timed(4, "c", 2, 1)}),
               part("by_day", {timed(1'000, "d", 20, 1), counted(16, "b")})};
  all.parts[0].bytes = 3 * 1024 * 1024;
  all.parts[0].writes = {
      .copy_us = blocks_around(15, 2), .insert_us = {}, .wal_bytes = 80'000, .wal_rows = 100};
  design.attribution = all;
  return design;
}

ComparisonMeasures comparison(const DesignMeasures& design) {
  ComparisonMeasures measures;
  measures.queries = {{.name = "of_a_day", .weight = 1, .max_latency = {}, .where = {}},
                      {.name = "of_a_name", .weight = 1, .max_latency = {}, .where = {}}};
  DesignMeasures none = design;
  none.name = "none";
  none.attribution.reset();
  measures.designs = {none, design};
  measures.again_ms = {blocks_around(1, 3), blocks_around(4, 1)};
  return measures;
}

std::vector<JudgedPart> judged(const DesignMeasures& design, bool fit = true) {
  MachineFitness fitness;
  fitness.fit = fit;
  return judge_parts(design, fitness, comparison_rules);
}

/// With one space where there are several.
std::string squeezed(const std::string& text) {
  std::string result;
  for (const char letter : text)
    if (letter != ' ' || !result.ends_with(' ')) result += letter;
  return result;
}

}  // namespace

TEST_CASE("a query moves with its plan, its workers, its compilation, its pages, or when it fails") {
  const QueryMeasures same = counted(1'000);
  CHECK_FALSE(moves(same, same, same));
  QueryMeasures other = same;
  other.shape = "b";
  CHECK(moves(same, same, other));
  other = same;
  other.workers = 2;
  CHECK(moves(same, same, other));
  other = same;
  other.jit = true;
  CHECK(moves(same, same, other));
  other = same;
  other.temp_blocks = 3;
  CHECK(moves(same, same, other));
  other = same;
  other.error = "canceling statement due to statement timeout (57014)";
  CHECK(moves(same, same, other));
  CHECK_FALSE(moves(other, other, same));
  CHECK_FALSE(moves(same, other, same));
}

TEST_CASE("pages count from one in a hundred beyond what two counts of the same differ by") {
  struct Row {
    std::int64_t first, again, without;
    bool moved;
  };
  const Row rows[] = {{1'000, 1'000, 1'010, false},
                      {1'000, 1'000, 1'011, true},
                      {1'000, 1'000, 990, false},
                      {1'000, 1'000, 989, true},
                      {900, 1'000, 1'000, false},
                      {900, 1'000, 892, false},
                      {900, 1'000, 890, true},
                      {3, 3, 4, true},
                      {0, 0, 1, true}};
  for (const Row& row : rows) {
    CAPTURE(row.first);
    CAPTURE(row.without);
    CHECK(moves(counted(row.first), counted(row.again), counted(row.without)) == row.moved);
  }
}

TEST_CASE("a plan that is not the same each time moves only to one that it never was") {
  CHECK_FALSE(moves(counted(5, "a"), counted(5, "b"), counted(5, "a")));
  CHECK_FALSE(moves(counted(5, "a"), counted(5, "b"), counted(5, "b")));
  CHECK(moves(counted(5, "a"), counted(5, "b"), counted(5, "c")));
}

TEST_CASE("a part is worth what becomes of the queries without it") {
  const std::vector<JudgedPart> parts = judged(example());
  REQUIRE(parts.size() == 3);
  CHECK(parts[0].moved.empty());
  CHECK(parts[0].buffers == 1);
  CHECK(parts[0].time == 1);
  CHECK(parts[0].wal == doctest::Approx(0.2));                        // (1000 - 800) / 1000
  CHECK(parts[0].copy.ratio == doctest::Approx(0.75).epsilon(0.01));  // 15 / 20
  CHECK_FALSE(parts[1].wal);
  REQUIRE(parts[1].moved.size() == 1);
  CHECK(parts[1].moved[0].query == 1);
  CHECK(parts[1].moved[0].time.verdict == TimeVerdict::better);
  CHECK(parts[1].buffers == doctest::Approx(0.5));               // sqrt(4 / 16)
  CHECK(parts[1].time == doctest::Approx(0.707).epsilon(0.01));  // sqrt(2 / 4)
  REQUIRE(parts[2].moved.size() == 1);
  CHECK(parts[2].moved[0].query == 0);
  CHECK(parts[2].moved[0].buffers == 100);
  CHECK(parts[2].moved[0].time.verdict == TimeVerdict::worse);
  CHECK(parts[2].buffers == doctest::Approx(10));                // sqrt(1000 / 10)
  CHECK(parts[2].time == doctest::Approx(4.472).epsilon(0.01));  // sqrt(20 / 1)
  CHECK(by_worth(parts) == std::vector<size_t>{2, 1});
}

TEST_CASE("of a part that moves several queries the one that changes most is named, up or down") {
  DesignMeasures design = example();
  design.attribution->parts[1].queries[0] = timed(20, "e", 3, 1);  // 3 times as long, the other one half
  const std::vector<JudgedPart> parts = judged(design);
  REQUIRE(parts[1].moved.size() == 2);
  CHECK(parts[1].most == 0);
  design.attribution->parts[1].queries[1] = timed(4, "c", 0.5, 1);  // an eighth
  CHECK(judged(design)[1].most == 1);
}

TEST_CASE("without which a query fails is worth most, whatever time it takes") {
  DesignMeasures design = example();
  QueryMeasures failed;
  failed.error = "canceling statement due to statement timeout (57014)";
  design.attribution->parts[1].queries[0] = failed;
  const std::vector<JudgedPart> parts = judged(design);
  CHECK(parts[1].failing == 1);
  CHECK(by_worth(parts) == std::vector<size_t>{1, 2});
  const std::string text =
      squeezed(render::render_text(report_comparison(comparison(design), comparison_rules), {}));
  CHECK_MESSAGE(test::has(text, "index by_name 2 of 2 of_a_day - fails "), text);
}

TEST_CASE("on an unfit machine parts are told apart by what is counted alone") {
  const std::vector<JudgedPart> parts = judged(example(), false);
  CHECK(parts[2].moved[0].time.verdict == TimeVerdict::inconclusive);
  CHECK(parts[2].time == 1);
  CHECK(parts[2].buffers == doctest::Approx(10));
  CHECK(by_worth(parts) == std::vector<size_t>{2, 1});
}

TEST_CASE("an attribution can be read by people and by programs") {
  DesignMeasures design = example();
  design.attribution->parts.push_back(
      {.kind = "setting", .name = "jit = on", .skipped = "", .standard = true});
  design.attribution->parts.push_back(
      {.kind = "setting", .name = "shared_buffers", .skipped = "it needs a restart"});
  const Report report = report_comparison(comparison(design), comparison_rules);
  const std::string text = squeezed(render::render_text(report, {}));
  CHECK_MESSAGE(test::has(text, "index by_day 1 of 2 of_a_day 100 20 slower 10 4.5 - - -\n"), text);
  CHECK_MESSAGE(test::has(text, "index by_name 1 of 2 of_a_name 0.25 0.5 faster 0.5 0.71 - - -\n"), text);
  CHECK_MESSAGE(test::has(text,
                          "these changed nothing measurable WAL COPY size\n"
                          "index idle 20 % 25 % 3 MB\n"
                          "setting jit = on, as it is anyway - - -\n"),
                text);
  CHECK_MESSAGE(test::has(text, "setting shared_buffers it needs a restart\n"), text);
  const std::string json = render::render_json(report, {});
  CHECK(test::json_at(json, "/parts/0/part") == "\"by_day\"");
  CHECK(test::json_at(json, "/parts/0/moved") == "1");
  CHECK(test::json_at(json, "/parts/2/part") == "\"idle\"");
  CHECK(test::json_at(json, "/parts/2/bytes") == "3145728");
  CHECK(test::json_at(json, "/parts/4/skipped") == "\"it needs a restart\"");
  CHECK(test::json_at(json, "/parts/4/moved") == "null");
  CHECK(test::json_at(json, "/moved/0/query") == "\"of_a_day\"");
  CHECK(test::json_at(json, "/moved/0/buffers_without") == "1000");
  CHECK(test::json_at(json, "/moved/0/verdict") == "\"worse\"");
  const std::string page = render::render_html(report, {});
  CHECK(test::has(page, "these changed nothing measurable"));
}

TEST_CASE("without attribution a comparison says nothing of parts") {
  DesignMeasures design = example();
  design.attribution.reset();
  const std::string json = render::render_json(report_comparison(comparison(design), comparison_rules), {});
  CHECK_FALSE(test::has(json, "\"parts\""));
}

TEST_CASE("what moves nothing is never worth anything, and what is worth more never stands below") {
  const unsigned seed = test::seed();
  CAPTURE(seed);
  test::Dice dice(seed);
  for (int attempt = 0; attempt < test::cases(); ++attempt) {
    const size_t queries = 1 + dice.pick(6);
    const auto draw = [&] {
      QueryMeasures one =
          counted(static_cast<std::int64_t>(dice.pick(100'000)), dice.one_of({"a", "b", "c"}));
      one.temp_blocks = dice.chance(20) ? static_cast<std::int64_t>(dice.pick(50)) : 0;
      one.workers = dice.chance(20) ? 2 : 0;
      one.block_ms =
          blocks_around(0.1 + static_cast<double>(dice.pick(1'000)), static_cast<int>(dice.pick(5)));
      if (dice.chance(5)) one = {.error = "it fails"};
      return one;
    };
    DesignMeasures design{.name = "it"};
    AttributionMeasures& all = design.attribution.emplace();
    for (size_t query = 0; query < queries; ++query) design.queries.push_back(draw());
    all.whole = design.queries;
    std::vector<bool> is_same;
    for (size_t at = 0; at < 1 + dice.pick(8); ++at) {
      is_same.push_back(dice.chance(40));
      PartMeasures one = part("p" + std::to_string(at), all.whole);
      for (size_t query = 0; query < queries; ++query) {
        // What does not move is not timed; if it were, it would not count.
        if (is_same[at])
          one.queries[query].block_ms = blocks_around(0.1 + static_cast<double>(dice.pick(1'000)));
        else if (dice.chance(50))
          one.queries[query] = draw();
      }
      all.parts.push_back(std::move(one));
    }
    const std::vector<JudgedPart> parts = judged(design);
    const std::vector<size_t> order = by_worth(parts);
    REQUIRE(parts.size() == all.parts.size());
    for (size_t at = 0; at < parts.size(); ++at) {
      const bool listed = std::find(order.begin(), order.end(), at) != order.end();
      REQUIRE(listed == !parts[at].moved.empty());
      REQUIRE(parts[at].most.has_value() == listed);
      if (!is_same[at]) continue;
      REQUIRE_FALSE(listed);
      REQUIRE(parts[at].buffers == 1);
      REQUIRE(parts[at].time == 1);
    }
    for (size_t at = 1; at < order.size(); ++at) {
      const JudgedPart& above = parts[order[at - 1]];
      const JudgedPart& below = parts[order[at]];
      REQUIRE(above.failing >= below.failing);
      if (above.failing == below.failing) REQUIRE(above.time >= below.time);
    }
  }
}

}  // namespace kdb::attribution_test
