// kdb, its backend or the wire between them dies at every message of a run: the next run ends as an
// undisturbed one does.

#include <csignal>

#include "db/harm.hpp"

namespace kdb::test::crash_test {

namespace {

using When = FaultProxy::When;
using Fault = FaultProxy::Fault;

}  // namespace

TEST_CASE("a transactional file survives harm at every message") {
  Project project;  // data that must not be there twice
  project.migration("1_one", "CREATE TABLE a (n int);\nINSERT INTO a VALUES (1);");
  project.migration(
      "2_two",
      "CREATE TABLE b (n int);\nINSERT INTO b SELECT n FROM a;\nALTER TABLE a ADD COLUMN m int DEFAULT 7;");
  at_every_message(deed_of(project), 3);
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

}  // namespace kdb::test::crash_test
