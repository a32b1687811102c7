// What the server makes of declared indexes and statistics, and what it refuses.
#include "db/canonical.hpp"

#include "support/text.hpp"

namespace kdb::test::canonical_test {

TEST_CASE("definitions become what the server prints, and what it need not print stays as it is declared") {
  const Database database;
  database.exec("CREATE TABLE t (a int, b text, n numeric)");
  const pg::CanonicalSchema canonical = ask(database, R"toml(
[indexes.i]
table = "t"
columns = ["a DESC NULLS FIRST", "( Lower(b) ) COLLATE \"C\" TEXT_OPS ASC NULLS LAST"]
include = ["\"n\""]
where = "( n>0 and B = 'x' )"
unique = true
with = { fillfactor = 70 }
tablespace = "not there"
statistics = { 2 = 500 }
comment = "why"
[statistics.s]
table = "t"
columns = ["b", "a"]
kinds = ["mcv", "ndistinct", "dependencies"]
target = 7
comment = "of two"
)toml");
  REQUIRE(canonical.of<Index>().size() == 1);
  CHECK(canonical.of<Index>()[0] ==
        pg::Canonical<Index>{.value = Index{.name = {"public", "i"},
                                            .table = {"public", "t"},
                                            .method = "btree",
                                            .columns = {{"a DESC"}, {"lower(b) COLLATE \"C\""}},
                                            .include = {{"n"}},
                                            .where = {"(n > (0)::numeric) AND (b = 'x'::text)"},
                                            .unique = true,
                                            .with = {{"fillfactor", "70"}},
                                            .tablespace = "not there",
                                            .statistics = {{"2", "500"}},
                                            .comment = "why"}});
  CHECK(canonical.of<Statistics>().at(0) ==
        pg::Canonical<Statistics>{.value = Statistics{.name = {"public", "s"},
                                                      .table = {"public", "t"},
                                                      .columns = {{"a"}, {"b"}},
                                                      .target = 7,
                                                      .comment = "of two"}});
}

TEST_CASE("the server is not asked about what is written as it prints it, nor about what is to be absent") {
  const Database database;
  database.exec(
      "CREATE TABLE t (a int, b text); CREATE INDEX i ON t (a DESC) WITH (fillfactor = 70, deduplicate_items "
      "= "
      "off) WHERE b = 'x'; CREATE STATISTICS s (mcv) ON a, b FROM t");
  Session session(database.url());
  const ServerFacts facts = pg::read_facts(session.connection(), "public", "kdb");
  const LiveSchema live = pg::read_catalog(session.connection(), facts, milliseconds(3000));
  const DesiredSchema desired = parse(
      "[indexes.i]\ntable = \"t\"\ncolumns = [\"a DESC\"]\nwhere = \"b = 'x'::text\"\nwith = { fillfactor = "
      "70.0, deduplicate_items = false }\n[indexes.gone]\ntable = \"nope\"\ncolumns = [\"a\"]\nstate = "
      "\"absent\"\n"
      "[statistics.s]\ntable = \"t\"\ncolumns = [\"a\", \"b\"]\nkinds = [\"mcv\"]\n");
  // Whoever asks hears that the session has ended.
  Session(database.url())
      .exec("SELECT pg_terminate_backend(" + std::to_string(session.connection().announced_pid()) + ")");
  const auto canonical = pg::canonicalise(session.connection(), facts, desired, live, milliseconds(3000));
  CHECK(canonical.of<Index>().at(0).value == live.of<Index>().at(0).value);
  CHECK(canonical.of<Statistics>().at(0).value == live.of<Statistics>().at(0).value);
  CHECK_THROWS_AS(pg::canonicalise(session.connection(), facts, parse(index_of_t), live, milliseconds(3000)),
                  pg::ServerError);
}

TEST_CASE("a parameter in another spelling is the live one, and another value is not") {
  const Database database;
  database.exec(
      "CREATE TABLE t (a int, r int4range);"
      "CREATE INDEX b ON t (a) WITH (fillfactor = 70, deduplicate_items = off);"
      "CREATE INDEX g ON t USING gist (r) WITH (buffering = AUTO); CREATE INDEX o ON t (a) WITH (fillfactor "
      "= '0106')");
  const struct {
    std::string index, with, expected;
  } rows[] = {
      {"b", "fillfactor = \"+70\"", "\"fillfactor\" = '70'"},
      {"b", "fillfactor = 71", "\"fillfactor\" = '71'"},
      {"b", "fillfactor = \"1e2\"", "\"fillfactor\" = '1e2'"},
      {"b", "deduplicate_items = \"NO\"", "\"deduplicate_items\" = 'off'"},
      {"b", "deduplicate_items = 0", "\"deduplicate_items\" = 'off'"},
      {"b", "deduplicate_items = true", "\"deduplicate_items\" = 'true'"},
      {"g", "buffering = \"Auto\"", "\"buffering\" = 'auto'"},
      {"g", "buffering = \"on\"", "\"buffering\" = 'on'"},
      {"o", "fillfactor = 106", "\"fillfactor\" = '106'"},  // 0106 is octal: 70
  };
  for (const auto& row : rows) {
    CAPTURE(row.with);
    const std::string column = row.index == "g" ? "\"r\"]\nmethod = \"gist\"" : "\"a\"]";
    const std::string sql =
        index_outcome(database, "[indexes." + row.index + "]\ntable = \"t\"\ncolumns = [" + column +
                                    "\nwith = { " + row.with + " }\n");
    CHECK_MESSAGE(has(sql, "WITH (" + row.expected + ")"), sql);
  }
}

TEST_CASE("what the server refuses is refused with its words, at the field that it is about") {
  const Database database;
  database.exec("CREATE TABLE t (a int, b text, at timestamptz, j jsonb)");
  const struct {
    std::string fields;
    int line;
    std::string message;
  } rows[] = {
      {"columns = [\"nope\"]", 3, "columns: column \"nope\" does not exist (42703)"},
      {"columns = [\"a\"]\nwhere = \"at > now()\"", 4,
       "where: functions in index predicate must be marked IMMUTABLE (42P17)"},
      {"columns = [\"date(at)\"]", 3,
       "columns: functions in index expression must be marked IMMUTABLE (42P17)"},
      {"columns = [\"nope\"]\nwhere = \"nor > 1\"", 4, "where: column \"nor\" does not exist (42703)"},
      {"columns = [\"a\"]\ninclude = [\"lower(b)\"]", 4,
       "include: expressions are not supported in included columns (0A000)"},
      {"columns = [\"a\"]\nwith = { fillfactor = 5 }", 4,
       "with: value 5 out of bounds for option \"fillfactor\" (22023)"},
      {"columns = [\"a\"]\nmethod = \"nope\"", 4, "method: access method \"nope\" does not exist (42704)"},
      {"columns = [\"a\"]\nmethod = \"hash\"\nunique = true", 5,
       "unique: access method \"hash\" does not support unique indexes (0A000)"},
      {"columns = [\"j\"]\nmethod = \"gist\"", 3,
       "columns: data type jsonb has no default operator class for access method \"gist\" (42704)"},
      {"columns = [\"a =\"]", 3, "columns: syntax error at or near \"=\" (42601)"},
  };
  for (const auto& row : rows) {
    CAPTURE(row.fields);
    const std::string found = index_outcome(database, "[indexes.i]\ntable = \"t\"\n" + row.fields + "\n");
    CHECK(found.starts_with("refused: p.toml:" + std::to_string(row.line) + ":"));
    CHECK_MESSAGE(found.ends_with(": [indexes.i] " + row.message), found);
  }
  database.exec("CREATE VIEW v AS SELECT * FROM t");
  const std::string of_view = index_outcome(database, "[indexes.i]\ntable = \"v\"\ncolumns = [\"a\"]\n");
  CHECK_MESSAGE(
      (of_view.starts_with("refused: p.toml:2:") && has(of_view, "table: \"public\".\"v\" is not a table")),
      of_view);
  const pg::CanonicalSchema hinted = ask(database, "[indexes.i]\ntable = \"t\"\ncolumns = [\"nope(a)\"]\n");
  CHECK(hinted.of<Index>().at(0).refused->hint.starts_with("No function matches"));

  const auto statistics = ask(database,
                              "[statistics.s]\ntable = \"t\"\ncolumns = [\"a\"]\n"
                              "[statistics.k]\ntable = \"t\"\ncolumns = [\"(a + 1)\"]\nkinds = [\"mcv\"]\n");
  const std::string of_one = outcome(statistics.of<Statistics>().at(0));
  CHECK_MESSAGE((of_one.starts_with("refused: p.toml:3:") && has(of_one, "[statistics.s] columns: ")),
                of_one);
  const std::string of_kind = outcome(statistics.of<Statistics>().at(1));
  CHECK_MESSAGE((of_kind.starts_with("refused: p.toml:7:") && has(of_kind, "[statistics.k] kinds: ")),
                of_kind);
}

TEST_CASE("what is refused keeps nobody else from an answer") {
  const Database database;
  database.exec("CREATE TABLE t (a int, b text); CREATE TABLE u (a int)");
  std::string profile;
  for (int i = 0; i < 50; ++i) {
    const std::string column = i % 17 == 3 ? "nope" : i % 17 == 5 ? "a =" : "a  desc";
    profile += "[indexes.i" + std::to_string(i) + "]\ntable = \"" + (i % 2 == 0 ? "t" : "u") +
               "\"\ncolumns = [\"" + column + "\"]\n";
  }
  const pg::CanonicalSchema canonical = ask(database, profile);
  for (int i = 0; i < 50; ++i) {
    CAPTURE(i);
    const std::string found = outcome(canonical.of<Index>().at(static_cast<size_t>(i)));
    if (i % 17 == 3 || i % 17 == 5)
      CHECK(found.starts_with("refused: "));
    else
      CHECK(found == as_printed);
  }
}

TEST_CASE("tables of one name, and of names that mean something else, are told apart") {
  const Database database;
  database.exec(
      "CREATE SCHEMA one; CREATE SCHEMA \"t;wo\"; CREATE TABLE one.t (a int); CREATE TABLE \"t;wo\".t (a "
      "text);"
      "CREATE TABLE text (a int); CREATE TABLE pg_class (a text); CREATE TABLE kdb_1 (a int);"
      "CREATE TABLE _t (a int); CREATE TABLE \"select\" (\"group\" int); CREATE TABLE \"ż \"\"x\"\"; --\" (a "
      "int)");
  const pg::CanonicalSchema canonical = ask(database, R"toml(
[indexes."one.i"]
table = "one.t"
columns = ["(a + 1 )"]
[indexes."\"t;wo\".i"]
table = "\"t;wo\".t"
columns = ["(a||'x')"]
[indexes."one.j"]
table = "one.t"
columns = ["( t.a )"]
[indexes.k]
table = "text"
columns = ["(a::text)"]
where = "a <> '1'::text::int"
[indexes.l]
table = "pg_class"
columns = ["lower( a )"]
[indexes.m]
table = "kdb_1"
columns = ["a  desc"]
[indexes.n]
table = "_t"
columns = ["a  desc"]
[indexes.o]
table = "select"
columns = ["\"group\"  desc"]
[indexes.p]
table = "\"ż \"\"x\"\"; --\""
columns = ["a  desc"]
)toml");
  const std::string expected[] = {"((a + 1))",   "((a || 'x'::text))", "a",
                                  "((a)::text)", "lower(a)",           "a DESC",
                                  "a DESC",      "\"group\" DESC",     "a DESC"};
  REQUIRE(canonical.of<Index>().size() == 9);
  for (size_t i = 0; i < std::size(expected); ++i) {
    const pg::Canonical<Index>& one = canonical.of<Index>()[i];
    CAPTURE(expected[i]);
    CAPTURE(outcome(one));
    REQUIRE(one.value);
    CHECK(one.value->columns.at(0).sql == expected[i]);
  }
  CHECK(canonical.of<Index>()[3].value->where.sql == "a <> ('1'::text)::integer");
}

TEST_CASE("many objects are asked about in several rounds") {
  const Database database;
  std::string sql = "CREATE SCHEMA other; CREATE TABLE other.t0 (a text);";
  std::string profile =
      "[indexes.first]\ntable = \"t0\"\ncolumns = [\"(a +1)\"]\n" +
      std::string("[indexes.\"other.i\"]\ntable = \"other.t0\"\ncolumns = [\"Lower(a)\"]\n");
  for (int table = 0; table < 150; ++table) {
    const std::string name = "t" + std::to_string(table);
    sql += "CREATE TABLE " + name + " (a int, b text);";
    // So many of one that it needs a further round, where its namesake must not be.
    for (int i = 0; i < (table == 0 ? 400 : 2); ++i)
      profile += "[indexes." + name + "_" + std::to_string(i) + "]\ntable = \"" + name +
                 "\"\ncolumns = [\"(a +1)\"]\n";
  }
  database.exec(sql);
  const pg::CanonicalSchema canonical = ask(database, profile);
  REQUIRE(canonical.of<Index>().size() == 700);
  for (const auto& one : canonical.of<Index>())
    if (one.value && one.value->name.name == "i")
      CHECK(outcome(one) == "CREATE INDEX i ON t USING btree (lower(a))");
    else
      CHECK(outcome(one) == "CREATE INDEX i ON t USING btree (((a + 1)))");
}

TEST_CASE("backslashes in fragments are read as the profile was, whatever the database's setting is") {
  const Database database;
  database.exec("CREATE TABLE t (a int, b text); ALTER DATABASE " + database.name() +
                " SET standard_conforming_strings TO off");
  CHECK(index_outcome(database,
                      "[indexes.i]\ntable = \"t\"\ncolumns = [\"a\"]\nwhere = '''b = '\\' and a > 1'''\n") ==
        "CREATE INDEX i ON t USING btree (a) WHERE (b = '\\'::text) AND (a > 1)");
}

TEST_CASE("an index that the copy would take and the table would not is refused as there") {
  const Database database;
  if (database.text("SELECT current_setting('server_version_num')::int >= 180000") != "t")
    return skip("no virtual generated columns");
  database.exec("CREATE TABLE t (a int, c int GENERATED ALWAYS AS (a + 1) VIRTUAL)");
  CHECK(has(index_outcome(database, "[indexes.i]\ntable = \"t\"\ncolumns = [\"c\"]\n"), "refused: "));
}

TEST_CASE("materialised views and partitioned tables are copied like any table") {
  const Database database;
  database.exec(
      "CREATE TABLE p (a int, b text) PARTITION BY RANGE (a);"
      "CREATE MATERIALIZED VIEW m AS SELECT a, b COLLATE \"C\" AS b FROM p");
  const auto canonical =
      ask(database,
          "[indexes.i]\ntable = \"m\"\ncolumns = [\"a\", \"b collate \\\"C\\\"\", \"b collate "
          "\\\"default\\\"\"]\n"
          "[statistics.s]\ntable = \"p\"\ncolumns = [\"b\", \"a\"]\n");
  CHECK(outcome(canonical.of<Index>().at(0)) ==
        "CREATE INDEX i ON t USING btree (a, b, b COLLATE \"default\")");
  CHECK(outcome(canonical.of<Statistics>().at(0)) == "CREATE STATISTICS s ON a, b FROM t");
}

}  // namespace kdb::test::canonical_test
