// What one migration does to its session, its transaction and kdb's own tables, and what others see of that.

#include <string>
#include <utility>
#include <vector>

#include <doctest/doctest.h>

#include "db/project.hpp"
#include "support/skip.hpp"
#include "support/text.hpp"

namespace kdb::test::isolation_test {

namespace {

std::string temporary_tables(int count) {
  return "DO $$ BEGIN FOR i IN 1.." + std::to_string(count) +
         " LOOP EXECUTE format('CREATE TEMP TABLE t%s (a int)', i); END LOOP; END $$;";
}

}  // namespace

TEST_CASE("a resumed file goes on in the session state that its finished statements left") {
  for (const std::string setting :
       {"BEGIN; SET search_path = s; CREATE TABLE a (x int); COMMIT;",
        "SET search_path = s; CREATE TABLE a (x int);",
        "SELECT pg_catalog.set_config('search_path', 's', false); CREATE TABLE a (x int);"}) {
    CAPTURE(setting);
    const Database database;
    Project project;
    const auto file = [&](const std::string& divisor) {
      project.file("1_a.sql", "-- migrate:up transaction:false\nCREATE SCHEMA s;\n" + setting +
                                  "\nSELECT 1/" + divisor + ";\nCREATE TABLE b (x int);\n");
    };
    file("0");
    REQUIRE(project.up(database.url()).exit == 1);
    file("1");
    const Run up = project.up(database.url());
    CHECK_MESSAGE(up.exit == 0, up.err);
    CHECK(database.text("SELECT to_regclass('s.a') IS NOT NULL AND to_regclass('s.b') IS NOT NULL") == "t");
  }
}

TEST_CASE("a setting that cannot be made again is refused before a file runs in pieces") {
  const Database database;
  for (const std::string setting :
       {"DO $$ BEGIN PERFORM set_config('search_path', 's', false); END $$;",
        "DO $x$ BEGIN SET search_path = s; END $x$;", "SELECT 1, set_config('search_path', 's', false);"}) {
    CAPTURE(setting);
    Project project;
    project.file("1_a.sql",
                 "-- migrate:up transaction:false\nCREATE TABLE never (a int);\n" + setting + "\n");
    const Run up = project.up(database.url());
    CHECK(up.exit == 64);
    CHECK(has(up.err, "1_a.sql:3:1: a setting made inside of"));
    CHECK(database.text("SELECT to_regclass('never') IS NULL") == "t");
  }
  Project project;
  project.file(
      "1_a.sql",
      "-- migrate:up transaction:false\nCREATE TABLE a (a int);\n"
      "DO $$ BEGIN PERFORM set_config('search_path', 's', true); SET LOCAL work_mem = '1MB'; END $$;\n");
  CHECK(project.up(database.url()).exit == 0);
}

TEST_CASE("strings that end elsewhere than kdb reads them are refused") {
  const Database database;
  Project project;
  project.migration("1_a", "SET standard_conforming_strings = off;\nCREATE TABLE never (a int);");
  const Run off = project.up(database.url());
  CHECK(off.exit == 64);
  CHECK(has(off.err, "1_a.sql:2:1: kdb reads strings as standard_conforming_strings = on"));
  project.migration("1_a", "SET standard_conforming_strings = on;\nCREATE TABLE a (a int);");
  database.exec("ALTER DATABASE " + database.name() + " SET standard_conforming_strings TO off");
  const Run refused = project.up(database.url());
  CHECK(refused.exit == 3);
  CHECK(has(refused.err, "has standard_conforming_strings = off"));
  database.exec("ALTER DATABASE " + database.name() + " RESET standard_conforming_strings");
  CHECK(project.up(database.url()).exit == 0);
}

TEST_CASE("a statement that ends kdb's transaction unseen is noticed") {
  const Database database;
  Project project;
  // The scanner cannot know that the function switches strings while the file runs.
  project.migration("1_a",
                    "DO $$ BEGIN PERFORM set_config('standard_conforming_strings', 'off', false); "
                    "PERFORM set_config('escape_string_warning', 'off', false); "
                    "PERFORM set_config('backslash_quote', 'on', false); END $$;\n"
                    "CREATE TABLE a (x text, y text);\n"
                    "INSERT INTO a VALUES ('\\'', 'x'); COMMIT; SELECT 1; --');\n");
  const Run up = project.up(database.url());
  CHECK(up.exit == 1);
  CHECK(has(up.err, "this statement ended the transaction that kdb runs the file in"));
  CHECK_FALSE(has(up.err, "nothing of it was applied"));
}

TEST_CASE("a migration whose record is kept from being written is not applied") {
  const std::vector<std::pair<std::string, std::string>> triggers = {
      {"BEFORE INSERT ON kdb.migrations", "RETURN NULL"},
      {"BEFORE INSERT ON kdb.migrations", "new.state := ''partial''; RETURN new"},
      {"AFTER INSERT ON kdb.migrations", "DELETE FROM kdb.migrations WHERE key = new.key; RETURN NULL"},
      {"AFTER INSERT ON kdb.migrations",
       "UPDATE kdb.migrations SET state = ''partial'' WHERE key = new.key; RETURN NULL"},
      {"AFTER INSERT ON kdb.events", "TRUNCATE kdb.migrations; RETURN NULL"}};
  for (const auto& trigger : triggers) {
    const std::string& event = trigger.first;
    const std::string& action = trigger.second;
    CAPTURE(event);
    CAPTURE(action);
    const Database database;
    Project project;
    project.migration("1_first", "SELECT 1;");
    REQUIRE(project.up(database.url()).exit == 0);
    project.migration("2_a", "CREATE FUNCTION spoil() RETURNS trigger LANGUAGE plpgsql AS 'BEGIN " + action +
                                 "; END';\nCREATE TRIGGER t " + event +
                                 " FOR EACH ROW EXECUTE FUNCTION spoil();");
    const Run up = project.up(database.url());
    CHECK(up.exit == 1);
    CHECK(has(up.err, "kept kdb from recording it"));
    CHECK(database.text("SELECT count(*) FROM pg_proc WHERE proname = 'spoil'") == "0");
    CHECK(database.text("SELECT count(*) FROM kdb.migrations") == "1");
  }
}

TEST_CASE("a file runs once, whatever ran before it in the session") {
  const Database database;
  Project project;
  project.migration("1_a", "CREATE TABLE a (n int);\nCREATE SEQUENCE s;");
  project.migration("2_separately", "CREATE INDEX CONCURRENTLY a_n ON a (n);");
  // Neither the sequence nor the prepared statement would know of a rollback.
  project.migration("3_b", "SELECT nextval('s');\nPREPARE p AS INSERT INTO a VALUES (1);\nEXECUTE p;");
  const Run up = project.up(database.url());
  CHECK_MESSAGE(up.exit == 0, up.err);
  CHECK(database.text("SELECT last_value FROM s") == "1");
}

TEST_CASE("a migration that changes kdb's own rows, and one behind it, are applied once") {
  const Database database;
  Project project;
  project.migration("1_first", "SELECT 1;");
  project.migration("2_mend", "CREATE TABLE a (n int);\nUPDATE kdb.migrations SET name = 'renamed';");
  project.migration("3_next", "INSERT INTO a VALUES (1);");
  const Run up = project.up(database.url());
  CHECK_MESSAGE(up.exit == 0, up.err);
  CHECK(database.text("SELECT count(*) FROM a") == "1");
  CHECK(database.text("SELECT string_agg(name, ' ' ORDER BY key) FROM kdb.migrations") ==
        "renamed mend next");
}

TEST_CASE("somebody's rule on kdb's events is in nobody's way") {
  const Database database;
  Project project;
  project.migration("1_first", "CREATE TABLE audit (t text);");
  REQUIRE(project.up(database.url()).exit == 0);
  database.exec("CREATE RULE r AS ON INSERT TO kdb.events DO ALSO INSERT INTO audit VALUES ('e')");
  project.migration("2_a", "SELECT 1;");
  const Run up = project.up(database.url());
  CHECK_MESSAGE(up.exit == 0, up.err);
  CHECK(database.text("SELECT count(*) FROM audit") == "1");
}

TEST_CASE("a role's timeouts do not end the reading of the history") {
  const Database database;
  Project project;
  project.migration("1_first", "SELECT 1;");
  REQUIRE(project.up(database.url()).exit == 0);
  database.exec("ALTER DATABASE " + database.name() + " SET lock_timeout TO '50ms'");
  Session other(database.url());
  other.exec("SET idle_in_transaction_session_timeout TO '500ms'");
  other.exec("BEGIN; LOCK kdb.migrations IN ACCESS EXCLUSIVE MODE");
  const Run up = project.up(database.url());  // waits until the server has ended the other session
  CHECK_MESSAGE(up.exit == 0, up.err);
}

TEST_CASE("a role's statement_timeout does not end what kdb tidies up behind a migration") {
  const Database database;
  database.exec("ALTER DATABASE " + database.name() + " SET statement_timeout TO '20ms'");
  Project project;
  project.migration("1_many", temporary_tables(1500));
  const Run up = project.up(database.url());
  CHECK_MESSAGE(up.exit == 0, up.err);
}

TEST_CASE("a migration is applied, and said to be, whatever ends the tidying up behind it") {
  const Database database;
  Project project;
  project.migration("1_first", "SELECT 1;");
  REQUIRE(project.up(database.url()).exit == 0);
  project.migration("2_many", "CREATE TABLE kept (a int);\n" + temporary_tables(3000));
  Session other(database.url());
  Child kdb(project.command(database.url(), {"migrate", "up"}));
  // The row is seen once COMMIT is through; from then on DISCARD TEMP has 3,000 tables to drop. That is done
  // again, and so it is canceled again.
  const auto cancel = [&](const std::string& condition) {
    return eventually([&] {
      return other.text(
                 "SELECT count(*) FROM pg_stat_activity a WHERE CASE WHEN a.state = 'active' AND "
                 "a.pid <> pg_backend_pid() AND a.datname = current_database() AND a.application_name "
                 "NOT LIKE '%(observer)' AND " +
                 condition + " THEN pg_cancel_backend(a.pid) END") == "1";
    });
  };
  REQUIRE(cancel("EXISTS (SELECT FROM kdb.migrations WHERE key = '2')"));
  REQUIRE(cancel("a.query LIKE 'SET SESSION AUTHORIZATION%'"));
  const Run up = kdb.wait();
  CHECK_MESSAGE(up.exit == 0, up.err);
  CHECK(has(up.out + up.err, "applied 2 many"));
  CHECK(database.text("SELECT to_regclass('kept') IS NOT NULL") == "t");
}

TEST_CASE("a dry run shows what is left of an interrupted migration, and verify checks what is done") {
  const Database database;
  Project project;
  const auto file = [&](const std::string& first, const std::string& last) {
    project.file("1_a.sql",
                 "-- migrate:up transaction:false\nSET work_mem = '8MB';\n" + first + "\n" + last + "\n");
  };
  file("CREATE TABLE t (a int);", "INSERT INTO t VALUES (1/0);");
  REQUIRE(project.up(database.url()).exit == 1);
  file("CREATE TABLE t (a int);", "INSERT INTO t VALUES (1);");
  const Run dry = project.kdb(database.url(), {"migrate", "up", "--dry-run"});
  CHECK(dry.exit == 0);
  CHECK(has(dry.out, "SET work_mem"));
  CHECK(has(dry.out, "INSERT INTO t"));
  CHECK_FALSE(has(dry.out, "CREATE TABLE t"));
  CHECK(project.kdb(database.url(), {"migrate", "verify"}).exit == 0);
  file("CREATE TABLE t (a bigint);", "INSERT INTO t VALUES (1);");
  for (const std::vector<std::string>& command :
       {std::vector<std::string>{"migrate", "verify"}, {"migrate", "up", "--dry-run"}, {"migrate", "up"}}) {
    const Run changed = project.kdb(database.url(), command);
    CHECK(changed.exit == 5);
    CHECK(has(changed.err, "1_a.sql:3:1: statement 2 of migration 1 a was begun with other contents"));
  }
}

TEST_CASE("what --dry-run prints does the same in psql where files leave settings behind") {
  const Database database;
  Project project;
  project.migration(
      "1_a", "SELECT pg_catalog.set_config('search_path', '', false);\nCREATE TABLE public.a (x int);");
  project.migration("2_b", "CREATE TABLE b (x int);");
  const Run dry = project.kdb(database.url(), {"migrate", "up", "--dry-run"});
  CHECK(has(dry.out, "DISCARD ALL;"));
  if (run({"psql", "--version"}).exit != 0) return skip("no psql");
  const TempDir folder;
  const Run piped = run({"psql", "-Xq", "-v", "ON_ERROR_STOP=1", "-f",
                         folder.write("dry.sql", dry.out).string(), database.url()});
  CHECK_MESSAGE(piped.exit == 0, piped.err);
  CHECK(database.text("SELECT to_regclass('public.b') IS NOT NULL") == "t");
}

TEST_CASE("a constraint that fails at COMMIT is the migration's error, and nothing else is said") {
  const Database database;
  Project project;
  project.migration(
      "1_a",
      "CREATE TABLE p (id int PRIMARY KEY);\nCREATE TABLE c (p int REFERENCES p DEFERRABLE INITIALLY "
      "DEFERRED);\nINSERT INTO c VALUES (1);");
  const Run up = project.up(database.url());
  CHECK(up.exit == 1);
  CHECK(has(up.err, "violates foreign key constraint"));
  CHECK_FALSE(has(up.err, "WARNING"));
  CHECK(database.text("SELECT to_regclass('c') IS NULL") == "t");
}

TEST_CASE("a migration that ends its own server process is named") {
  const Database database;
  Project project;
  project.migration("7_suicide", "SELECT pg_terminate_backend(pg_backend_pid());");
  const Run up = project.up(database.url());
  CHECK(up.exit == 1);
  CHECK(has(up.err, "without progress, applying 7 suicide"));
}

TEST_CASE("a database that cannot be written to is said with what to do") {
  const Database database;
  Project project;
  project.migration("1_a", "SELECT 1;");
  database.exec("ALTER DATABASE " + database.name() + " SET default_transaction_read_only TO on");
  const Run up = project.up(database.url());
  CHECK(up.exit == 1);
  CHECK(has(up.err, "read-only transaction (25006)"));
  CHECK(has(up.err, "hint: the session is read-only"));
}

}  // namespace kdb::test::isolation_test
