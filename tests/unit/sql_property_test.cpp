#include <random>
#include <string>
#include <vector>

#include <doctest/doctest.h>

#include "base/sql.hpp"
#include "support/cases.hpp"

namespace kdb::sql_property_test {

namespace {

// Each is one statement for some PostgreSQL of today; the last ones only for 16 to 18.
const std::vector<std::string> pool{
    "SELECT 1",
    "select ';', \"a;b\", $$;$$ -- ; inside\n, 2",
    "CREATE TABLE é (a int, b text DEFAULT 'x;y')",
    "INSERT INTO t VALUES (1, 'it''s'), (2, E'\\';')",
    "INSERT INTO t VALUES ('a'\n  ';b')",
    "DO $do$ BEGIN IF true THEN PERFORM $$;$$; END IF; END; $do$",
    "CREATE FUNCTION f() RETURNS void LANGUAGE plpgsql AS $_$ begin null; end $_$",
    "CREATE FUNCTION g(a int) RETURNS int BEGIN ATOMIC SELECT CASE a WHEN 1 THEN 2 END; SELECT 3; END",
    "CREATE PROCEDURE h() BEGIN ATOMIC INSERT INTO t VALUES (1); DELETE FROM t; END",
    "CREATE RULE r AS ON UPDATE TO t DO ALSO (INSERT INTO l VALUES (1); SELECT 2)",
    "CREATE RULE r2 AS ON UPDATE TO t DO NOTHING",
    "BEGIN",
    "COMMIT",
    "END",
    "SELECT CASE WHEN a THEN b END FROM \"case\"",
    "SELECT 1 AS begin, 2 AS atomic, 3 AS end",
    "CREATE INDEX CONCURRENTLY i ON t (a) WHERE b > 0",
    "SELECT a[1], b[2:3], (c).d FROM t",
    "SELECT 1/* ; */+/* /* ; */ ' */2",
    "SELECT U&'\\0441;' UESCAPE '!', U&\"\\0441;\"",
    "CREATE OPERATOR === (LEFTARG = int, RIGHTARG = int, FUNCTION = eq)",
    "COPY t TO stdout",
    "WITH x AS (SELECT 1) DELETE FROM t USING x",
    "SELECT 1_000_000, 0xFF, 0b10, 0o17",
    "SELECT JSON_ARRAY(1, NULL NULL ON NULL), JSON_OBJECT('a': 1 ABSENT ON NULL)",
    "CREATE TABLE v (a int, b int GENERATED ALWAYS AS (a * 2) VIRTUAL)",
    "CREATE FUNCTION n() RETURNS int BEGIN ATOMIC SELECT 1_000; SELECT CASE WHEN true THEN 1 END; END",
    "CREATE RULE n AS ON INSERT TO t DO (SELECT JSON_ARRAY(1 NULL ON NULL); SELECT 1_0)",
    "ALTER TABLE t ADD CONSTRAINT c CHECK (a > 0) NOT ENFORCED",
    "MERGE INTO t USING s ON t.a = s.a WHEN NOT MATCHED BY SOURCE THEN DELETE RETURNING merge_action()",
};

const std::vector<std::string> gaps{
    "",        " ", "\n",   "\r\n",       "\t",  "-- a comment; with 'quotes\n",
    "/* ; */", ";", "\n\n", "/* $$ */\n", "--\n"};

struct Join {
  std::string script;
  std::vector<size_t> statements;  // indices into the pool
  std::vector<size_t> offsets;
};

Join make_join(std::mt19937& random) {
  const auto gap = [&] {
    std::string text;
    for (auto n = random() % 4; n > 0; --n) text += gaps[random() % gaps.size()];
    return text;
  };
  Join join;
  if (random() % 8 == 0) join.script = "\xEF\xBB\xBF";
  for (auto n = random() % 12; n > 0; --n) {
    join.script += gap();
    join.statements.push_back(random() % pool.size());
    join.offsets.push_back(join.script.size());
    join.script += pool[join.statements.back()];
    // A gap of comments alone must not join two statements.
    if (n > 1 || random() % 2 == 0) join.script += gap() + ";";
  }
  join.script += gap();
  return join;
}

}  // namespace

TEST_CASE("a random join of statements splits back into the same statements") {
  const unsigned seed = test::seed();
  CAPTURE(seed);
  std::mt19937 random(seed);
  for (int i = 0; i < test::cases(); ++i) {
    const Join join = make_join(random);
    CAPTURE(join.script);
    std::vector<Problem> problems;
    const auto found = sql::split(join.script, problems);
    CHECK(problems.empty());
    REQUIRE(found.size() == join.statements.size());
    for (size_t k = 0; k < found.size(); ++k) {
      CHECK(found[k].text == pool[join.statements[k]]);
      CHECK(found[k].offset == join.offsets[k]);
      // What the parser knows alone it knows in company.
      std::vector<Problem> none;
      CHECK(found[k].newer_grammar == sql::split(found[k].text, none).at(0).newer_grammar);
    }
  }
}

TEST_CASE("white space and comments between random statements do not change a script's tokens") {
  const unsigned seed = test::seed();
  CAPTURE(seed);
  std::mt19937 random(seed);
  for (int i = 0; i < test::cases(); ++i) {
    const Join join = make_join(random);
    std::vector<Problem> problems;
    std::string plain;
    std::string changed;
    for (const auto& statement : sql::split(join.script, problems)) {
      plain += statement.text + ";\n";
      changed += "/* new */ " + statement.text + " -- new\r\n ;";
    }
    CAPTURE(plain);
    CHECK(sql::equal_tokens(plain, changed));
    CHECK_FALSE(sql::equal_tokens(plain, changed + " SELECT 1"));
  }
}

}  // namespace kdb::sql_property_test
