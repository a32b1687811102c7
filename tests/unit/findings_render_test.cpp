// Findings as text, json, sarif and github show them.

#include <string>

#include <doctest/doctest.h>

#include "render/formats.hpp"
#include "support/json.hpp"

namespace kdb::findings_render_test {

using test::json_at;

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
  const std::string json = render::render_json(sample(), {});
  CHECK(json_at(json, "/format_version") == "1");
  CHECK(json_at(json, "/findings/0") ==
        R"({"column":7,"file":"m/1 é:b.sql","hint":"mend it","level":"note","line":3,)"
        R"("message":"a 100% thing","rule":"b-rule"})");
  CHECK(json_at(json, "/findings/2/rule") == R"("a-rule")");
  CHECK(json_at(json, "/findings/3").empty());
  Report report = sample();
  report.findings.clear();
  CHECK(json_at(render::render_json(report, {}), "/findings") == "[]");
  report.rules.clear();
  CHECK(json_at(render::render_json(report, {}), "/findings").empty());
}

// What the schema of SARIF 2.1.0 requires, and what GitHub's code scanning reads.
TEST_CASE("sarif has the structure that its schema requires") {
  const std::string json = render::render_sarif(sample(), {});
  const auto at = [&](const std::string& place) { return json_at(json, place); };
  CHECK(at("/version") == R"("2.1.0")");
  CHECK(at("/$schema") == R"("https://json.schemastore.org/sarif-2.1.0.json")");
  CHECK(at("/runs/1").empty());
  CHECK(at("/runs/0/tool/driver/name") == R"("kdb")");
  CHECK(at("/runs/0/tool/driver/version") == "\"" KDB_VERSION "\"");
  CHECK(at("/runs/0/columnKind") == R"("unicodeCodePoints")");
  CHECK(at("/runs/0/tool/driver/rules/1") ==
        R"({"defaultConfiguration":{"level":"note"},"help":{"text":"because\n"},"id":"b-rule",)"
        R"("shortDescription":{"text":"finds b"}})");
  CHECK(at("/runs/0/tool/driver/rules/2").empty());
  for (int i = 0; i < 3; ++i) {
    const std::string result = "/runs/0/results/" + std::to_string(i);
    CHECK(at("/runs/0/tool/driver/rules/" + at(result + "/ruleIndex") + "/id") == at(result + "/ruleId"));
    CHECK_FALSE(at(result + "/ruleId").empty());
    CHECK_FALSE(at(result + "/message/text").empty());
  }
  CHECK(at("/runs/0/results/3").empty());
  const std::string place = "/runs/0/results/0/locations/0/physicalLocation";
  CHECK(at(place + "/artifactLocation/uri") == R"("m/1%20%C3%A9%3Ab.sql")");
  CHECK(at(place + "/region") == R"({"startColumn":7,"startLine":3})");
  CHECK(at("/runs/0/results/0/message/text") == R"("a 100% thing\nhint: mend it")");
  CHECK(at("/runs/0/results/1/locations/0/physicalLocation/region") == R"({"startLine":1})");
  CHECK(at("/runs/0/results/2/locations") == "[]");
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

}  // namespace kdb::findings_render_test
