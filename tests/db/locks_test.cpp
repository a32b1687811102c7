// The lock budget: who reads is never kept waiting for long by a migration that waits, what blocks nobody may
// wait, and neither the settings of a role nor those of the file before get in the way.

#include <atomic>
#include <chrono>
#include <thread>

#include <fmt/format.h>

#include "db/gate.hpp"
#include "support/fault_proxy.hpp"
#include "support/text.hpp"

namespace kdb::test::locks_test {

namespace {

using std::chrono::milliseconds;
using Clock = std::chrono::steady_clock;

milliseconds since(Clock::time_point begin) {
  return std::chrono::duration_cast<milliseconds>(Clock::now() - begin);
}

/// Reads a table again and again in the background, and knows the longest that it was kept waiting.
class Reader {
 public:
  Reader(const std::string& url, const std::string& table) : session_(url) {
    thread_ = std::thread([this, sql = "SELECT count(*) FROM " + table] { read(sql); });
  }
  ~Reader() { stop(); }
  Reader(const Reader&) = delete;
  Reader& operator=(const Reader&) = delete;

  milliseconds longest_wait() {
    stop();
    REQUIRE(reads_ > 0);
    REQUIRE_MESSAGE(failure_.empty(), failure_);
    return longest_;
  }

 private:
  void read(const std::string& sql) {
    try {
      while (!stopped_) {
        const Clock::time_point begin = Clock::now();
        session_.connection().exec(sql);
        longest_ = std::max(longest_, since(begin));
        reads_ += 1;
        std::this_thread::sleep_for(milliseconds(10));
      }
    } catch (const std::exception& error) {
      failure_ = error.what();
    }
  }
  void stop() {
    stopped_ = true;
    if (thread_.joinable()) thread_.join();
  }

  Session session_;
  std::atomic<bool> stopped_ = false;
  milliseconds longest_{0};
  int reads_ = 0;
  std::string failure_;
  std::thread thread_;
};

/// A session that has read a table in a transaction which stays open.
class Holder {
 public:
  Holder(const std::string& url, const std::string& table) : session_(url) {
    session_.exec("BEGIN");
    session_.exec("SELECT count(*) AS long_report FROM " + table);
    pid_ = session_.text("SELECT pg_backend_pid()");
    session_.exec("SELECT count(*) AS long_report FROM " + table);
  }
  void let_go() { session_.exec("COMMIT"); }
  const std::string& pid() const { return pid_; }

 private:
  Session session_;
  std::string pid_;
};

/// Waits until a migration waits, or waits no more, for its lock on a table.
bool eventually_waits(Session& session, const std::string& table, bool wanted = true) {
  return eventually([&] {
    return (session.text(
                "SELECT count(*) FROM pg_locks WHERE NOT granted AND mode = 'AccessExclusiveLock' AND "
                "relation = '" +
                table + "'::regclass") != "0") == wanted;
  });
}

/// A profile that tries again after short pauses.
class Profile {
 public:
  explicit Profile(int max_attempts)
      : path_(folder_.write("p.toml",
                            fmt::format("[migrations]\nlock_retry = {{ initial = \"200ms\", max_delay = "
                                        "\"400ms\", max_attempts = {} }}\n",
                                        max_attempts))) {}
  std::vector<std::string> up(const std::string& lock_timeout) const {
    return {"migrate", "up", "-p", path_, "--lock-timeout", lock_timeout};
  }

