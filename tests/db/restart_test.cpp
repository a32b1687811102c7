// The server restarts in mid-run: kdb connects again and ends as if nothing had been.

#include <csignal>

#include <fmt/format.h>

#include "db/gate.hpp"
#include "db/own_server.hpp"
#include "support/text.hpp"

namespace kdb::test::restart_test {

namespace {

/// Restarts while a migration waits at the gate; kdb waits there again on its new session, and ends well.
void restart_at_gate(const Project& project, OwnServer& server, int signal) {
  const Gate gate(server.url());
  Child kdb(project.command(server.url(), {"migrate", "up"}));
  REQUIRE(gate.is_reached());
  server.restart(signal);
  CHECK(gate.is_reached());
  gate.open();
  const Run result = kdb.wait();
  CHECK_MESSAGE(result.exit == 0, result.err);
  CHECK_MESSAGE(has(result.err, "connection lost"), result.err);
}

constexpr const char* outcome =
    "SELECT string_agg(outcome, ',') || ' ' || (SELECT string_agg(kind || subject, ',' ORDER "
    "BY id) FROM kdb.events) FROM kdb.runs";
constexpr const char* rows = "SELECT string_agg(n::text, ',' ORDER BY n) FROM a";

void forget(OwnServer& server) {
  Session(server.url()).exec("DROP SCHEMA kdb CASCADE; DROP SCHEMA public CASCADE; CREATE SCHEMA public");
}

}  // namespace

TEST_CASE("kdb survives a restart of the server, fast and immediate, in mid-run") {
  OwnServer server;
  for (const int signal : {SIGINT, SIGQUIT}) {
    CAPTURE(signal);
    {
      Project project;
      project.migration("1_one", "CREATE TABLE a (n int);");
      project.migration(
          "2_two", "INSERT INTO a VALUES (1);\nSELECT public.wait_at_gate();\nINSERT INTO a VALUES (2);");
      project.migration("3_three", "INSERT INTO a VALUES (3);");
      restart_at_gate(project, server, signal);
      CHECK(Session(server.url()).text(rows) == "1,2,3");
      CHECK(Session(server.url()).text(outcome) == "done applied1,applied2,applied3");
      forget(server);
    }
    {
      Project project;
      project.migration("1_one", "CREATE TABLE a (n int);");
      project.migration("2_two",
                        "INSERT INTO a VALUES (1);\nVACUUM a;\nINSERT INTO a VALUES (2);\n"
                        "SELECT public.wait_at_gate();\nINSERT INTO a VALUES (3);");
      restart_at_gate(project, server, signal);
      CHECK(Session(server.url()).text(rows) == "1,2,3");
      CHECK(Session(server.url()).text(outcome) == "done applied1,applied2");
      forget(server);
    }
    {
      Project project;
      project.migration("1_one", "CREATE TABLE a (n int);\nINSERT INTO a VALUES (1), (2);");
      project.migration(
          "2_two", "CREATE INDEX CONCURRENTLY a_slow ON a (public.gated(n));\nINSERT INTO a VALUES (3);");
      restart_at_gate(project, server, signal);
      CHECK(Session(server.url()).text(rows) == "1,2,3");
      CHECK(Session(server.url()).text(outcome) == "done applied1,applied2");
      CHECK(Session(server.url())
                .text("SELECT string_agg(relname || ' ' || indisvalid, ',') FROM pg_index JOIN pg_class "
                      "ON oid = indexrelid WHERE indrelid = 'a'::regclass") == "a_slow true");
      forget(server);
    }
  }
}

}  // namespace kdb::test::restart_test
