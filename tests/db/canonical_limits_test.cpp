// When the server cannot be asked about a definition, and that nobody notices that it was.
#include "db/canonical.hpp"
#include "support/text.hpp"

namespace kdb::test::canonical_limits_test {

namespace {

/// All that a transaction which was not rolled back, or a lock which was not given up, would show.
std::string traces(Session& session) {
  return session.text(
      "SELECT (SELECT count(*) FROM pg_class) || ' ' || (SELECT count(*) FROM pg_type) || ' ' || "
      "(SELECT count(*) FROM pg_statistic_ext) || ' ' || (SELECT count(*) FROM pg_depend) || ' ' || "
      "(SELECT count(*) FROM pg_namespace) || ' ' || pg_my_temp_schema() || ' ' || "
      "(SELECT count(*) FROM pg_locks WHERE pid = pg_backend_pid() AND relation = 't'::regclass) || ' ' || "
      "current_setting('search_path') || ' ' || current_setting('lock_timeout')");
}

}  // namespace

TEST_CASE("what a copy of the table cannot decide stays undecided") {
  const Database database;
  database.exec(
      "CREATE TABLE t (a int, b text);"
      "CREATE FUNCTION f(t) RETURNS int LANGUAGE sql IMMUTABLE AS 'SELECT $1.a'");
  for (const std::string column :
       {"f(t)", "f(T.*)", "(\\\"t\\\".f)", "(public.t.a + 1)", "(U&\\\"\\\\0074\\\".f)"}) {
    CAPTURE(column);
    const std::string found =
        index_outcome(database, "[indexes.i]\ntable = \"t\"\ncolumns = [\"" + column + "\"]\n");
    CHECK_MESSAGE(has(found,
                      "undecided: it depends on its table as a whole, and on a copy of that the server "
                      "says: "),
                  found);
  }
  // The name alone does no harm, nor does a row of which only the fields count.
  CHECK(index_outcome(database,
                      "[indexes.i]\ntable = \"t\"\ncolumns = [\"hash_record( t.* )\", \"(t.a)\"]\n") ==
        "CREATE INDEX i ON t USING btree (hash_record(t.*), a)");
}

TEST_CASE("an object of a table that is not there is marked as such") {
  const Database database;
  database.exec("CREATE TABLE t (a int)");
  const pg::CanonicalSchema canonical =
      ask(database, "[indexes.j]\ntable = \"later\"\ncolumns = [\"a\"]\n" + index_of_t +
                        "[statistics.s]\ntable = \"no_schema.t\"\ncolumns = [\"a\", \"b\"]\n");
  CHECK(canonical.of<Index>().at(0).table_missing);
  CHECK(outcome(canonical.of<Index>().at(0)) == "undecided: the table does not exist");
  CHECK_FALSE(canonical.of<Index>().at(1).table_missing);
  CHECK(outcome(canonical.of<Index>().at(1)) == as_printed);
  CHECK(canonical.of<Statistics>().at(0).table_missing);
}

TEST_CASE("nothing is made where event triggers would run on it") {
  const Database database;
  database.exec(
      "CREATE TABLE t (a int); CREATE TABLE fired (tag text);"
      "CREATE FUNCTION note() RETURNS event_trigger LANGUAGE plpgsql AS $$ BEGIN INSERT INTO fired VALUES "
      "(tg_tag); RAISE EXCEPTION 'fired'; END $$");
  const struct {
    std::string trigger;
    bool fires;
  } rows[] = {
      {"ON ddl_command_start EXECUTE FUNCTION note()", true},
      {"ON ddl_command_end WHEN TAG IN ('CREATE INDEX') EXECUTE FUNCTION note()", true},
      {"ON ddl_command_end WHEN TAG IN ('DROP TABLE', 'CREATE TABLE') EXECUTE FUNCTION note()", true},
      {"ON ddl_command_end WHEN TAG IN ('DROP TABLE') EXECUTE FUNCTION note()", false},
      {"ON sql_drop EXECUTE FUNCTION note()", false},
      {"ON ddl_command_end EXECUTE FUNCTION note(); ALTER EVENT TRIGGER note DISABLE", false},
      {"ON ddl_command_end EXECUTE FUNCTION note(); ALTER EVENT TRIGGER note ENABLE REPLICA", false},
      {"ON ddl_command_end EXECUTE FUNCTION note(); ALTER EVENT TRIGGER note ENABLE ALWAYS", true},
  };
  for (const auto& row : rows) {
    CAPTURE(row.trigger);
    database.exec("CREATE EVENT TRIGGER note " + row.trigger);
    CHECK(
        index_outcome(database, index_of_t) ==
        (row.fires ? "undecided: event triggers would run on the copy of its table: \"note\"" : as_printed));
    database.exec("DROP EVENT TRIGGER note");
  }
}

TEST_CASE("a role that may read the tables and make temporary ones is enough") {
  const Database database;
  const std::string role = "reader_" + database.name();
  database.exec(
      "CREATE TABLE t (a int); CREATE TABLE secret (a int); CREATE SCHEMA s; CREATE TABLE s.u (a int);"
      "CREATE FUNCTION s.f(int) RETURNS int LANGUAGE sql IMMUTABLE AS 'SELECT $1';"
      "CREATE ROLE " +
      role + "; GRANT SELECT ON t TO " + role + "; GRANT SELECT ON s.u TO " + role);
  {
    Session session(database.url());
    session.exec("SET SESSION AUTHORIZATION " + role + "; SET default_transaction_read_only TO on");
    const std::string profile = index_of_t +
                                "[indexes.j]\ntable = \"secret\"\ncolumns = [\"a\"]\n"
                                "[indexes.k]\ntable = \"s.u\"\ncolumns = [\"a\"]\n"
                                "[indexes.l]\ntable = \"t\"\ncolumns = [\"s.f(a)\"]\n";
    const auto indexes = ask(session, profile).of<Index>();
    CHECK(outcome(indexes.at(0)) == as_printed);
    CHECK(outcome(indexes.at(1)) ==
          "undecided: the role may not read \"public\".\"secret\": grant it SELECT on the table and USAGE on "
          "its "
          "schema");
    CHECK(has(outcome(indexes.at(2)), "undecided: the role may not read \"s\".\"u\""));
    CHECK(has(outcome(indexes.at(3)), "undecided: permission denied for schema s"));
    database.exec("REVOKE TEMPORARY ON DATABASE " + database.name() + " FROM PUBLIC");
    CHECK(outcome(ask(session, profile).of<Index>().at(0)) ==
          "undecided: the role may not make temporary tables: grant it TEMPORARY on the database");
  }
  database.exec("DROP OWNED BY " + role + "; DROP ROLE " + role);
}

TEST_CASE("a locked table is waited for no longer than lock_timeout, and nothing is left open") {
  const Database database;
  database.exec("CREATE TABLE t (a int)");
  Session other(database.url());
  Session session(database.url());
  const ServerFacts facts = pg::read_facts(session.connection(), "public", "kdb");
  const LiveSchema live = pg::read_catalog(session.connection(), facts, milliseconds(3000));
  const std::string before = traces(session);
  other.exec("BEGIN; LOCK t IN ACCESS EXCLUSIVE MODE");
  try {
    pg::canonicalise(session.connection(), facts, parse(index_of_t), live, milliseconds(100));
    FAIL("nothing was waited for");
  } catch (const Error& error) {
    CHECK(error.exit() == Exit::lock);
    CHECK(std::string(error.what()) == "a table is locked by another session: its columns cannot be read");
  }
  CHECK(session.connection().outside_transaction());
  other.exec("ROLLBACK");
  CHECK(traces(session) == before);
  CHECK(outcome(ask(session, index_of_t).of<Index>().at(0)) == as_printed);
}

TEST_CASE("no trace is left of what was made, and readers and writers of the table are let through") {
  const Database database;
  database.exec("CREATE TABLE t (a int, b text, c int GENERATED ALWAYS AS (a + 1) STORED)");
  Session writer(database.url());
  writer.exec("BEGIN; INSERT INTO t VALUES (1, 'x'); LOCK t IN SHARE ROW EXCLUSIVE MODE");
  Session session(database.url());
  const std::string before = traces(session);
  const auto canonical =
      ask(session, index_of_t +
                       "[indexes.j]\ntable = \"t\"\ncolumns = [\"c\", \"nope\"]\n[indexes.k]\n"
                       "table = \"t\"\ncolumns = [\"( c )\"]\n"
                       "[statistics.s]\ntable = \"t\"\ncolumns = [\"b\", \"a\"]\n");
  CHECK(outcome(canonical.of<Index>().at(0)) == as_printed);
  CHECK(outcome(canonical.of<Index>().at(1)).starts_with("refused: "));
  CHECK(outcome(canonical.of<Index>().at(2)) == "CREATE INDEX i ON t USING btree (c)");
  CHECK(outcome(canonical.of<Statistics>().at(0)) == "CREATE STATISTICS s ON a, b FROM t");
  CHECK(traces(session) == before);
  CHECK(session.connection().outside_transaction());
}

TEST_CASE("TimescaleDB's own event triggers are no obstacle, and a hypertable is a table") {
  const Database database;
  if (database.text("SELECT count(*) FROM pg_available_extensions WHERE name = 'timescaledb'") == "0")
    return skip("no TimescaleDB");
  database.exec("CREATE EXTENSION timescaledb");
  database.exec(
      "CREATE TABLE t (a timestamptz NOT NULL, b int); SELECT create_hypertable('t', 'a');"
      "INSERT INTO t VALUES ('2026-01-01', 1), ('2026-03-01', 2)");
  Session session(database.url());
  const std::string before = traces(session);
  CHECK(outcome(ask(session, index_of_t).of<Index>().at(0)) == as_printed);
  CHECK(traces(session) == before);
}

}  // namespace kdb::test::canonical_limits_test
