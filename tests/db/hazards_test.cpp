// What `up` says, and refuses, before it destroys something.

#include "db/project.hpp"
#include "support/text.hpp"

namespace kdb::test::hazards_test {

namespace {}  // namespace

TEST_CASE("a profile may refuse hazards until they are allowed by name") {
  Project project;
  project.migration("1_a", "CREATE TABLE a (n int, m int);");
  const Database database;
  REQUIRE(project.up(database.url()).exit == 0);
  project.migration("2_drop", "ALTER TABLE a DROP COLUMN m;");
  TempDir profile;
  const std::string path = profile.write("p.toml", "[migrations]\nhazards = \"refuse\"\n");
  const Run refused = project.kdb(database.url(), {"migrate", "up", "-p", path});
  CHECK(refused.exit == 3);
  CHECK(has(refused.err, "2_drop.sql:2:1: DELETES_DATA"));
  CHECK(has(refused.err, "--allow 'DELETES_DATA:a'"));
  CHECK(project.kdb(database.url(), {"migrate", "up", "-p", path, "--allow", "DELETES_DATA:a"}).exit == 0);
}

TEST_CASE("the first up on a filled database warns as any other") {
  Project project;
  project.migration("1_empty", "TRUNCATE orders;");
  const Database database;
  database.exec("CREATE TABLE orders (id int); INSERT INTO orders VALUES (1)");
  CHECK(has(project.kdb(database.url(), {"migrate", "up", "--dry-run"}).out, "DELETES_DATA"));
  TempDir profile;
  const std::string path = profile.write("p.toml", "[migrations]\nhazards = \"refuse\"\n");
  CHECK(project.kdb(database.url(), {"migrate", "up", "-p", path}).exit == 3);
  CHECK(database.text("SELECT count(*) FROM orders") == "1");
  const Run up = project.up(database.url());
  CHECK(up.exit == 0);
  CHECK(has(up.err, "warning: 1 empty: DELETES_DATA (line 2: deletes all rows of orders)"));
}

TEST_CASE("a database without tables has nothing to lose") {
  Project project;
  project.migration("1_a",
                    "CREATE TABLE IF NOT EXISTS a (n int); DROP TABLE IF EXISTS b; TRUNCATE a CASCADE;");
  const Database database;
  database.exec("CREATE EXTENSION IF NOT EXISTS plpgsql; CREATE SCHEMA other");
  TempDir profile;
  const std::string path = profile.write("p.toml", "[migrations]\nhazards = \"refuse\"\n");
  const Run up = project.kdb(database.url(), {"migrate", "up", "-p", path});
  CHECK_MESSAGE(up.exit == 0, up.err);
  CHECK_FALSE(has(up.err, "warning"));
}

TEST_CASE("hazards count only on what the database has") {
  Project project;
  project.migration("1_a",
                    "DROP TABLE IF EXISTS gone; CREATE TABLE IF NOT EXISTS fresh (n int); TRUNCATE fresh;");
  project.migration("2_b", "CREATE TABLE IF NOT EXISTS Orders (n int); TRUNCATE \"orders\";");
  const Database database;
  database.exec("CREATE SCHEMA shop; CREATE TABLE shop.orders (n int)");
  const Run up = project.up(database.url());
  CHECK_MESSAGE(up.exit == 0, up.err);
  CHECK_FALSE(has(up.err, "drops table gone"));
  CHECK_FALSE(has(up.err, "rows of fresh"));
  CHECK(has(up.err, "deletes all rows of \"orders\""));
}

TEST_CASE("an explicit block's hazards are warned of too") {
  Project project;
  project.migration("1_a", "CREATE TABLE a (n int);");
  const Database database;
  REQUIRE(project.up(database.url()).exit == 0);
  project.file("2_b.sql", "-- migrate:up transaction:false\nSELECT 1;\nBEGIN;\nTRUNCATE a;\nCOMMIT;\n");
  CHECK(has(project.up(database.url()).err, "DELETES_DATA (line 4: deletes all rows of a)"));
}

}  // namespace kdb::test::hazards_test
