// Statements that cannot run in a transaction, other than indexes, after kdb died before, in the middle of or
// after one: the next run decides by the catalog what is left to do.

#include "db/recovery.hpp"

namespace kdb::test::recovery_test {

TEST_CASE("DETACH PARTITION CONCURRENTLY is begun, finalized or taken as done") {
  const std::string tables =
      "CREATE TABLE p (n int) PARTITION BY RANGE (n);\n"
      "CREATE TABLE p1 PARTITION OF p FOR VALUES FROM (0) TO (9);";
  const std::string detach = "ALTER TABLE p DETACH PARTITION p1 CONCURRENTLY";
  const std::string attached = "SELECT count(*) FROM pg_inherits";
  const Case cases[] = {
      {.name = "never began",
       .tables = tables,
       .statement = detach,
       .death = Death::before,
       .question = attached,
       .answer = "0"},
      {.name = "pending",
       .tables = tables,
       .statement = detach,
       .death = Death::middle,
       .question = attached,
       .answer = "0"},
      {.name = "pending, qualified and quoted",
       .tables = tables,
       .statement = "ALTER TABLE IF EXISTS ONLY public.p DETACH PARTITION public . \"p1\" CONCURRENTLY",
       .death = Death::middle,
       .question = attached,
       .answer = "0"},
      {.name = "done",
       .tables = tables,
       .statement = detach,
       .death = Death::after,
       .question = attached,
       .answer = "0"},
      {.name = "done by somebody else",
       .tables = tables,
       .statement = detach,
       .death = Death::before,
       .meanwhile = "ALTER TABLE p DETACH PARTITION p1",
       .question = attached,
       .answer = "0"},
      {.name = "done, and dropped",
       .tables = tables,
       .statement = detach,
       .death = Death::after,
       .meanwhile = "DROP TABLE p1",
       .question = attached,
       .answer = "0"},
      {.name = "an error stays one",
       .tables = tables,
       .statement = "ALTER TABLE p DETACH PARTITION p2 CONCURRENTLY",
       .question = attached,
       .answer = "1",
       .exit = 1,
       .says = "does not exist"},
      {.name = "a table that is called partition",
       .tables = "CREATE TABLE partition (n int) PARTITION BY RANGE (n);\n"
                 "CREATE TABLE p1 PARTITION OF partition FOR VALUES FROM (0) TO (9);",
       .statement = "ALTER TABLE partition DETACH PARTITION p1 CONCURRENTLY",
       .death = Death::middle,
       .question = attached,
       .answer = "0"},
  };
  for_some(cases, check);
}

TEST_CASE("a failed DETACH that is pending is finalized, and not when its file is mended") {
  const std::string tables =
      "CREATE TABLE p (n int) PARTITION BY RANGE (n);\n"
      "CREATE TABLE p1 PARTITION OF p FOR VALUES FROM (0) TO (9);";
  for (const bool mended : {false, true}) {
    CAPTURE(mended);
    Scene scene(tables, "ALTER TABLE p DETACH PARTITION p1 CONCURRENTLY;");
    Session reader(scene.database.url());
    reader.exec("BEGIN; SELECT * FROM p");
    TempDir profile;
    const std::string path = profile.write("p.toml",
                                           "[connection]\nbuild_wait = \"100ms\"\n"
                                           "[migrations]\nlock_retry = { max_attempts = 1 }\n");
    const Run failed = scene.project.kdb(scene.database.url(), {"migrate", "up", "-p", path});
    CHECK_MESSAGE(failed.exit == 4, failed.err);
    reader.exec("ROLLBACK");
    CHECK(reader.text("SELECT inhdetachpending FROM pg_inherits") == "t");
    if (mended) scene.project.migration("2_statement", "VACUUM p1;");
    const Run next = scene.up();
    CHECK_MESSAGE(next.exit == 0, next.err);
    CHECK(reader.text("SELECT count(*) FROM pg_inherits") == (mended ? "1" : "0"));
  }
}

TEST_CASE("databases are created and dropped once") {
  const std::string create = "CREATE DATABASE {db}_x";
  const std::string drop = "DROP DATABASE {db}_x";
  const std::string found =
      "SELECT coalesce((SELECT coalesce(shobj_description(oid, 'pg_database'), 'new') FROM pg_database WHERE "
      "datname = '{db}_x'), 'none')";
  const std::string comment = "COMMENT ON DATABASE {db}_x IS 'kept'";
  const Case cases[] = {
      {.name = "create, never began",
       .statement = create,
       .death = Death::before,
       .question = found,
       .answer = "new"},
      {.name = "create, done",
       .statement = create,
       .death = Death::after,
       .meanwhile = comment,
       .question = found,
       .answer = "kept"},
      {.name = "create, quoted and done",
       .statement = "CREATE DATABASE \"{db}_x\"",
       .death = Death::after,
       .meanwhile = comment,
       .question = found,
       .answer = "kept"},
      {.name = "create, there before",
       .tables = create + ";",
       .statement = create,
       .death = Death::before,
       .meanwhile = comment,
       .question = found,
       .answer = "kept",
       .exit = 1,
       .says = "already exists"},
      {.name = "create, refused because it is there",
       .tables = create + ";",
       .statement = create,
       .meanwhile = comment,
       .question = found,
       .answer = "kept",
       .exit = 1,
       .says = "already exists"},
      {.name = "drop, never began",
       .tables = create + ";",
       .statement = drop,
       .death = Death::before,
       .question = found,
       .answer = "none"},
      {.name = "drop, done",
       .tables = create + ";",
       .statement = drop,
       .death = Death::after,
       .question = found,
       .answer = "none"},
      {.name = "drop, done and made again",
       .tables = create + ";",
       .statement = drop,
       .death = Death::after,
       .meanwhile = create,
       .question = found,
       .answer = "new",
       .exit = 5,
       .says = "nobody can tell"},
      {.name = "drop, refused because there is none",
       .statement = drop,
       .question = found,
       .answer = "none",
       .exit = 1,
       .says = "does not exist"},
      {.name = "drop, there was none",
       .statement = "DROP DATABASE IF EXISTS {db}_x",
       .death = Death::before,
       .meanwhile = create,
       .question = found,
       .answer = "new",
       .exit = 5,
       .says = "nobody can tell"},
  };
  for (Case one : cases) {
    if (one.tables.empty()) one.tables = "SELECT 1;";
    check(one);
    Session session(server_url());
    const std::string names = session.text(
        "SELECT coalesce(string_agg(format('%I', datname), ' '), '') FROM pg_database WHERE "
        "datname ~ '^t" +
        std::to_string(getpid()) + "_[0-9]+_x$'");
    if (!names.empty()) session.exec("DROP DATABASE " + names);
  }
}

namespace {

const std::string fill =
    "CREATE TABLE a (n int);\nCREATE PROCEDURE fill() LANGUAGE plpgsql AS $$ BEGIN\n"
    "INSERT INTO a VALUES (1); COMMIT; END $$;\n"
    "CREATE PROCEDURE break() LANGUAGE plpgsql AS $$ BEGIN\n"
    "INSERT INTO a VALUES (1); COMMIT; PERFORM 1 / 0; END $$;";
const std::string rows = "SELECT count(*) FROM a";

}  // namespace

TEST_CASE("what commits inside is a person's decision, also where it failed") {
  const std::string fill_here = "DO $$ BEGIN INSERT INTO a VALUES (1); COMMIT; END $$";
  const std::string break_here = "DO $$ BEGIN INSERT INTO a VALUES (1); COMMIT; PERFORM 1 / 0; END $$";
  const Case cases[] = {
      {.name = "DO, done",
       .tables = fill,
       .statement = fill_here,
       .death = Death::after,
       .question = rows,
       .answer = "1",
       .exit = 5,
       .says = "kdb migrate repair 2 --statement 1 --again"},
      {.name = "DO, never began",
       .tables = fill,
       .statement = fill_here,
       .death = Death::before,
       .question = rows,
       .answer = "0",
       .exit = 5,
       .says = "nobody can tell"},
      {.name = "DO, failed",
       .tables = fill,
       .statement = break_here,
       .question = rows,
       .answer = "1",
       .exit = 5,
       .says = "nobody can tell"},
      {.name = "CALL, failed",
       .tables = fill,
       .statement = "CALL break()",
       .question = rows,
       .answer = "1",
       .exit = 5,
       .says = "nobody can tell"},
      {.name = "CALL of what may be repeated, failed",
       .tables = fill,
       .statement = "CALL refresh_continuous_aggregate('nothing', NULL, NULL)",
       .question = rows,
       .answer = "0",
       .exit = 1,
       .says = "does not exist"},
      {.name = "rerunnable, done",
       .tables = fill,
       .statement = "-- kdb:rerunnable\n" + fill_here,
       .death = Death::after,
       .question = rows,
       .answer = "2"},
      {.name = "rerunnable, failed",
       .tables = fill,
       .statement = "-- kdb:rerunnable\n" + break_here,
       .question = rows,
       .answer = "2",
       .exit = 1,
       .says = "division by zero"},
  };
  for_some(cases, check);
}

TEST_CASE("a failed CALL that is mended is still undecided") {
  Scene scene(fill, "CALL break();");
  CHECK(scene.up().exit == 1);
  scene.project.migration("2_statement", "CALL fill();");
  CHECK(scene.up().exit == 5);
  const Run repair =
      scene.project.kdb(scene.database.url(), {"migrate", "repair", "2", "--statement", "1", "--again"});
  CHECK_MESSAGE(repair.exit == 0, repair.err);
  CHECK(scene.up().exit == 0);
  CHECK(scene.database.text(rows) == "2");
}

TEST_CASE("a DO that was rolled back is forgotten when it is mended") {
  Scene scene("CREATE TABLE a (n int);", "DO $$ BEGIN PERFORM 1 / 0; END $$;\nVACUUM a;");
  CHECK(scene.up().exit == 1);
  scene.project.migration("2_statement", "VACUUM a;");
  const Run next = scene.up();
  CHECK_MESSAGE(next.exit == 0, next.err);
}

TEST_CASE("a person's word is taken: again runs again, done does not") {
  for (const std::string word : {"--again", "--done"}) {
    CAPTURE(word);
    Scene scene("CREATE TABLE a (n int, m int);", marked("CREATE INDEX CONCURRENTLY ON a (n)") + ";");
    die_at_message(scene.project, scene.database, Death::after);
    REQUIRE(is_left_alone(scene.database.url()));
    const std::string& url = scene.database.url();
    scene.database.exec("CREATE INDEX by_hand ON a (m)");
    CHECK(scene.up().exit == 5);
    CHECK(scene.project.kdb(url, {"migrate", "repair", "2", "--statement", "1", word}).exit == 0);
    CHECK(scene.up().exit == 0);
    CHECK(scene.database.text("SELECT count(*) FROM pg_index WHERE indrelid = 'a'::regclass") ==
          (word == "--again" ? "3" : "2"));
  }
}

TEST_CASE("what nobody can tell of runs again if it was refused, and not if it was never heard of") {
  const std::string spaces = "SELECT count(*) FROM pg_tablespace WHERE spcname = 'nowhere'";
  const Case cases[] = {
      {.name = "refused",
       .tables = "SELECT 1;",
       .statement = "CREATE TABLESPACE nowhere LOCATION '/no/such/folder'",
       .question = spaces,
       .answer = "0",
       .exit = 1,
       .says = "/no/such/folder"},
      {.name = "never heard of",
       .tables = "SELECT 1;",
       .statement = "CREATE TABLESPACE nowhere LOCATION '/no/such/folder'",
       .death = Death::after,
       .question = spaces,
       .answer = "0",
       .exit = 5,
       .says = "nobody can tell"},
  };
  for_some(cases, check);
}

TEST_CASE("a function that the server refuses in a transaction is undecided too") {
  Scene scene(
      "CREATE TABLE a (n int);\nCREATE FUNCTION alone() RETURNS void LANGUAGE plpgsql AS $$ BEGIN\n"
      "IF now() <> statement_timestamp() OR current_query() LIKE 'BEGIN%' THEN RAISE EXCEPTION USING ERRCODE "
      "= '25001'; END IF;\n"
      "INSERT INTO a VALUES (1); END $$;",
      marked("SELECT alone()") + ";");
  die_at_message(scene.project, scene.database, Death::after, 2);
  REQUIRE(is_left_alone(scene.database.url()));
  const Run next = scene.up();
  CHECK_MESSAGE(next.exit == 5, next.err);
  CHECK(scene.database.text(rows) == "1");
}

TEST_CASE("what may be repeated is, without a question") {
  const std::string setting =
      "SELECT coalesce((SELECT setting FROM pg_file_settings WHERE name = 'bonjour_name'), 'none')";
  const std::string set = "ALTER SYSTEM SET bonjour_name = 'kdb'";
  const Case cases[] = {
      {.name = "never began",
       .tables = "SELECT 1;",
       .statement = set,
       .death = Death::before,
       .question = setting,
       .answer = "kdb"},
      {.name = "done",
       .tables = "SELECT 1;",
       .statement = set,
       .death = Death::after,
       .meanwhile = "ALTER SYSTEM RESET bonjour_name",
       .question = setting,
       .answer = "kdb"},
      {.name = "VACUUM",
       .tables = "CREATE TABLE a (n int);\nINSERT INTO a VALUES (1);",
       .statement = "VACUUM a",
       .death = Death::before,
       .question = "SELECT reltuples FROM pg_class WHERE relname = 'a'",
       .answer = "1"},
  };
  for (const Case& one : cases) {
    check(one);
    Session(server_url()).exec("ALTER SYSTEM RESET bonjour_name");
  }
}

}  // namespace kdb::test::recovery_test
