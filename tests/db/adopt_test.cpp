// History tables of other tools that hold what those tools do not write.
#include <string>

#include "db/gate.hpp"
#include "support/text.hpp"

namespace kdb::test::adopt_test {

TEST_CASE("a row of another tool that names no migration is refused by the table's name") {
  struct Row {
    const char* tool;
    const char* file;
    const char* history;
    const char* message;
  };
  const Row rows[] = {
      {"dbmate", "1_a.sql",
       "CREATE TABLE schema_migrations (version text); INSERT INTO schema_migrations VALUES ('1'), (NULL)",
       "\"schema_migrations\" has a row without a version"},
      {"dbmate", "1_a.sql",
       "CREATE TABLE schema_migrations (version text); INSERT INTO schema_migrations VALUES ('1'), ('')",
       "\"schema_migrations\" has a row without a version"},
      {"dbmate", "1_a.sql",
       "CREATE TABLE schema_migrations (version text); INSERT INTO schema_migrations VALUES ('1'), ('000'), "
       "('x')",
       "version x is applied"},
      {"golang-migrate", "1_a.up.sql",
       "CREATE TABLE schema_migrations (version bigint, dirty boolean); "
       "INSERT INTO schema_migrations VALUES (NULL, false)",
       "\"schema_migrations\" has a row without a version"},
      {"flyway", "V1__a.sql",
       "CREATE TABLE flyway_schema_history (installed_rank int, version text, description text, type text, "
       "checksum int, success boolean); INSERT INTO flyway_schema_history VALUES (1, '', 'a', 'SQL', 0, "
       "true)",
       "\"flyway_schema_history\" has a row without a version"},
      {"flyway", "V1__a.sql",
       "CREATE TABLE flyway_schema_history (installed_rank int, version text, description text, type text, "
       "checksum int, success boolean); INSERT INTO flyway_schema_history VALUES (1, NULL, NULL, 'SQL', 0, "
       "true)",
       "\"flyway_schema_history\" has a row without a description"},
      {"flyway", "V1__a.sql",
       "CREATE TABLE flyway_schema_history (installed_rank int, version text, description text, type text, "
       "checksum int, success boolean); INSERT INTO flyway_schema_history VALUES (1, '1..2.', 'a', 'SQL', 0, "
       "true)",
       "version 1..2. is applied"},
  };
  for (const Row& row : rows) {
    CAPTURE(row.history);
    Project project;
    project.file(row.file, "CREATE TABLE a (n int);\n");
    const Database database;
    database.exec(row.history);
    const Run result = project.kdb(database.url(), {"migrate", "adopt", "--from", row.tool});
    CHECK_MESSAGE(result.exit == 5, result.err);
    CHECK_MESSAGE(has(result.err, row.message), result.err);
    CHECK(database.text("SELECT to_regclass('kdb.migrations') IS NULL") == "t");
  }
}

TEST_CASE("goose's rows without a version or a verdict count for nothing") {
  Project project;
  project.file("1_a.sql", "-- +goose Up\nCREATE TABLE a (n int);\n");
  const Database database;
  database.exec(
      "CREATE TABLE goose_db_version (id int, version_id bigint, is_applied boolean); "
      "INSERT INTO goose_db_version VALUES (1, 0, true), (2, 1, true), (3, NULL, true), (4, 2, NULL)");
  const Run result = project.kdb(database.url(), {"migrate", "adopt", "--from", "goose"});
  CHECK_MESSAGE(result.exit == 0, result.err);
  CHECK(database.text("SELECT string_agg(key, ',') FROM kdb.migrations") == "1");
}

}  // namespace kdb::test::adopt_test