 private:
  TempDir folder_;
  std::string path_;
};

constexpr const char* alters = "ALTER TABLE a ADD x int;\nALTER TABLE b ADD x int;\nALTER TABLE c ADD x int;";
constexpr const char* altered =
    "SELECT count(*) FROM pg_attribute WHERE attname = 'x' AND attrelid IN ('a'::regclass, "
    "'b'::regclass, 'c'::regclass)";
constexpr milliseconds a_second{1'000};

}  // namespace

TEST_CASE(
    "three ALTERs share one budget: readers of the first table wait no longer than lock_timeout and a "
    "second") {
  const Database database;
  Project project;
  database.exec("CREATE TABLE a (n int); CREATE TABLE b (n int); CREATE TABLE c (n int)");
  project.migration("1_alters", alters);
  Session session(database.url());
  Holder of_b(database.url(), "b");
  Holder of_c(database.url(), "c");
  Reader reader(database.url(), "a");
  const Profile profile(20);
  Child kdb(project.command(database.url(), profile.up("2s")));
  // Most of the budget goes to b. What is left is for c, where a timeout of its own would take two seconds
  // more.
  REQUIRE(eventually_waits(session, "b"));
  std::this_thread::sleep_for(milliseconds(1'500));
  of_b.let_go();
  REQUIRE(eventually_waits(session, "c"));
  REQUIRE(eventually_waits(session, "c", false));
  of_c.let_go();
  const Run result = kdb.wait();
  CHECK_MESSAGE(result.exit == 0, result.err);
  CHECK(has(result.err, "trying again"));
  CHECK(reader.longest_wait() < milliseconds(2'000) + a_second);
  CHECK(database.text(altered) == "3");
}

TEST_CASE(
    "a lock held longer than lock_timeout: readers behind kdb go on, and kdb succeeds when it is free") {
  const Database database;
  Project project;
  database.exec("CREATE TABLE a (n int); CREATE TABLE b (n int); CREATE TABLE c (n int)");
  project.migration("1_alters", alters);
  Session session(database.url());
  Holder of_c(database.url(), "c");
  Reader of_first(database.url(), "a");
  Reader of_last(database.url(), "c");
  const Profile profile(50);
  Child kdb(project.command(database.url(), profile.up("500ms")));
  REQUIRE(eventually_waits(session, "c"));
  std::this_thread::sleep_for(milliseconds(4'000));
  of_c.let_go();
  const Run result = kdb.wait();
  CHECK_MESSAGE(result.exit == 0, result.err);
  CHECK_MESSAGE(has(result.err, "1 alters: canceling statement due to lock timeout (55P03); trying again"),
                result.err);
  CHECK_MESSAGE(has(result.err, "blocked by pid " + of_c.pid() + " ("), result.err);
  CHECK(of_first.longest_wait() < milliseconds(500) + a_second);
  CHECK(of_last.longest_wait() < milliseconds(500) + a_second);
  CHECK(database.text(altered) == "3");
}

TEST_CASE("what an attempt left in its session is gone before the next one") {
  const Database database;
  Project project;
  database.exec("CREATE TABLE a (n int)");
  project.migration("1_a",
                    "PREPARE p AS SELECT 1;\nDECLARE c CURSOR WITH HOLD FOR SELECT 1;\n"
                    "ALTER TABLE a ADD x int;");
  Holder of_a(database.url(), "a");
  const Profile profile(50);
  Child kdb(project.command(database.url(), profile.up("100ms")));
  Session session(database.url());
  REQUIRE(eventually_waits(session, "a"));
  REQUIRE(eventually_waits(session, "a", false));
  of_a.let_go();
  const Run result = kdb.wait();
  CHECK_MESSAGE(result.exit == 0, result.err);
  CHECK(has(result.err, "trying again"));
}

TEST_CASE("a lock that is never free: exit 4, naming the blocker's pid and query, and nothing is left") {
  for (const bool step_by_step : {false, true}) {
    CAPTURE(step_by_step);
    const Database database;
    Project project;
    database.exec("CREATE TABLE a (n int)");
    project.migration("1_alter", std::string(step_by_step ? "VACUUM a;\n" : "") + "ALTER TABLE a ADD x int;");
    Holder holder(database.url(), "a");
    const Run result = project.kdb(database.url(), Profile(2).up("500ms"));
    CHECK_MESSAGE(result.exit == 4, result.err);
    CHECK_MESSAGE(has(result.err, "(attempt 2 of 2)"), result.err);
    CHECK_MESSAGE(has(result.err, "blocked by: pid " + holder.pid() + " ("), result.err);
    CHECK_MESSAGE(has(result.err, "SELECT count(*) AS long_report FROM a"), result.err);
    CHECK(has(result.err, "hint: run again when the way is free"));
    CHECK(database.text("SELECT outcome FROM kdb.runs") == "lock not obtained");
    CHECK(database.text(
              "SELECT count(*) FROM pg_attribute WHERE attname = 'x' AND attrelid = 'a'::regclass") == "0");
    holder.let_go();
    const Run second = project.up(database.url());
    CHECK_MESSAGE(second.exit == 0, second.err);
  }
}

TEST_CASE("CREATE INDEX CONCURRENTLY beside another session's long snapshot succeeds at its first attempt") {
  const Database database;
  Project project;
  database.exec("CREATE TABLE a (n int); CREATE TABLE other (n int)");
  project.migration("1_index", "CREATE INDEX CONCURRENTLY a_n ON a (n);");
  Session session(database.url());
  Session report(database.url());
  report.exec("BEGIN ISOLATION LEVEL REPEATABLE READ");
  report.exec("SELECT count(*) FROM other");
  const Profile profile(20);
  Child kdb(project.command(database.url(), profile.up("300ms")));
  REQUIRE(eventually([&] {
    return session.text(
               "SELECT count(*) FROM pg_stat_progress_create_index WHERE phase = 'waiting for old "
               "snapshots'") == "1";
  }));
  std::this_thread::sleep_for(milliseconds(2'000));  // many times its lock_timeout
  report.exec("COMMIT");
  const Run result = kdb.wait();
  CHECK_MESSAGE(result.exit == 0, result.err);
  CHECK_MESSAGE(!has(result.err, "trying again"), result.err);
  CHECK(database.text("SELECT indisvalid FROM pg_index WHERE indexrelid = 'a_n'::regclass") == "t");
  CHECK(database.text("SELECT string_agg(state, ',') FROM kdb.steps WHERE ordinal = 1") == "done");
}

TEST_CASE("a lock_timeout that the file sets wins over kdb's") {
  const Database database;
  database.exec("CREATE TABLE a (n int)");
  Session session(database.url());
  SUBCASE("a longer one waits without a retry") {
    Project project;
    project.migration("1_alter", "SET lock_timeout = '60s';\nALTER TABLE a ADD x int;");
    Holder holder(database.url(), "a");
    const Profile profile(2);
    Child kdb(project.command(database.url(), profile.up("100ms")));
    REQUIRE(eventually_waits(session, "a"));
    std::this_thread::sleep_for(milliseconds(1'000));
    holder.let_go();
    const Run result = kdb.wait();
    CHECK_MESSAGE(result.exit == 0, result.err);
    CHECK_MESSAGE(!has(result.err, "trying again"), result.err);
  }
  SUBCASE("a shorter one gives up sooner") {
    Project project;
    project.migration("1_alter", "SET lock_timeout = '100ms';\nALTER TABLE a ADD x int;");
    const Holder holder(database.url(), "a");
    const Clock::time_point begin = Clock::now();
    const Run result = project.kdb(database.url(), Profile(1).up("30s"));
    CHECK_MESSAGE(result.exit == 4, result.err);
    CHECK(since(begin) < milliseconds(15'000));
  }
  SUBCASE("a short one of the directive still names the blocker") {
    Project project;
    project.file("1_alter.sql", "-- migrate:up lock_timeout:200ms\nALTER TABLE a ADD x int;\n");
    const Holder holder(database.url(), "a");
    // The first attempt can end before kdb's second session is there to look.
    const Run result = project.kdb(database.url(), Profile(2).up("30s"));
    CHECK_MESSAGE(result.exit == 4, result.err);
    CHECK_MESSAGE(has(result.err, "blocked by: pid " + holder.pid() + " ("), result.err);
  }
  SUBCASE("the directive's holds for a build that waits for others too") {
    Project project;
    project.file("1_index.sql",
                 "-- migrate:up lock_timeout:200ms\nCREATE INDEX CONCURRENTLY a_n ON a (n);\n");
    Session report(database.url());
    report.exec("BEGIN ISOLATION LEVEL REPEATABLE READ");
    report.exec("SELECT count(*) FROM pg_class");
    const Run result = project.kdb(database.url(), Profile(1).up("30s"));
    CHECK_MESSAGE(result.exit == 4, result.err);
    report.exec("COMMIT");
    CHECK(project.up(database.url()).exit == 0);
    CHECK(database.text(
              "SELECT string_agg(indisvalid::text, ',') FROM pg_index WHERE indrelid = 'a'::regclass") ==
          "true");
  }
}

TEST_CASE("timeouts of the role do not end a slow migration") {
  for (const bool step_by_step : {false, true}) {
    CAPTURE(step_by_step);
    const Database database;
    database.exec("CREATE TABLE a (n int)");
    Session elsewhere(server_url());
    const std::string role = "ALTER ROLE postgres IN DATABASE " + database.name();
    for (const char* setting :
         {"statement_timeout", "idle_in_transaction_session_timeout", "idle_session_timeout"})
      elsewhere.exec(fmt::format("{} SET {} = '150ms'", role, setting));
    elsewhere.exec(role + " SET lock_timeout = '1ms'");
    Project project;
    project.migration(
        "1_slow", fmt::format("INSERT INTO a VALUES (1);\n{}SELECT pg_sleep(0.4);\nALTER TABLE a ADD x int;",
                              step_by_step ? "VACUUM a;\n" : ""));
    // A client that lets its transaction wait: between two statements, and before the COMMIT.
    FaultProxy proxy(database.tcp_url());
    for (const char* statement : {"ALTER TABLE a", "COMMIT; SET"})
      proxy.add({.contains = statement, .delay = milliseconds(400)});
    const Run result = project.kdb(proxy.url(), {"migrate", "up"});
    CHECK_MESSAGE(result.exit == 0, result.err);
    CHECK_MESSAGE(!has(result.err, "connection lost"), result.err);
    CHECK(proxy.fired() >= 1);
    elsewhere.exec(role + " RESET ALL");
    CHECK(database.text(
              "SELECT count(*) FROM pg_attribute WHERE attname = 'x' AND attrelid = 'a'::regclass") == "1");
  }
}

namespace {

/// A role of the test's own. It owns nothing by the time that the databases are gone.
struct Role {
  std::string name = "r" + std::to_string(getpid());
  Role() { Session(server_url()).exec("CREATE ROLE " + name); }
  ~Role() {
    try {
      Session(server_url()).exec("DROP ROLE " + name);
    } catch (const std::exception&) {
      // It is the database's end that failed, and that has been reported.
    }
  }
  Role(const Role&) = delete;
  Role& operator=(const Role&) = delete;
};

}  // namespace

TEST_CASE("what a file does to its session is gone before the next file") {
  const Role role;
  for (const bool step_by_step : {false, true}) {
    CAPTURE(step_by_step);
    const Database database;
    database.exec("CREATE SCHEMA other; CREATE TABLE t (n int); GRANT ALL ON SCHEMA public, other TO " +
                  role.name);
    Project project;
    // Statement by statement, temporary tables and PREPARE are refused from the start.
    const std::string own =
        step_by_step ? "VACUUM t;\n" : "CREATE TEMP TABLE scratch (n int);\nPREPARE p AS SELECT 1;\n";
    project.migration("1_first", own + "SET search_path = other;\nSET work_mem = '77MB';\nSET ROLE " +
                                     role.name + ";\nCREATE TABLE first (n int);");
    project.migration(
        "2_second",
        "CREATE TABLE second AS SELECT to_regclass('scratch') IS NULL AS no_scratch, "
        "current_setting('work_mem') AS work_mem, (SELECT count(*) FROM pg_prepared_statements) AS "
        "prepared;\n" +
            own);
    const Run result = project.up(database.url());
    CHECK_MESSAGE(result.exit == 0, result.err);
    CHECK(database.text(
              "SELECT string_agg(n.nspname || '.' || relname || ' ' || relowner::regrole, ', ' ORDER BY "
              "relname)"
              " FROM pg_class c JOIN pg_namespace n ON n.oid = relnamespace WHERE relname IN ('first', "
              "'second')") == "other.first " + role.name + ", public.second postgres");
    CHECK(database.text("SELECT no_scratch || ' ' || (work_mem = '77MB') || ' ' || prepared FROM second") ==
          "true false 0");
  }
}

}  // namespace kdb::test::locks_test
