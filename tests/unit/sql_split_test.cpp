#include <chrono>
#include <string>
#include <vector>

#include <doctest/doctest.h>

#include "base/sql.hpp"

namespace kdb::sql_split_test {

using sql::Statement;

namespace {

std::vector<std::string> texts(std::string_view script) {
  std::vector<Problem> problems;
  std::vector<std::string> result;
  for (const Statement& statement : sql::split(script, problems)) result.push_back(statement.text);
  for (const Problem& problem : problems) result.push_back("problem: " + problem.message);
  return result;
}

std::vector<Statement> statements(std::string_view script) {
  std::vector<Problem> problems;
  auto result = sql::split(script, problems);
  CHECK(problems.empty());
  return result;
}

std::vector<Problem> problems_of(std::string_view script) {
  std::vector<Problem> problems;
  CHECK(sql::split(script, problems).empty());  // nothing of it may run
  return problems;
}

using Texts = std::vector<std::string>;

}  // namespace

TEST_CASE("statements come without their semicolons, comments and white space around") {
  CHECK(texts("") == Texts{});
  CHECK(texts(" \n;;-- only a comment\n/* and another */;") == Texts{});
  CHECK(texts("select 1") == Texts{"select 1"});
  CHECK(texts("-- a\nselect 1 /* b */ + 2 -- c\n; ;; select 2 ;") ==
        Texts{"select 1 /* b */ + 2", "select 2"});
  CHECK(texts("\xEF\xBB\xBFselect 1;\r\nselect 'a\r\nb';\r\n") == Texts{"select 1", "select 'a\r\nb'"});
}

TEST_CASE("semicolons inside of a statement do not end it") {
  const std::vector<std::string> whole{
      "SELECT ';', E'\\';', \";\", $$;$$, $a$;$$;$a$, U&';' /* ; /* ; */ ; */ FROM t",
      "DO $body$ BEGIN PERFORM 1; PERFORM 2; END $body$",
      "CREATE RULE r AS ON INSERT TO t DO INSTEAD (DELETE FROM a; DELETE FROM b)",
      "CREATE FUNCTION f() RETURNS int LANGUAGE sql BEGIN ATOMIC SELECT 1; SELECT CASE WHEN true THEN 1 ELSE "
      "2 END; END",
      "CREATE OR REPLACE PROCEDURE p() BEGIN ATOMIC INSERT INTO t VALUES (1); SELECT 1 AS end; SELECT 2 end; "
      "END",
      "CREATE FUNCTION f() RETURNS int BEGIN ATOMIC END",
      "CREATE FUNCTION f(a int DEFAULT 1) RETURNS int RETURN a",
      // The same in syntax that no parser of today knows, so that kdb's own cutter decides.
      "CREATE RULE r AS ON INSERT TO t DO NEWISH (DELETE FROM a; DELETE FROM b)",
      "CREATE FUNCTION f() RETURNS int NEWISH BEGIN ATOMIC SELECT 1; SELECT CASE WHEN true THEN 1 END; "
      "SELECT 2 end; END",
      "CREATE OR REPLACE PROCEDURE p() NEWISH BEGIN ATOMIC SELECT 1; END",
      "CREATE NEWISH t (a int GENERATED ALWAYS AS (1) NEWISH)",
  };
  for (const std::string& statement : whole) {
    CAPTURE(statement);
    CHECK(texts(statement) == Texts{statement});
    CHECK(texts("BEGIN; " + statement + ";COMMIT") == Texts{"BEGIN", statement, "COMMIT"});
  }
}

TEST_CASE("a position counts characters and lines, not bytes") {
  const auto found = statements("-- é\nSELECT 'é', 1; SELECT 2;\r\n  SELECT '日\n本'; SELECT 3");
  REQUIRE(found.size() == 4);
  CHECK(found[0].line == 2);
  CHECK(found[0].column == 1);
  CHECK(found[0].offset == 6);
  CHECK(found[1].line == 2);
  CHECK(found[1].column == 16);
  CHECK(found[1].offset == 22);
  CHECK(found[2].line == 3);
  CHECK(found[2].column == 3);
  CHECK(found[3].line == 4);
  CHECK(found[3].column == 5);
  const auto marked = statements("\xEF\xBB\xBFselect 1");
  CHECK(marked[0].column == 1);
  CHECK(marked[0].offset == 3);
}

TEST_CASE("only what the parser does not know is marked as newer grammar") {
  const auto found = statements(
      "SELECT 1; CREATE NEWISH THING x; SELECT 2; SELECT 3 NEWISH BY y; CREATE FUNCTION f() RETURNS int "
      "BEGIN ATOMIC"
      " SELECT 1; END; CREATE RULE r AS ON INSERT TO t DO NEWISH (SELECT 1; SELECT 2); SELECT 4");
  REQUIRE(found.size() == 7);
  const std::vector<bool> newer{false, true, false, true, false, true, false};
  for (size_t i = 0; i < found.size(); ++i) {
    CAPTURE(found[i].text);
    CHECK(found[i].newer_grammar == newer[i]);
  }
}

TEST_CASE("numbers of newer releases do not hide the statements around them") {
  CHECK(texts("SELECT 1; SELECT 1_000, 0xFF; SELECT ';'") ==
        Texts{"SELECT 1", "SELECT 1_000, 0xFF", "SELECT ';'"});
}

TEST_CASE("kdb:rerunnable counts for the statement that it stands directly before") {
  struct Row {
    const char* name;
    std::string script;
    std::vector<bool> rerunnable;
  };
  const std::vector<Row> rows{
      {"line comment", "-- kdb:rerunnable\nselect 1; select 2", {true, false}},
      {"with a reason", "--kdb:rerunnable: it only refreshes\nselect 1", {true}},
      {"block comment", "select 1; /* kdb:rerunnable */ select 2", {false, false}},
      {"block comment on its own line", "select 1;\n/* kdb:rerunnable */ select 2", {false, true}},
      {"other comments between", "-- kdb:rerunnable\n-- because\n/* so */ select 1", {true}},
      {"at the end of the line before", "select 1; -- kdb:rerunnable\nselect 2", {false, false}},
      {"inside of the statement", "select -- kdb:rerunnable\n1; select 2", {false, false}},
      {"before an empty statement", "-- kdb:rerunnable\n; select 2", {false}},
      {"another word", "-- kdb:rerunnables\nselect 1", {false}},
      {"after newer syntax", "NEWISH 1;\r\n-- kdb:rerunnable\r\nNEWISH 2", {false, true}},
  };
  for (const Row& row : rows) {
    CAPTURE(row.name);
    std::vector<bool> found;
    for (const Statement& statement : statements(row.script)) found.push_back(statement.rerunnable);
    CHECK(found == row.rerunnable);
  }
}

TEST_CASE("what is no SQL is refused with its place and a hint") {
  struct Row {
    std::string script;
    std::string message;
    int line = 0;
    int column = 0;
    std::string hint;
  };
  const std::string utf8 = "save the file as UTF-8 text";
  const std::string utf16 = "the file looks like UTF-16: save it as UTF-8";
  const std::string no_psql = "remove it: kdb sends SQL to the server and runs no psql";
  const std::string rows_hint =
      "write the rows as INSERT ... VALUES, or load them with psql after the migration";
  const std::vector<Row> rows{
      {"select 1;\nselect é'abc", "unterminated quoted string", 2, 9,
       "close it with ', and write a quote inside of it twice"},
      {"select E'\\'", "unterminated quoted string", 1, 8,
       "close it with ', and write a quote inside of it twice"},
      {"select \"a;\n", "unterminated quoted identifier", 1, 8, "close it with \""},
      {"do $é$ begin $$", "unterminated dollar-quoted string $é$", 1, 4, "close it with $é$"},
      {"select 1 /* a /* b */", "unterminated comment", 1, 10,
       "close it with */; comments nest, so each /* needs its own"},
      {"\\i other.sql", "psql meta-command \"\\i\" is not SQL", 1, 1,
       "put the other file's statements here, or make it a migration of its own"},
      {"select 1;\n  \\connect it's", "psql meta-command \"\\connect\" is not SQL", 2, 3,
       "remove it: kdb connects to the one database that it was given"},
      {"\\copy t from 'x.csv'", "psql meta-command \"\\copy\" is not SQL", 1, 1,
       "load data with INSERT, or with psql after the migration"},
      {"\\restrict abc", "psql meta-command \"\\restrict\" is not SQL", 1, 1,
       "remove the line: pg_dump writes it for psql only"},
      {"\\.", "psql meta-command \"\\.\" is not SQL", 1, 1, no_psql},
      {"select 1 \\gset", "psql meta-command \"\\gset\" is not SQL", 1, 10, no_psql},
      {"\nCOPY t (a) FROM stdin WITH (FORMAT csv);\nit's\n\\.\n", "COPY ... FROM stdin: its data is not SQL",
       2, 1, rows_hint},
      {"copy t from STDIN", "COPY ... FROM stdin: its data is not SQL", 1, 1, rows_hint},
      {"copy t from stdin;\n1\t'a\n", "COPY ... FROM stdin: its data is not SQL", 1, 1, rows_hint},
      {std::string("select\n 1\0;", 11), "NUL byte", 2, 3, utf8},
      {std::string("s\0e\0", 4), "NUL byte", 1, 2, utf16},
      {"select 'é caf\xE9'", "invalid UTF-8: byte 0xe9", 1, 14, utf8},
      {"\xFF\xFEs", "invalid UTF-8: byte 0xff", 1, 1, utf16},
  };
  for (const Row& row : rows) {
    CAPTURE(row.script);
    const auto problems = problems_of(row.script);
    REQUIRE(problems.size() == 1);
    CHECK(problems[0].message == row.message);
    CHECK(problems[0].where.line == row.line);
    CHECK(problems[0].where.column == row.column);
    CHECK(problems[0].hint == row.hint);
  }
}

TEST_CASE("every problem of a script is reported at once, and COPY's data is not read as SQL") {
  const auto problems = problems_of(
      "\\set x 1\nCOPY a FROM stdin;\n'\n\\.\nCOPY b FROM stdin;\n\"\n\\.\n\nselect 1;\nselect 'open");
  REQUIRE(problems.size() == 4);
  CHECK(problems[0].where.line == 1);
  CHECK(problems[1].where.line == 2);
  CHECK(problems[2].where.line == 5);
  CHECK(problems[3].where.line == 10);
}

TEST_CASE("problems come in the script's order") {
  const auto problems = problems_of("COPY a\n\\x\nFROM stdin;\n\\.\nselect 'open");
  REQUIRE(problems.size() == 3);
  CHECK(problems[0].where.line == 1);
  CHECK(problems[1].where.line == 2);
  CHECK(problems[2].where.line == 5);
}

TEST_CASE("COPY from elsewhere, and a backslash in quotes, are SQL") {
  CHECK(texts("COPY t FROM '/tmp/stdin'; COPY t TO stdout; COPY t FROM PROGRAM 'x'; COPY (SELECT * FROM "
              "stdin) TO "
              "stdout; SELECT '\\i'; SELECT $$\\.$$")
            .size() == 6);
}

TEST_CASE("a plain syntax error is no problem here: the server decides") {
  CHECK(texts("select 1; selec 2; select ) 3; select 4") ==
        Texts{"select 1", "selec 2", "select ) 3", "select 4"});
}

TEST_CASE(
    "a parenthesis that is never closed keeps the rest in one statement, which the server refuses whole") {
  CHECK(texts("select 1; select (2; drop table t") == Texts{"select 1", "select (2; drop table t"});
}

TEST_CASE("scripts longer than the parser is given at once are cut alike") {
  std::string script;
  int rows = 0;
  for (; script.size() < 700 * 1024; ++rows) {
    script += rows % 1000 == 999 ? "SELECT 1_000;\n"
                                 : "INSERT INTO t VALUES (" + std::to_string(rows) + ", ';');\n";
  }
  const auto found = statements(script);
  CHECK(found.size() == static_cast<size_t>(rows));
  CHECK(found.back().line == rows);
}

TEST_CASE("nesting beyond the parser's stack is cut all the same") {
  const std::string deep = "SELECT " + std::string(50000, '(') + "1" + std::string(50000, ')');
  CHECK(texts(deep + "; SELECT 2") == Texts{deep, "SELECT 2"});
}

TEST_CASE("equal tokens are equal scripts") {
  CHECK(sql::equal_tokens("select 1;", "\xEF\xBB\xBFselect\r\n\t1 -- one\n /* two */ ;"));
  CHECK(sql::equal_tokens("select 'a\nb', $$c\nd$$", "select 'a\r\nb', $$c\r\nd$$"));
  CHECK(sql::equal_tokens("", "-- nothing"));
  CHECK(sql::equal_tokens("select 'open\r\n", "select 'open\n"));
  CHECK_FALSE(sql::equal_tokens("select 'a b'", "select 'a  b'"));
  CHECK_FALSE(sql::equal_tokens("select 'a\rb'", "select 'a\nb'"));
  CHECK_FALSE(sql::equal_tokens("select 'a\r'", "select 'a'"));
  CHECK_FALSE(sql::equal_tokens("select 1", "select 1;"));
  CHECK_FALSE(sql::equal_tokens("select a b", "select ab"));
  CHECK_FALSE(sql::equal_tokens("select 1", "SELECT 1"));
  CHECK_FALSE(sql::equal_tokens("select 'a'", "select 'a"));
  CHECK_FALSE(sql::equal_tokens("select 1", "select 1 /* open"));
}

}  // namespace kdb::sql_split_test
