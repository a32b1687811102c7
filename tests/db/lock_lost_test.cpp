// A migration that gives up the deployers' lock: noticed before anything more is committed, stopped,
// recorded.

#include <fmt/format.h>

#include "db/gate.hpp"
#include "support/text.hpp"

namespace kdb::test::lock_lost_test {

namespace {

/// The run stops with exit 1, says why and where to look, and history knows.
void check_stopped(const Project& project, const Database& database, const std::string& culprit) {
  const Run result = project.up(database.url());
  CHECK_MESSAGE(result.exit == 1, result.err);
  CHECK_MESSAGE(has(result.err, "migration " + culprit + " gave up the lock that keeps other deployers out"),
                result.err);
  CHECK_MESSAGE(
      has(result.err, "hint: take DISCARD ALL, pg_advisory_unlock_all() and the like out of the file"),
      result.err);
  CHECK_MESSAGE(!has(result.err, "WARNING"), result.err);
  CHECK(database.text("SELECT kind || ' ' || subject FROM kdb.events ORDER BY id DESC LIMIT 1") ==
        "failed 2");
  CHECK(has(database.text("SELECT message FROM kdb.events ORDER BY id DESC LIMIT 1"),
            "no longer holds its lock"));
  CHECK(database.text("SELECT outcome FROM kdb.runs ORDER BY id DESC LIMIT 1") == "failed");
  CHECK(has(database.text("SELECT message FROM kdb.runs ORDER BY id DESC LIMIT 1"), "gave up the lock"));
}

}  // namespace

TEST_CASE("a transaction that unlocks everything is rolled back, and nothing after it runs") {
  Project project;
  project.migration("1_one", "CREATE TABLE a (n int);");
  project.migration("2_two",
                    "INSERT INTO a VALUES (1);\nSELECT pg_advisory_unlock_all();\nINSERT INTO a VALUES (2);");
  project.migration("3_three", "INSERT INTO a VALUES (3);");
  const Database database;
  check_stopped(project, database, "2 two");
  CHECK(database.text("SELECT count(*) FROM a") == "0");
  CHECK(database.text("SELECT string_agg(key || state, ',') FROM kdb.migrations") == "1applied");

  project.migration("2_two", "INSERT INTO a VALUES (1);\nINSERT INTO a VALUES (2);");
  const Run mended = project.up(database.url());
  CHECK_MESSAGE(mended.exit == 0, mended.err);
  CHECK(database.text("SELECT string_agg(n::text, ',' ORDER BY n) FROM a") == "1,2,3");
}

TEST_CASE("DISCARD ALL and pg_advisory_unlock_all() stop a file that runs statement by statement") {
  for (const std::string culprit : {"DISCARD ALL", "SELECT pg_advisory_unlock_all()"}) {
    CAPTURE(culprit);
    Project project;
    project.migration("1_one", "CREATE TABLE a (n int);");
    project.migration("2_two",
                      "INSERT INTO a VALUES (1);\nVACUUM a;\n" + culprit + ";\nINSERT INTO a VALUES (2);");
    const Database database;
    check_stopped(project, database, "2 two");
    CHECK(database.text("SELECT string_agg(n::text, ',') FROM a") == "1");
    CHECK(database.text("SELECT state FROM kdb.migrations WHERE key = '2'") == "partial");
    CHECK(database.text(
              "SELECT string_agg(ordinal || state, ',' ORDER BY ordinal) FROM kdb.steps WHERE subject = '2' "
              "AND ordinal > 0") == "1done,2done,3failed");

    project.migration("2_two", "INSERT INTO a VALUES (1);\nVACUUM a;\nINSERT INTO a VALUES (2);");
    const Run mended = project.up(database.url());
    CHECK_MESSAGE(mended.exit == 0, mended.err);
    CHECK(database.text("SELECT string_agg(n::text, ',' ORDER BY n) FROM a") == "1,2");
  }
}

TEST_CASE("a file of nothing but DISCARD ALL is stopped too") {
  Project project;
  project.migration("1_one", "CREATE TABLE a (n int);");
  project.migration("2_two", "DISCARD ALL;");
  const Database database;
  check_stopped(project, database, "2 two");
}

}  // namespace kdb::test::lock_lost_test
