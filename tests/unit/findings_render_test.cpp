// Findings as text, json, sarif and github show them.

#include <string>

#include <doctest/doctest.h>
#include <nlohmann/json.hpp>

#include "render/formats.hpp"

namespace kdb {

namespace {

using Level = Finding::Level;

Report sample() {
  Report report{.command = "lint"};
  report.rules = {{.name = "a-rule", .level = Level::error, .summary = "finds a", .help = "why\n"},
                  {.name = "b-rule", .level = Level::note, .summary = "finds b", .help = "because\n"}};
  report.findings = {
      {.rule = "b-rule",
       .level = Level::note,
       .problem = {.message = "a 100% thing",
                   .where = {.file = "m/1 é:b.sql", .line = 3, .column = 7},
                   .hint = "mend it"}},
      {.rule = "a-rule",
       .level = Level::error,
       .problem = {.message = "two\r\nlines", .where = {.file = "m/2,x.sql", .line = 1}, .hint = ""}},
      {.rule = "a-rule", .level = Level::warning, .problem = {.message = "nowhere\x1b"}}};
  report.summary = "1 error";
  return report;
}

}  // namespace

TEST_CASE("text names the place first, as compilers do") {
  CHECK(render::render_text(sample(), {}) ==
        "m/1 é:b.sql:3:7: note[b-rule]: a 100% thing\n"
        "  hint: mend it\n"
        "m/2,x.sql:1: error[a-rule]: two\nlines\n"
        "warning[a-rule]: nowhere\\x1b\n\n"
        "1 error\n");
  CHECK(render::render_text(sample(), {.colour = true}).find("\x1b[31merror[a-rule]:\x1b[0m two") !=
        std::string::npos);
}

TEST_CASE("a hint is given once, however often it is asked for") {
  Report report = sample();
  report.findings.push_back(report.findings.front());
  report.findings.back().problem.where.line = 4;
  const std::string text = render::render_text(report, {});
  CHECK(text.find("m/1 é:b.sql:4:7: note[b-rule]: a 100% thing\n\n1 error\n") != std::string::npos);
  CHECK(text.find("hint: mend it") == text.rfind("hint: mend it"));
}

TEST_CASE("json has findings wherever something was judged, and only there") {
  const auto json = nlohmann::json::parse(render::render_json(sample(), {}));
  CHECK(json["format_version"] == 1);
  REQUIRE(json["findings"].size() == 3);
  CHECK(json["findings"][0] == nlohmann::json({{"rule", "b-rule"},
                                               {"level", "note"},
                                               {"message", "a 100% thing"},
                                               {"file", "m/1 é:b.sql"},
                                               {"line", 3},
                                               {"column", 7},
                                               {"hint", "mend it"}}));
  Report report = sample();
  report.findings.clear();
  CHECK(nlohmann::json::parse(render::render_json(report, {}))["findings"].empty());
  report.rules.clear();
  CHECK_FALSE(nlohmann::json::parse(render::render_json(report, {})).contains("findings"));
}

// What the schema of SARIF 2.1.0 requires, and what GitHub's code scanning reads.
TEST_CASE("sarif has the structure that its schema requires") {
  const auto json = nlohmann::json::parse(render::render_sarif(sample(), {}));
  CHECK(json["version"] == "2.1.0");
  CHECK(json["$schema"].is_string());
  REQUIRE(json["runs"].size() == 1);
  const auto& run = json["runs"][0];
  const auto& driver = run["tool"]["driver"];
  CHECK(driver["name"] == "kdb");
  CHECK(driver["version"] == KDB_VERSION);
  CHECK(run["columnKind"] == "unicodeCodePoints");
  REQUIRE(driver["rules"].size() == 2);
  CHECK(driver["rules"][1] == nlohmann::json({{"id", "b-rule"},
                                              {"shortDescription", {{"text", "finds b"}}},
                                              {"help", {{"text", "because\n"}}},
                                              {"defaultConfiguration", {{"level", "note"}}}}));
  REQUIRE(run["results"].size() == 3);
  for (const auto& result : run["results"]) {
    CHECK(driver["rules"][result["ruleIndex"].get<size_t>()]["id"] == result["ruleId"]);
    CHECK(result["message"]["text"].is_string());
    CHECK(result["locations"].is_array());
  }
  const auto& place = run["results"][0]["locations"][0]["physicalLocation"];
  CHECK(place["artifactLocation"]["uri"] == "m/1%20%C3%A9%3Ab.sql");
  CHECK(place["region"] == nlohmann::json({{"startLine", 3}, {"startColumn", 7}}));
  CHECK(run["results"][0]["message"]["text"] == "a 100% thing\nhint: mend it");
  CHECK(run["results"][1]["locations"][0]["physicalLocation"]["region"] ==
        nlohmann::json({{"startLine", 1}}));
  CHECK(run["results"][2]["locations"].empty());
}

TEST_CASE("annotations for GitHub hold no character that would end them") {
  CHECK(render::render_github(sample(), {}) ==
        "::notice file=m/1 é%3Ab.sql,line=3,col=7,title=b-rule::a 100%25 thing%0Ahint: mend it\n"
        "::error file=m/2%2Cx.sql,line=1,title=a-rule::two%0D%0Alines\n"
        "::warning title=a-rule::nowhere\x1b\n"
        "kdb lint: 1 error\n");
  const Error error(Exit::usage, Problem{.message = "bad", .where = {.file = "f", .line = 2}});
  CHECK(render::render_error_github("lint", error) == "::error file=f,line=2,title=kdb lint::bad\n");
}

TEST_CASE("a format that only shows findings or statements is no choice for a report without them") {
  using Names = std::vector<std::string_view>;
  CHECK(render::format_names({}) == Names{"text", "json"});
  CHECK(render::format_names({.findings = true}) == Names{"text", "json", "sarif", "github"});
  CHECK(render::format_names({.scripts = true}) == Names{"text", "json", "sql"});
  REQUIRE(render::format_of_file("x.sarif") != nullptr);
  CHECK(render::format_of_file("x.sarif")->name == "sarif");
  CHECK(render::format_of_file("x.log") == nullptr);
}

}  // namespace kdb
