// Statements as pg_stat_statements has them are known again: one fingerprint for all that differ in
// constants.
#include "base/sql_fingerprint.hpp"

#include <string>

#include <doctest/doctest.h>

namespace kdb::test::sql_fingerprint_test {

using sql::fingerprint;

TEST_CASE("a declared query and what pg_stat_statements makes of it have one fingerprint") {
  struct Row {
    const char* declared;
    const char* counted;
  };
  const Row rows[] = {
      {"SELECT * FROM t WHERE id = $1", "select * from t where id=$1"},
      {"SELECT * FROM t WHERE id = 7 LIMIT 3;", "SELECT * FROM t WHERE id = $1 LIMIT $2"},
      {"SELECT * FROM t WHERE at >= $1::timestamptz", "SELECT * FROM t WHERE at >= $1"},
      {"SELECT 1 FROM t WHERE at > now() - interval '7 days'",
       "SELECT $1 FROM t WHERE at > now() - interval $2"},
      {"SELECT date_bin('1 day', at, '2000-01-01'), count(*) FROM t GROUP BY 1",
       "SELECT date_bin($1, at, $2), count(*) FROM t GROUP BY 1"},
      {"SELECT * FROM t WHERE id IN (1, 2, 3)", "SELECT * FROM t WHERE id IN ($1, $2)"},
      {"SELECT * FROM t WHERE j @> '{\"a\": 1}' -- of a page", "SELECT * FROM t WHERE j @> $1"},
      {"VALUES (1, 'a')", "VALUES ($1, $2)"}};
  for (const Row& row : rows) {
    CAPTURE(row.declared);
    REQUIRE(fingerprint(row.declared));
    CHECK(fingerprint(row.declared) == fingerprint(row.counted));
  }
}

TEST_CASE("statements that do something else have other fingerprints") {
  const char* statements[] = {"SELECT a FROM t WHERE b = $1",
                              "SELECT a FROM t WHERE c = $1",
                              "SELECT a FROM u WHERE b = $1",
                              "SELECT a FROM t WHERE b > $1",
                              "SELECT a FROM t WHERE b = $1 ORDER BY a",
                              "SELECT b FROM t WHERE b = $1",
                              "SELECT a FROM t WHERE b = $1 OR a = $1"};
  for (size_t i = 0; i < std::size(statements); ++i)
    for (size_t k = 0; k < i; ++k) {
      CAPTURE(statements[i]);
      CAPTURE(statements[k]);
      CHECK(fingerprint(statements[i]) != fingerprint(statements[k]));
    }
}

TEST_CASE("what cannot be compared has no fingerprint, however deep it is") {
  CHECK_FALSE(fingerprint(""));
  CHECK_FALSE(fingerprint("SELECT 1; SELECT 2"));
  CHECK_FALSE(fingerprint("SELECT FROM WHERE"));
  CHECK_FALSE(fingerprint("SELECT 'no end"));
  CHECK_FALSE(fingerprint(std::string("SELECT 1\0 FROM t", 15)));
  CHECK_FALSE(fingerprint("SELECT " + std::string(sql::longest_fingerprinted, '1')));
  std::string deep = "SELECT 1";
  for (int i = 0; i < 20'000; ++i) deep += "+1";
  CHECK(fingerprint(deep));
  CHECK_FALSE(fingerprint("SELECT " + std::string(30'000, '(') + "1" + std::string(30'000, ')')));
}

}  // namespace kdb::test::sql_fingerprint_test
