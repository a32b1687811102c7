// Which migration a version on the command line means, and which file an error names.

#include "db/gate.hpp"
#include "support/text.hpp"

namespace kdb::test::migrate_versions_test {

TEST_CASE("digits that several folders share are refused, and a folder's whole name is not") {
  Project project;
  project.file("20240101_users/migration.sql", "CREATE TABLE users (n int);");
  project.file("20240101_orders/migration.sql", "CREATE TABLE orders (n int);");
  project.file("20240102_items/migration.sql", "CREATE TABLE items (n int);");
  const Database database;
  const Run several = project.kdb(database.url(), {"migrate", "up", "--to", "20240101"});
  CHECK(several.exit == 64);
  CHECK_MESSAGE(has(several.err, "several migrations have the version 20240101"), several.err);
  CHECK_MESSAGE(has(several.err, "hint: give the folder's whole name, such as 20240101_users"), several.err);

  const Run whole = project.kdb(database.url(), {"migrate", "up", "--to", "20240101_orders"});
  CHECK_MESSAGE(whole.exit == 0, whole.err);
  CHECK(database.text("SELECT to_regclass('orders') IS NOT NULL AND to_regclass('users') IS NULL") == "t");
  const Run digits = project.kdb(database.url(), {"migrate", "up", "--to", "20240102"});
  CHECK_MESSAGE(digits.exit == 0, digits.err);
  CHECK(database.text("SELECT to_regclass('users') IS NOT NULL AND to_regclass('items') IS NOT NULL") == "t");

  const Run none = project.kdb(database.url(), {"migrate", "up", "--to", "20240103"});
  CHECK(none.exit == 64);
  CHECK_MESSAGE(has(none.err, "no migration has the version 20240103"), none.err);
}

TEST_CASE("what concerns no single statement of a down names the down file") {
  Project project;
  project.file("1_a.up.sql", "CREATE TABLE a (n int);");
  project.file("1_a.down.sql", "-- nothing to undo\n");
  const Database database;
  REQUIRE(project.up(database.url()).exit == 0);
  database.exec(
      "CREATE FUNCTION refuse() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN RAISE EXCEPTION 'full'; END $$; "
      "CREATE TRIGGER refuse BEFORE DELETE ON kdb.migrations FOR EACH ROW EXECUTE FUNCTION refuse()");
  const Run failed = project.kdb(database.url(), {"migrate", "down", "--yes"});
  CHECK(failed.exit == 1);
  CHECK_MESSAGE(has(failed.err, "1_a.down.sql:1:1: migration 1 a failed: full"), failed.err);
}

TEST_CASE("a down that lost the statements that are done names the down file") {
  Project project;
  project.file("1_a.up.sql", "CREATE TABLE a (n int);\nCREATE INDEX a_n ON a (n);\n");
  project.file("1_a.down.sql",
               "DROP INDEX CONCURRENTLY a_n;\nALTER TABLE a ADD m int;\nALTER TABLE nothing ADD m int;\n");
  const Database database;
  REQUIRE(project.up(database.url()).exit == 0);
  CHECK(project.kdb(database.url(), {"migrate", "down", "--yes"}).exit == 1);
  project.file("1_a.down.sql", "DROP INDEX CONCURRENTLY a_n;\n");
  const Run lost = project.kdb(database.url(), {"migrate", "down", "--yes"});
  CHECK(lost.exit == 5);
  CHECK_MESSAGE(has(lost.err, "1_a.down.sql:1:1: statement 2 of migration 1 a was begun with other contents"),
                lost.err);
}

TEST_CASE("a down that is half done and then insists on one transaction names its section") {
  Project project;
  project.migration("1_a", "CREATE TABLE a (n int);\nCREATE INDEX a_n ON a (n);",
                    "DROP INDEX CONCURRENTLY a_n;\nDROP TABLE nothing;");
  const Database database;
  REQUIRE(project.up(database.url()).exit == 0);
  CHECK(project.kdb(database.url(), {"migrate", "down", "--yes"}).exit == 1);
  project.file("1_a.sql",
               "-- migrate:up\nCREATE TABLE a (n int);\nCREATE INDEX a_n ON a (n);\n"
               "-- migrate:down transaction:true\nDROP INDEX a_n;\nDROP TABLE a;");
  const Run half = project.kdb(database.url(), {"migrate", "down", "--yes"});
  CHECK(half.exit == 5);
  CHECK_MESSAGE(has(half.err,
                    "1_a.sql:5:1: migration 1 a is half done, but the file now insists on one "
                    "transaction"),
                half.err);
}

}  // namespace kdb::test::migrate_versions_test
