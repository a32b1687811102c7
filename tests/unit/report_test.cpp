// What people and programs read: core/difference, core/dump, core/to_report, render.

#include <string>

#include <doctest/doctest.h>

#include "base/text.hpp"
#include "core/difference.hpp"
#include "core/dump.hpp"
#include "core/to_report.hpp"
#include "files/flyway_checksum.hpp"
#include "render/formats.hpp"
#include "support/json.hpp"
#include "support/text.hpp"

namespace kdb::report_test {

using test::json_at;

namespace {

Report sample() {
  Report report{.command = "migrate status"};
  report.fields = {{.key = "target", .label = "target", .value = std::string("shop")},
                   {.key = "pending_count", .label = "", .value = std::int64_t{1}}};
  report.tables = {{.key = "migrations",
                    .columns = {{.key = "state", .title = "state"},
                                {.key = "ms", .title = "ms", .align_right = true},
                                {.key = "file", .title = ""}},
                    .rows = {{std::string("applied"), std::int64_t{7}, std::string("a.sql")},
                             {std::string("é"), std::int64_t{12}, Value()}}}};
  report.warnings = {{.message = "look out", .where = {.file = "a.sql", .line = 3}, .hint = "do this"}};
  report.summary = "2 rows";
  return report;
}

}  // namespace

TEST_CASE("text is aligned, and json-only parts stay out of it") {
  CHECK(render::render_text(sample(), {}) ==
        "target  shop\n\n"
        "state    ms\n"
        "applied   7\n"
        "é        12\n\n"
        "warning: a.sql:3: look out\nhint: do this\n\n"
        "2 rows\n");
  CHECK(render::render_text(sample(), {.colour = true}).find("\x1b[1m2 rows\x1b[0m\n") != std::string::npos);
}

TEST_CASE("text holds no control character of a file or a server, statements only where they are piped") {
  Report report = sample();
  report.fields.push_back({.key = "x", .label = "x", .value = "a\x1b[2J\nb"});
  report.tables.front().rows.front().front() = "\xff\t";
  report.warnings = {{.message = "say\x07", .where = {.file = "\x1b.sql"}, .hint = "\x9b"}};
  report.summary = "done\x1b";
  std::string text = render::render_text(report, {});
  CHECK(text.find("a\\x1b[2J\\x0ab\n") != std::string::npos);
  CHECK(text.find("\\xff\\x09") != std::string::npos);
  CHECK(text.find("warning: \\x1b.sql: say\\x07\nhint: \\x9b\n") != std::string::npos);
  CHECK(text.find("done\\x1b\n") != std::string::npos);
  report.scripts = {{.subject = "1 \x1b", .steps = {{.sql = "SELECT\r\n'\x1b'", .notes = {"\x1b"}}}}};
  text = render::render_sql(report, {});
  CHECK(text == "-- 1 \\x1b\n-- \\x1b\nSELECT\r\n'\x1b';\n");
  CHECK(render::render_sql(report, {.terminal = true}) == "-- 1 \\x1b\n-- \\x1b\nSELECT\n'\\x1b';\n");
}

TEST_CASE("json has every field, and its version") {
  const std::string json = render::render_json(sample(), {});
  CHECK(json_at(json, "/format_version") == "1");
  CHECK(json_at(json, "/command") == R"("migrate status")");
  CHECK(json_at(json, "/pending_count") == "1");
  CHECK(json_at(json, "/migrations/0/file") == R"("a.sql")");
  CHECK(json_at(json, "/migrations/1/file") == "null");
  CHECK(json_at(json, "/warnings/0/line") == "3");
  const Error error(Exit::history,
                    Problem{.message = "bad \xff", .where = {.file = "f", .line = 2}, .details = "- a"});
  const std::string failed = render::render_error_json("migrate up", error);
  CHECK(json_at(failed, "/exit") == "5");
  CHECK(json_at(failed, "/errors/0/details") == R"("- a")");
}

TEST_CASE("when a migration was applied has its time zone in json, and in the column's title in text") {
  const std::vector<MigrationStatus> rows{{.state = MigrationStatus::State::applied,
                                           .version = {.text = "1", .key = {"1"}},
                                           .name = "a",
                                           .applied = 0},
                                          {.version = {.text = "2", .key = {"2"}}, .name = "b"}};
  const History history{.migrations = {{.applied_at = "2026-11-23 20:35:39"}}};
  Report report{.command = "migrate status"};
  report.tables = {to_table(rows, {}, history)};
  const std::string json = render::render_json(report, {});
  CHECK(json_at(json, "/migrations/0/applied_at") == R"("2026-11-23T20:35:39Z")");
  CHECK(json_at(json, "/migrations/1/applied_at") == "null");
  CHECK(json_at(json, "/migrations/0/").empty());
  const std::string text = render::render_text(report, {});
  CHECK(text.find("applied (UTC)") != std::string::npos);
  CHECK(text.find("2026-11-23 20:35:39\n") != std::string::npos);
}

TEST_CASE("sql is what psql can run") {
  Report report{.command = "migrate up"};
  report.scripts = {
      {.subject = "1 a up",
       .note = "in one transaction",
       .steps = {{.sql = "BEGIN"}, {.sql = "SELECT 1", .notes = {"INDEX_BUILD: x"}}, {.sql = "COMMIT"}}}};
  CHECK(render::render_sql(report, {}) ==
        "-- 1 a up: in one transaction\nBEGIN;\n-- INDEX_BUILD: x\nSELECT 1;\nCOMMIT;\n");
}

TEST_CASE("beside statements, the text of a report is comments, so that all of it can be piped into psql") {
  Report report{.command = "migrate up", .summary = "1 migration would run"};
  report.scripts = {{.subject = "1 a up", .steps = {{.sql = "SELECT 1"}}}};
  report.warnings = {{.message = "two\nlines", .where = {.file = "a.sql"}, .hint = "mend it"}};
  CHECK(render::render_text(report, {}) ==
        "-- 1 a up\nSELECT 1;\n\n-- warning: a.sql: two\n-- lines\n-- hint: mend it\n\n-- 1 migration would "
        "run\n");
}

TEST_CASE("a difference shows the lines that differ, with their neighbours") {
  CHECK(difference("a\nb\nc", "a\nb\nc") == "");
  CHECK(difference("a\nb  \nc\r\n", "a\nb\nc") == "");
  CHECK(difference("a\nb\nc", "a\nx\nc") == "  a\n- b\n+ x\n  c");
  CHECK(difference("1\n2\n3\n4\n5\n6\n7\n8\n9", "1\n2\n3\n4\n5\n6\n7\n8\nx") == "  7\n  8\n- 9\n+ x");
  CHECK(difference("", "a") == "+ a");
  std::string many;
  for (int i = 0; i < 100; ++i) many += std::to_string(i) + "\n";
  CHECK(difference("", many, 3) == "+ 0\n+ 1\n+ 2\n  … 97 more lines");
}

TEST_CASE("a dump is the same from run to run, and rebuilds hypertables before their indexes") {
  const std::string dump =
      "--\n-- PostgreSQL database dump\n--\n\n\\restrict Zx81\n\n-- Dumped from database version 15.1\n"
      "-- Dumped by pg_dump version 15.2\n\nCREATE TABLE public.e (t timestamptz);\n\n\n--\n"
      "-- Name: e_t; Type: INDEX; Schema: public\n--\n\nCREATE INDEX e_t ON public.e (t);\n\n"
      "--\n-- PostgreSQL database dump complete\n--\n\n\\unrestrict Zx81\n\n";
  const std::string plain = stable_dump(dump, {});
  CHECK(plain.find("restrict") == std::string::npos);
  CHECK(plain.find("Dumped") == std::string::npos);
  CHECK(plain.find("\n\n\n") == std::string::npos);
  const std::string rebuilt = stable_dump(
      dump, {{.name = "public.e",
              .dimensions = {{.column = "t", .interval = "7 days"}, {.column = "m", .partitions = "4"}}}});
  const size_t made = rebuilt.find(
      "SELECT public.create_hypertable('public.e', 't', chunk_time_interval => INTERVAL '7 days'");
  CHECK(made != std::string::npos);
  CHECK(rebuilt.find("SELECT public.add_dimension('public.e', 'm', number_partitions => 4);") > made);
  CHECK(rebuilt.find("CREATE TABLE") < made);
  CHECK(rebuilt.find("CREATE INDEX") > made);
}

TEST_CASE("Flyway's checksum does not see line ends or a byte order mark") {
  const std::int32_t expected = files::flyway_checksum_of("a\nb\n");
  for (const std::string text : {"a\r\nb\r\n", "a\rb",
                                 "\xEF\xBB\xBF"
                                 "a\nb",
                                 "a\nb"}) {
    CAPTURE(text);
    CHECK(files::flyway_checksum_of(text) == expected);
  }
  CHECK(files::flyway_checksum_of("a\nc\n") != expected);
  // CRC-32 of "123456789" is the check value of the algorithm, 0xCBF43926.
  CHECK(files::flyway_checksum_of("1234\n56789") == static_cast<std::int32_t>(0xCBF43926U));
}

TEST_CASE("a hint stands once below all that it mends, and ten files tell what is wrong with many") {
  const Problem alone{.message = "empty", .where = {.file = "z.sql", .line = 1}};
  const auto in_file = [](const std::string& file, int line, const std::string& word) {
    return Problem{
        .message = word + " of \"" + file + "\"", .where = {.file = file, .line = line}, .hint = "mend it"};
  };
  CHECK(render::render_problems({in_file("a", 1, "BEGIN"), alone, in_file("b", 2, "BEGIN")}, {}) ==
        "kdb: error: a:1: BEGIN of \"a\"\nkdb: error: b:2: BEGIN of \"b\"\nhint: mend it\n"
        "kdb: error: z.sql:1: empty\n");
  std::vector<Problem> many;
  for (int i = 10; i < 62; ++i) {
    const std::string file = std::to_string(i) + ".sql";
    many.push_back(in_file(file, 1, "BEGIN"));
    many.push_back(in_file(file, 3, "COMMIT"));
  }
  many.push_back(in_file("9.txt", 1, "no migration:"));
  const std::string text = render::render_problems(many, {});
  const std::vector<std::string_view> lines = split(text, '\n');
  CHECK(lines.size() == 2 * 10 + 1 + 2 + 1);
  CHECK(lines[18] == "kdb: error: 19.sql:1: BEGIN of \"19.sql\"");
  CHECK(lines[20] == "kdb: error: 9.txt:1: no migration: of \"9.txt\"");
  CHECK(lines[21] == "and 42 more files like these; --log-format json names all");
  CHECK(lines[22] == "hint: mend it");
  // All that is wrong with one file is said, however much it is.
  const std::vector<Problem> one_file(30, in_file("a", 1, "BEGIN"));
  CHECK(split(render::render_problems(one_file, {}), '\n').size() == 30 + 2);
  CHECK(render::render_problems({{.message = "a\x1b[2J", .details = "- x\n+ y\x07"}}, {.colour = true}) ==
        "\x1b[1;31mkdb: error:\x1b[0m a\\x1b[2J\n  - x\n  + y\\x07\n");
}

TEST_CASE("problems are ordered by the names of their files, then by line and column") {
  const std::string b = "b.toml";
  CHECK(&FileName(b).str() == &FileName("b.toml").str());
  CHECK(FileName("").empty());
  CHECK(FileName() == FileName(""));
  std::vector<Problem> problems = {{.message = "3", .where = {.file = b, .line = 2, .column = 1}},
                                   {.message = "2", .where = {.file = b, .line = 1, .column = 9}},
                                   {.message = "1", .where = {.file = "a.toml", .line = 7}},
                                   {.message = "0", .where = {}}};
  sort_by_position(problems);
  std::string order;
  for (const Problem& problem : problems) order += problem.message;
  CHECK(order == "0123");
  CHECK(to_string(problems[1].where) == "a.toml:7");
}

TEST_CASE("paragraphs keep their lines wherever people read them, and nothing of them is markup") {
  Report report = sample();
  report.text = "* in its own words\n  <b>``` \x1b\n";
  const std::string page = render::render_html(report, {});
  CHECK(test::has(page, ">* in its own words\n  &lt;b&gt;``` \\x1b\n</pre>"));
  CHECK(test::has(render::render_markdown(report, {}), "````\n* in its own words\n  <b>``` \\x1b\n````\n"));
  CHECK_FALSE(test::has(render::render_json(report, {}), "own words"));
}

}  // namespace kdb::report_test
