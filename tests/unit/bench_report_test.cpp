// What `kdb bench compare` makes of what was measured.

#include "core/bench_report.hpp"

#include <algorithm>
#include <limits>

#include <doctest/doctest.h>

#include "render/formats.hpp"
#include "support/json.hpp"
#include "support/text.hpp"

namespace kdb::bench_report_test {

namespace {

/// So many blocks around a time, with a little spread that is the same each time.
std::vector<double> blocks_around(double ms, int shift = 0) {
  std::vector<double> blocks;
  for (int block = 0; block < 12; ++block)
    blocks.push_back(ms * (1 + 0.004 * (((block + shift) * 7) % 5 - 2)));
  return blocks;
}

QueryMeasures measured(double ms, std::int64_t buffers, int shift = 0) {
  QueryMeasures measures;
  measures.buffers = buffers;
  measures.temp_blocks = 0;
  measures.rows = 1;
  measures.digest = "0123";
  measures.block_ms = blocks_around(ms, shift);
  return measures;
}

/// Two queries on two designs: one becomes ten times as fast, the other stays.
ComparisonMeasures example() {
  ComparisonMeasures measures;
  measures.queries = {{.name = "fast", .weight = 9, .max_latency = {}, .where = {"q.toml", 3, 1}},
                      {.name = "still", .weight = 1, .max_latency = {}, .where = {"q.toml", 9, 1}}};
  DesignMeasures first{.name = "none", .server = "PostgreSQL 15.20"};
  first.queries = {measured(100, 5'000), measured(50, 400)};
  first.writes = {
      .copy_us = blocks_around(10), .insert_us = blocks_around(20), .wal_bytes = 50'000, .wal_rows = 100};
  DesignMeasures second{.name = "profiles/quick.toml", .server = "PostgreSQL 15.20"};
  second.queries = {measured(10, 50, 1), measured(50, 400, 2)};
  second.writes = {.copy_us = blocks_around(40, 1),
                   .insert_us = blocks_around(40, 1),
                   .wal_bytes = 150'000,
                   .wal_rows = 100,
                   .full_page_bytes = 60'000};
  measures.designs = {first, second};
  measures.again_ms = {blocks_around(100, 3), blocks_around(50, 1)};
  measures.events = 1'000;
  measures.blocks = 12;
  return measures;
}

/// With one space where there are several.
std::string squeezed(const std::string& text) {
  std::string result;
  for (const char letter : text)
    if (letter != ' ' || !result.ends_with(' ')) result += letter;
  return result;
}

bool is_said(const Report& report, const std::string& what) {
  return std::any_of(report.problems.begin(), report.problems.end(),
                     [&](const Problem& problem) { return test::has(problem.message, what); });
}

constexpr double nan = std::numeric_limits<double>::quiet_NaN();

QueryMeasures failing(const std::string& error) {
  QueryMeasures failed;
  failed.error = error;
  return failed;
}

}  // namespace

TEST_CASE("each query is judged, and all together") {
  const JudgedComparison judged = judge(example(), comparison_rules);
  CHECK(judged.fitness.fit);
  REQUIRE(judged.designs.size() == 2);
  CHECK(judged.designs[1].verdicts[0].verdict == TimeVerdict::better);
  CHECK(judged.designs[1].verdicts[1].verdict == TimeVerdict::no_difference);
  CHECK(judged.designs[1].time.ratio == doctest::Approx(0.316).epsilon(0.01));      // sqrt(0.1)
  CHECK(judged.designs[1].weighted.ratio == doctest::Approx(0.126).epsilon(0.01));  // 0.1^0.9
  CHECK(judged.designs[1].buffers == doctest::Approx(0.1).epsilon(0.01));           // sqrt(0.01)
  CHECK(judged.designs[1].copy.ratio == doctest::Approx(4).epsilon(0.01));
  CHECK(judged.designs[0].verdicts[0].ratio.ratio == 1);
}

TEST_CASE("what a design makes worse is a problem, at the query's place") {
  ComparisonMeasures measures = example();
  measures.designs[1].queries[1] = measured(80, 400);
  const Report report = report_comparison(measures, comparison_rules);
  REQUIRE(report.problems.size() == 1);
  CHECK(report.problems[0].message ==
        "profiles/quick.toml: still takes 1.6 times as long, 80 ms where it was 50 ms");
  CHECK(to_string(report.problems[0].where) == "q.toml:9:1");
}

TEST_CASE("a slow, a failing and another answer are problems") {
  ComparisonMeasures measures = example();
  measures.queries[1].max_latency = std::chrono::milliseconds(20);
  measures.designs[1].queries[1].digest = "4567";
  CHECK(is_said(report_comparison(measures, comparison_rules),
                "still takes 50 ms, and the profile allows 20 ms"));
  CHECK(is_said(report_comparison(measures, comparison_rules),
                "still does not have the answer that it has with none"));
  measures.designs[1].queries[1] = failing("relation \"gone\" does not exist (42P01)");
  const Report report = report_comparison(measures, comparison_rules);
  CHECK(is_said(report, "still fails: relation \"gone\" does not exist (42P01)"));
  CHECK_FALSE(is_said(report, "does not have the answer"));
  CHECK_FALSE(is_said(report, "takes"));
}

TEST_CASE("a query that fails on the first design has no verdict, and all others have theirs") {
  ComparisonMeasures measures = example();
  measures.designs[0].queries[0] = failing("function time_bucket does not exist (42883)");
  measures.designs[1].queries[1] = measured(490, 400);
  // Some blocks may have been measured before it failed.
  for (const std::vector<double>& again : {std::vector<double>{}, std::vector<double>{100, nan}}) {
    measures.again_ms[0] = again;
    const Report report = report_comparison(measures, comparison_rules);
    CHECK(judge(measures, comparison_rules).fitness.fit);
    CHECK(is_said(report, "none: fast fails: function time_bucket does not exist (42883)"));
    CHECK(is_said(report, "still takes 9.8 times as long"));
    const std::string text = squeezed(render::render_text(report, {}));
    CHECK_MESSAGE(test::has(text, "fast error not on none\n"), text);
    CHECK(test::has(text, "still 50 ms 9.8 WORSE\n"));
    const std::string json = render::render_json(report, {});
    for (const char* key : {"ratio", "low", "high", "p_value", "verdict", "same_answer"}) {
      CAPTURE(key);
      CHECK(test::json_at(json, std::string("/queries/2/") + key) == "null");
    }
    CHECK(test::json_at(json, "/queries/2/reason") == "\"it fails on none\"");
    CHECK(test::json_at(json, "/queries/2/rows") == "1");
    CHECK(test::json_at(json, "/queries/3/verdict") == "\"worse\"");
  }
}

TEST_CASE("a mean says of how many queries it is, and the summary how many fail") {
  ComparisonMeasures measures = example();
  measures.designs[1].queries[1] = failing("canceling statement due to statement timeout (57014)");
  Report report = report_comparison(measures, comparison_rules);
  const std::string text = squeezed(render::render_text(report, {}));
  CHECK_MESSAGE(test::has(text, "still 50 ms error\n"), text);
  CHECK_MESSAGE(test::has(text, ") over 1 of 2\n"), text);
  CHECK_MESSAGE(test::has(text, "geometric mean 1 0.01 over 1 of 2\n"), text);
  CHECK(report.summary ==
        "profiles/quick.toml: 0.1 of the time over 1 of 2, 1 better, 0 worse, 0 undecided, 1 failing");
  const std::string json = render::render_json(report, {});
  CHECK(test::json_at(json, "/designs/1/timed_queries") == "1");
  CHECK(test::json_at(json, "/designs/1/counted_queries") == "1");
  for (const char* key : {"ms", "ratio", "low", "verdict", "rows", "same_answer", "workers"}) {
    CAPTURE(key);
    CHECK(test::json_at(json, std::string("/queries/3/") + key) == "null");
  }
  measures.designs[0].queries[0] = failing("function time_bucket does not exist (42883)");
  report = report_comparison(measures, comparison_rules);
  CHECK(report.summary ==
        "profiles/quick.toml: - of the time, 0 better, 0 worse, 0 undecided, 1 failing, 1 failing on none");
  const std::string nothing = render::render_json(report, {});
  for (const char* key : {"time_ratio", "time_low", "weighted_time_ratio", "buffers_ratio"}) {
    CAPTURE(key);
    CHECK(test::json_at(nothing, std::string("/designs/1/") + key) == "null");
  }
}

TEST_CASE("where rows cannot be written, the error is a problem, and all else is told") {
  ComparisonMeasures measures = example();
  measures.designs[1].writes = {.error = "division by zero (22012)"};
  measures.designs[1].attribution.emplace();
  measures.designs[1].attribution->parts = {{.kind = "index", .name = "by_day"}};
  measures.designs[1].attribution->parts[0].writes.error = "connection lost";
  const Report report = report_comparison(measures, comparison_rules);
  CHECK(report.problems.size() == 2);
  CHECK(is_said(report, "profiles/quick.toml: writing fails: division by zero (22012)"));
  CHECK(is_said(report, "profiles/quick.toml without index by_day: writing fails: connection lost"));
  const std::string text = squeezed(render::render_text(report, {}));
  CHECK_MESSAGE(test::has(text, "rows by COPY, a second 100 000 error\n"), text);
  CHECK(test::has(text, "WAL, bytes a row 500 error\n"));
  CHECK(test::has(text, "index by_day - error -\n"));
  CHECK(test::has(text, "fast 100 ms 0.1 better\n"));
  const std::string json = render::render_json(report, {});
  CHECK(test::json_at(json, "/designs/0/write_error") == "null");
  CHECK(test::json_at(json, "/designs/1/write_error") == "\"division by zero (22012)\"");
  CHECK(test::json_at(json, "/designs/1/wal_bytes_per_row") == "null");
}

TEST_CASE("of writes that were not asked for nothing is said") {
  ComparisonMeasures measures = example();
  for (DesignMeasures& design : measures.designs) design.writes = {};
  const Report report = report_comparison(measures, comparison_rules);
  const std::string text = squeezed(render::render_text(report, {}));
  CHECK_MESSAGE(test::has(text, "rows by COPY, a second - -\n"), text);
  CHECK(test::has(text, "rows by INSERT, a second - -\n"));
  const std::string json = render::render_json(report, {});
  for (const char* key : {"copy_rows_per_second", "copy_time_ratio", "insert_rows_per_second",
                          "insert_time_ratio", "wal_bytes_per_row", "write_error"}) {
    CAPTURE(key);
    CHECK(test::json_at(json, std::string("/designs/1/") + key) == "null");
  }
}

TEST_CASE("on a machine that is unfit no time is judged, and what is counted is told") {
  ComparisonMeasures measures = example();
  measures.again_ms[1] = blocks_around(80);
  measures.designs[1].queries[1] = measured(490, 400);
  const Report report = report_comparison(measures, comparison_rules);
  CHECK(report.warnings.empty());
  REQUIRE(report.problems.size() == 1);
  CHECK(test::has(report.problems[0].message, "no verdict on times: 1 of 2 queries differ from themselves"));
  CHECK(test::has(report.problems[0].hint, "let nothing else run meanwhile"));
  const std::string text = render::render_text(report, {});
  CHECK(test::has(text, "0.1 ?"));
  CHECK_FALSE(test::has(text, "0.1 better"));
  CHECK(test::has(text, "5 000"));
}

TEST_CASE("of too few blocks no time is judged, and nobody expected it") {
  ComparisonMeasures measures = example();
  measures.blocks = 4;
  for (std::vector<double>& again : measures.again_ms) again.resize(4);
  for (DesignMeasures& design : measures.designs)
    for (QueryMeasures& query : design.queries) query.block_ms.resize(4);
  const Report report = report_comparison(measures, comparison_rules);
  CHECK(report.problems.empty());
  REQUIRE(report.warnings.size() == 1);
  CHECK(report.warnings[0].message == "no verdict on times: a query has 4 blocks, at least 5 are needed");
  CHECK(test::has(report.warnings[0].hint, "--blocks 5 or more"));
}

TEST_CASE("a comparison can be read by people and by programs") {
  const Report report = report_comparison(example(), comparison_rules);
  const std::string text = squeezed(render::render_text(report, {}));
  CHECK_MESSAGE(test::has(text, "time of a query none quick\n"), text);
  CHECK(test::has(text, "fast 100 ms 0.1 better\n"));
  CHECK(test::has(text, "WAL, bytes a row 500 1 500\n"));
  const std::string json = render::render_json(report, {});
  CHECK(test::json_at(json, "/queries/2/verdict") == "\"better\"");
  CHECK(std::stod(test::json_at(json, "/queries/2/ratio")) == doctest::Approx(0.1).epsilon(0.01));
  CHECK(test::json_at(json, "/designs/1/wal_bytes_per_row") == "1500");
  CHECK(test::has(text, "WAL without full pages - 900\n"));
  CHECK(test::json_at(json, "/designs/0/wal_bytes_per_row_without_full_pages") == "null");
  CHECK(test::json_at(json, "/designs/1/wal_bytes_per_row_without_full_pages") == "900");
  CHECK(test::json_at(json, "/fit") == "true");
}

TEST_CASE("the page has all of it, needs nothing from elsewhere, and lets nothing of a name act") {
  ComparisonMeasures measures = example();
  measures.queries[0].name = "<script>alert(1)</script>";
  measures.designs[1].name = "a\" onclick=\"b.toml";
  const std::string page = render::render_html(report_comparison(measures, comparison_rules), {});
  CHECK(page.starts_with("<!doctype html>"));
  CHECK(test::has(page, "&lt;script&gt;"));
  for (const char* what : {"<script", "http:", "https:", "url(", "@import"}) {
    CAPTURE(what);
    CHECK_FALSE(test::has(page, what));
  }
  CHECK_FALSE(test::has(page, "title=\"a\" onclick"));
  CHECK(test::has(page, "title=\"a&quot; onclick"));
  CHECK(test::has(page, "0.1× better"));
  CHECK(test::has(page, "prefers-color-scheme: dark"));
}

}  // namespace kdb::bench_report_test
