// As crash_test, for a file that runs statement by statement: the longest of all tests, so on its own.

#include "db/harm.hpp"

namespace kdb::test::crash_steps_test {

TEST_CASE("a file that runs statement by statement survives harm at every message") {
  // Every statement here that cannot run in a transaction, between ones that can.
  Project project;
  project.migration(
      "1_one",
      "CREATE TABLE a (n int);\nCREATE TYPE colour AS ENUM ('red');\n"
      "CREATE TABLE p (n int) PARTITION BY RANGE (n);\n"
      "CREATE TABLE p1 PARTITION OF p FOR VALUES FROM (0) TO (10);\nCREATE INDEX a_old ON a (n);");
  project.migration("2_two",
                    "SET search_path = public;\nINSERT INTO a SELECT generate_series(1, 50);\n"
                    "CREATE INDEX CONCURRENTLY a_n ON a (n);\nINSERT INTO a VALUES (100);\n"
                    "ALTER TYPE colour ADD VALUE 'blue';\nDROP INDEX CONCURRENTLY a_old;\nVACUUM a;\n"
                    "ALTER TABLE p DETACH PARTITION p1 CONCURRENTLY;\nINSERT INTO p1 VALUES (3);");
  at_every_message(deed_of(project), 6);
}

}  // namespace kdb::test::crash_steps_test
