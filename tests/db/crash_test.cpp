// kdb, its backend or the wire between them dies at every message of a run: the next run ends as an
// undisturbed one does.

#include <csignal>

#include "db/project.hpp"
#include "support/cases.hpp"
#include "support/fault_proxy.hpp"

namespace kdb::test {

namespace {

using When = FaultProxy::When;
using Fault = FaultProxy::Fault;

/// What a crash in the middle must not show in: transactional files, data that must not be there twice.
void transactional(Project& project) {
  project.migration("1_one", "CREATE TABLE a (n int);\nINSERT INTO a VALUES (1);");
  project.migration(
      "2_two",
      "CREATE TABLE b (n int);\nINSERT INTO b SELECT n FROM a;\nALTER TABLE a ADD COLUMN m int DEFAULT 7;");
}

/// Every statement here that cannot run in a transaction, between ones that can.
void step_by_step(Project& project) {
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
}

using Setup = void (*)(Project&);

struct Undisturbed {
  std::string state;
  int queries = 0;
};

Undisturbed undisturbed_run(const Project& project) {
  const Database database;
  FaultProxy proxy(database.tcp_url());
  const Run first = project.up(proxy.url());
  REQUIRE_MESSAGE(first.exit == 0, first.err);
  return {.state = database.state(), .queries = static_cast<int>(proxy.queries().size())};
}

struct Harm {
  const char* name;
  When when;
  bool kills_kdb;
  Fault fault;
};

constexpr Harm harms[] = {
    {"kill -9 of kdb before the server sees the message", When::before_forward, true, Fault::none},
    {"kill -9 of kdb while the server works", When::before_reply, true, Fault::none},
    {"kill -9 of kdb before it reads the answer", When::reply_held, true, Fault::none},
    {"the wire is cut before the message", When::before_forward, false, Fault::cut},
    {"the wire is cut after the answer was sent", When::reply_held, false, Fault::cut},
};

/// Does harm at each message in turn. After kill -9 the next run must finish the work; after everything else
/// kdb itself. Three kinds of harm share the messages out among them unless KDB_CASES asks for all: a run is
/// a third of a second.
void at_every_message(Setup setup, const Harm& harm) {
  const int stride = cases() > 200 ? 1 : 3;
  const int first_number = 1 + static_cast<int>(&harm - &harms[0]) % stride;
  Project project;
  setup(project);
  const Undisturbed expected = undisturbed_run(project);
  REQUIRE(expected.queries > 8);
  for (int number = first_number; number <= expected.queries; number += stride) {
    CAPTURE(std::string(harm.name));
    CAPTURE(number);
    const Database database;
    FaultProxy proxy(database.tcp_url());
    Child kdb(project.command(proxy.url(), {"migrate", "up"}));
    const pid_t pid = kdb.pid();
    std::string sql;
    proxy.add({.number = number,
               .when = harm.when,
               .callback =
                   [&](const FaultProxy::Query& query) {
                     sql = query.sql;
                     if (harm.kills_kdb) ::kill(pid, SIGKILL);
                   },
               .fault = harm.fault});
    const Run first = kdb.wait();
    CAPTURE(sql);
    CAPTURE(first.err);
    if (proxy.fired() == 0) continue;  // the run was a message shorter this time
    CHECK(first.exit == (harm.kills_kdb ? 128 + SIGKILL : 0));
    const Run second = project.up(database.url());
    CHECK_MESSAGE(second.exit == 0, second.err);
    CHECK(database.state() == expected.state);
  }
}

}  // namespace

TEST_CASE("a transactional file survives harm at every message") {
  for (const Harm& harm : harms) at_every_message(transactional, harm);
}

TEST_CASE("a file that runs statement by statement survives harm at every message") {
  for (const Harm& harm : harms) at_every_message(step_by_step, harm);
}

TEST_CASE("a lost COMMIT is resolved by the history: exactly once") {
  Project project;
  project.migration("1_one", "CREATE TABLE a (n int);");
  project.migration("2_two", "INSERT INTO a VALUES (1);");
  for (const When when : {When::before_forward, When::before_reply, When::reply_held}) {
    const Database database;
    FaultProxy proxy(database.tcp_url());
    proxy.add({.contains = "'2', '2', 'two'", .when = when, .fault = Fault::cut});
    const Run result = project.up(proxy.url());
    CAPTURE(static_cast<int>(when));
    CHECK(proxy.fired() == 1);
    CHECK_MESSAGE(result.exit == 0, result.err);
    CHECK(result.err.find("connection lost") != std::string::npos);
    CHECK(database.text("SELECT count(*) FROM a") == "1");
    CHECK(database.text("SELECT count(*) FROM kdb.events WHERE kind = 'applied' AND subject = '2'") == "1");
  }
}

namespace {

/// An index whose build takes two seconds on any machine.
void slow_index(Project& project) {
  project.migration("1_table",
                    "CREATE TABLE a (n int);\nINSERT INTO a SELECT generate_series(1, 200);\n"
                    "CREATE FUNCTION slow(n int) RETURNS int IMMUTABLE LANGUAGE plpgsql AS\n"
                    "$$ BEGIN PERFORM pg_sleep(0.01); RETURN n; END $$;");
  project.migration("2_index",
                    "CREATE INDEX CONCURRENTLY a_slow ON a (slow(n));\nINSERT INTO a VALUES (1000);");
}

/// In its middle: the index is in the catalog, and not valid. kdb's own tables have indexes that are built
/// too.
constexpr const char* builders =
    "pg_stat_progress_create_index WHERE datname = current_database() AND command = 'CREATE INDEX "
    "CONCURRENTLY' "
    "AND phase LIKE 'building index%'";

bool is_building(Session& session) {
  return session.text(std::string("SELECT count(*) FROM ") + builders) == "1";
}

/// Ends the backend in the middle of its build: looks and signals in one statement, so that neither comes too
/// late.
void end_the_builder(Session& session) {
  REQUIRE(eventually([&] {
    return session.text(std::string("SELECT count(*) FROM (SELECT pg_terminate_backend(pid) AS ended FROM ") +
                        builders + ") AS builder WHERE ended") == "1";
  }));
}

}  // namespace

TEST_CASE("kill -9 of kdb in CREATE INDEX CONCURRENTLY: the next run completes it") {
  Project project;
  slow_index(project);
  const Undisturbed expected = undisturbed_run(project);
  const Database database;
  Session session(database.url());
  Child kdb(project.command(database.url(), {"migrate", "up"}));
  REQUIRE(eventually([&] { return is_building(session); }));
  kdb.kill(SIGKILL);
  kdb.wait();
  const Run second = project.up(database.url());
  CHECK_MESSAGE(second.exit == 0, second.err);
  CHECK(database.state() == expected.state);
}

TEST_CASE(
    "a backend that ends in CREATE INDEX CONCURRENTLY leaves an invalid index: kdb drops it and builds "
    "again") {
  Project project;
  slow_index(project);
  const Undisturbed expected = undisturbed_run(project);
  const Database database;
  Session session(database.url());
  Child kdb(project.command(database.url(), {"migrate", "up"}));
  end_the_builder(session);
  const Run first = kdb.wait();
  CHECK_MESSAGE(first.exit == 0, first.err);
  CHECK_MESSAGE(first.err.find("dropping the invalid index public.a_slow") != std::string::npos, first.err);
  CHECK(database.state() == expected.state);
}

TEST_CASE(
    "kill -9 of kdb and of its backend in CREATE INDEX CONCURRENTLY: the next run drops and builds again") {
  Project project;
  slow_index(project);
  const Undisturbed expected = undisturbed_run(project);
  const Database database;
  Session session(database.url());
  Child kdb(project.command(database.url(), {"migrate", "up"}));
  REQUIRE(eventually([&] { return is_building(session); }));
  kdb.kill(SIGKILL);
  kdb.wait();
  end_the_builder(session);
  const Run second = project.up(database.url());
  CHECK_MESSAGE(second.exit == 0, second.err);
  CHECK(database.state() == expected.state);
}

TEST_CASE("a procedure that commits inside is the one case that a person decides") {
  Project project;
  project.migration(
      "1_table",
      "CREATE TABLE a (n int);\nCREATE PROCEDURE fill() LANGUAGE plpgsql AS $$ BEGIN\n"
      "INSERT INTO a VALUES (1); COMMIT; PERFORM pg_sleep(1); INSERT INTO a VALUES (2); END $$;");
  project.migration("2_call", "CALL fill();\nINSERT INTO a VALUES (3);");
  const char* asleep =
      "SELECT count(*) FROM pg_stat_activity WHERE wait_event = 'PgSleep' AND datname = "
      "current_database()";
  for (const std::string verdict : {"--done", "--again"}) {
    CAPTURE(verdict);
    const Database database;
    Session session(database.url());
    Child kdb(project.command(database.url(), {"migrate", "up"}));
    REQUIRE(eventually([&] { return session.text(asleep) == "1"; }));
    kdb.kill(SIGKILL);
    kdb.wait();
    session.exec("SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE wait_event = 'PgSleep'");

    const Run undecided = project.up(database.url());
    CHECK(undecided.exit == 5);
    CHECK(undecided.err.find("2_call.sql:2:1") != std::string::npos);
    CHECK(undecided.err.find("kdb migrate repair 2 --statement 1 --done") != std::string::npos);
    CHECK(database.text("SELECT count(*) FROM a") == "1");

    const Run repair = project.kdb(database.url(), {"migrate", "repair", "2", "--statement", "1", verdict});
    CHECK_MESSAGE(repair.exit == 0, repair.err);
    const Run last = project.up(database.url());
    CHECK_MESSAGE(last.exit == 0, last.err);
    CHECK(database.text("SELECT string_agg(n::text, ',' ORDER BY n) FROM a") ==
          (verdict == "--done" ? "1,3" : "1,1,2,3"));
  }
}

TEST_CASE("a procedure marked as rerunnable is repeated without a question") {
  Project project;
  project.migration(
      "1_table",
      "CREATE TABLE a (n int PRIMARY KEY);\nCREATE PROCEDURE fill() LANGUAGE plpgsql AS $$ BEGIN\n"
      "INSERT INTO a VALUES (1) ON CONFLICT DO NOTHING; COMMIT; PERFORM pg_sleep(1); END $$;");
  project.migration("2_call", "-- kdb:rerunnable\nCALL fill();");
  const Database database;
  Session session(database.url());
  Child kdb(project.command(database.url(), {"migrate", "up"}));
  REQUIRE(eventually([&] {
    return session.text("SELECT count(*) FROM pg_stat_activity WHERE wait_event = 'PgSleep'") == "1";
  }));
  kdb.kill(SIGKILL);
  kdb.wait();
  const Run second = project.up(database.url());
  CHECK_MESSAGE(second.exit == 0, second.err);
  CHECK(database.text("SELECT count(*) FROM a") == "1");
}

TEST_CASE("a black hole ends within its deadline, and the next run finishes") {
  Project project;
  project.migration("1_one", "CREATE TABLE a (n int);");
  project.migration("2_two", "INSERT INTO a VALUES (1);");
  const Database database;
  FaultProxy proxy(database.tcp_url());
  proxy.add({.contains = "INSERT INTO a", .when = When::before_forward, .fault = Fault::black_hole_all});
  TempDir profile;
  const std::string path = profile.write("p.toml",
                                         "[connection]\nresponse_timeout = \"1s\"\nconnect_timeout = \"1s\"\n"
                                         "retry = { max_attempts = 2, deadline = \"3s\" }\n");
  const auto begun = std::chrono::steady_clock::now();
  const Run first = project.kdb(proxy.url(), {"migrate", "up", "-p", path});
  const std::chrono::duration<double> took = std::chrono::steady_clock::now() - begun;
  CHECK(first.exit == 1);
  CHECK(took.count() < 30.0);
  proxy.heal();
  const Run second = project.up(database.url());
  CHECK_MESSAGE(second.exit == 0, second.err);
  CHECK(database.text("SELECT count(*) FROM a") == "1");
}

}  // namespace kdb::test
