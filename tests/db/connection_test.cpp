#include "pg/connection.hpp"

#include <cstdlib>
#include <string>

#include <doctest/doctest.h>

#include "pg/watchdog.hpp"

using namespace kdb;
using namespace kdb::pg;

namespace {

ConnectSettings settings_for(const char* variable) {
  ConnectSettings settings;
  if (const char* url = std::getenv(variable)) settings.url = url;
  return settings;
}

ServerError failure_of(Connection& connection, const std::string& sql,
                       Phase phase = Phase::outside_transaction) {
  try {
    connection.exec(sql, phase);
  } catch (const ServerError& error) {
    return error;
  }
  FAIL("no error: " << sql);
  return {};
}

}  // namespace

TEST_CASE("exec returns the rows of the last statement that has any") {
  Watchdog watchdog;
  Connection connection(settings_for("DATABASE_URL"), watchdog);
  const Result result =
      connection.exec("BEGIN; SELECT 1, NULL; SELECT 'a', 't'::boolean; SET LOCAL lock_timeout = 0; COMMIT");
  REQUIRE(result.rows.size() == 1);
  CHECK(result.text(0, 0) == "a");
  CHECK(result.boolean(0, 1));
}

TEST_CASE("errors carry what the server said and where") {
  Watchdog watchdog;
  Connection connection(settings_for("DATABASE_URL"), watchdog);
  const ServerError error = failure_of(connection, "SELECT 1;\n  SELECT 'ü', nope");
  CHECK(error.sqlstate == "42703");
  CHECK(error.line == 2);
  CHECK(error.column == 15);
  CHECK(connection.exec("SELECT $1::int + 1, $2::text", {"41", std::nullopt}).integer(0, 0) == 42);
  for (const char* code : {"40001", "40P01", "40003", "53300", "08006", "42501", "P0001", "XX000"}) {
    CAPTURE(code);
    CHECK(failure_of(connection, std::string("DO $$ BEGIN RAISE 'boom' USING ERRCODE = '") + code +
                                     "', DETAIL = 'd', HINT = 'h'; END $$")
              .sqlstate == code);
  }
}

TEST_CASE("a terminated session says so and stays ended") {
  Watchdog watchdog;
  Connection connection(settings_for("DATABASE_URL"), watchdog);
  const ServerError error =
      failure_of(connection, "SELECT pg_terminate_backend(pg_backend_pid())", Phase::in_transaction);
  CHECK(error.sqlstate == "57P01");
  CHECK(error.session_ended);
  CHECK_FALSE(connection.is_open());
  CHECK(failure_of(connection, "SELECT 1").message == "the session has ended");
}
