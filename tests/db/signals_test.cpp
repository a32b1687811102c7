// SIGINT and SIGTERM: what runs on the server is cancelled, what was done is recorded, the next run completes
// it.

#include <csignal>

#include "db/gate.hpp"
#include "support/text.hpp"

namespace kdb::test::signals_test {

namespace {

struct Signal {
  int number;
  int exit;
};
constexpr Signal signals[] = {{SIGINT, 130}, {SIGTERM, 143}};

/// Sends the signal while a migration waits at the gate; then nothing goes on, the history says so, the lock
/// is free.
void interrupt_at_gate(const Project& project, const Database& database, const Gate& gate, Signal signal) {
  Child kdb(project.command(database.url(), {"migrate", "up"}));
  REQUIRE(gate.is_reached());
  kdb.kill(signal.number);
  const Run result = kdb.wait(std::chrono::seconds(20));
  CHECK_MESSAGE(result.exit == signal.exit, result.err);
  CHECK_MESSAGE(has(result.err, signal.number == SIGINT ? "interrupted by SIGINT in migration "
                                                        : "interrupted by SIGTERM in migration "),
                result.err);
  CHECK(has(result.err, "\nhint: what was done is recorded; run again to go on\n"));
  CHECK(is_left_alone(database.url()));
  CHECK(database.text("SELECT outcome FROM kdb.runs ORDER BY id DESC LIMIT 1") == "interrupted");
  CHECK(database.text("SELECT finished_at IS NOT NULL FROM kdb.runs ORDER BY id DESC LIMIT 1") == "t");
  CHECK(database.text("SELECT count(*) FROM pg_locks WHERE locktype = 'advisory'") == "0");
}

void check_completes(const Project& project, const Database& database) {
  const Run second = project.up(database.url());
  CHECK_MESSAGE(second.exit == 0, second.err);
  CHECK(database.text("SELECT count(*) FROM kdb.migrations WHERE state <> 'applied'") == "0");
}

}  // namespace

TEST_CASE("a signal in mid-statement cancels it, rolls back, and the next run completes") {
  for (const Signal signal : signals) {
    CAPTURE(signal.number);
    Project project;
    project.migration("1_one", "CREATE TABLE a (n int);");
    project.migration("2_two",
                      "INSERT INTO a VALUES (1);\nSELECT public.wait_at_gate();\nINSERT INTO a VALUES (2);");
    const Database database;
    const Gate gate(database.url());
    interrupt_at_gate(project, database, gate, signal);
    CHECK(database.text("SELECT count(*) FROM a") == "0");
    CHECK(database.text("SELECT string_agg(key || state, ',') FROM kdb.migrations") == "1applied");
    gate.open();
    check_completes(project, database);
    CHECK(database.text("SELECT string_agg(n::text, ',' ORDER BY n) FROM a") == "1,2");
  }
}

TEST_CASE("a signal in a file that runs statement by statement: the next run goes on where it was") {
  for (const Signal signal : signals) {
    CAPTURE(signal.number);
    Project project;
    project.migration("1_one", "CREATE TABLE a (n int);");
    project.migration(
        "2_two",
        "INSERT INTO a VALUES (1);\nVACUUM a;\nSELECT public.wait_at_gate();\nINSERT INTO a VALUES (2);");
    const Database database;
    const Gate gate(database.url());
    interrupt_at_gate(project, database, gate, signal);
    CHECK(database.text("SELECT string_agg(n::text, ',') FROM a") == "1");
    CHECK(database.text("SELECT state FROM kdb.migrations WHERE key = '2'") == "partial");
    gate.open();
    check_completes(project, database);
    CHECK(database.text("SELECT string_agg(n::text, ',' ORDER BY n) FROM a") == "1,2");
  }
}

TEST_CASE("SIGINT in CREATE INDEX CONCURRENTLY: the next run ends with a valid index") {
  Project project;
  project.migration("1_one", "CREATE TABLE a (n int);\nINSERT INTO a VALUES (1), (2);");
  project.migration("2_two",
                    "CREATE INDEX CONCURRENTLY a_slow ON a (public.gated(n));\nINSERT INTO a VALUES (3);");
  const Database database;
  const Gate gate(database.url());
  interrupt_at_gate(project, database, gate, {SIGINT, 130});
  gate.open();
  check_completes(project, database);
  CHECK(database.text(
            "SELECT string_agg(relname || ' ' || indisvalid, ',') FROM pg_index JOIN pg_class ON oid = "
            "indexrelid WHERE indrelid = 'a'::regclass") == "a_slow true");
  CHECK(database.text("SELECT count(*) FROM a") == "3");
}

TEST_CASE("SIGINT ends the wait for another deployer at once") {
  Project project;
  project.migration("1_one", "SELECT public.wait_at_gate();");
  const Database database;
  const Gate gate(database.url());
  Child holder(project.command(database.url(), {"migrate", "up"}));
  REQUIRE(gate.is_reached());
  Child waiting(project.command(database.url(), {"migrate", "up", "--lock-wait", "10min"}));
  Session session(database.url());
  REQUIRE(eventually([&] {
    return session.text(
               "SELECT count(*) FROM pg_stat_activity WHERE datname = current_database() AND state = 'idle' "
               "AND query LIKE '%l.locktype = ''advisory''%' AND pid <> pg_backend_pid()") == "1";
  }));
  waiting.kill(SIGINT);
  const Run result = waiting.wait(std::chrono::seconds(5));
  CHECK_MESSAGE(result.exit == 130, result.err);
  gate.open();
  const Run first = holder.wait();
  CHECK_MESSAGE(first.exit == 0, first.err);
}

}  // namespace kdb::test::signals_test
