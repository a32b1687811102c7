// As crash_test, in the middle of an index build.

#include <csignal>

#include "db/harm.hpp"

namespace kdb::test::crash_index_test {

namespace {

/// In its middle: the index is in the catalog, and not valid. kdb's own tables have indexes that are built
/// too.
constexpr const char* builders =
    "pg_stat_progress_create_index WHERE datname = current_database() AND command = 'CREATE INDEX "
    "CONCURRENTLY' "
    "AND phase LIKE 'building index%'";

/// An index whose build takes two seconds on any machine.
struct SlowIndex : Project {
  SlowIndex() {
    migration("1_table",
              "CREATE TABLE a (n int);\nINSERT INTO a SELECT generate_series(1, 200);\n"
              "CREATE FUNCTION slow(n int) RETURNS int IMMUTABLE LANGUAGE plpgsql AS\n"
              "$$ BEGIN PERFORM pg_sleep(0.01); RETURN n; END $$;");
    migration("2_index", "CREATE INDEX CONCURRENTLY a_slow ON a (slow(n));\nINSERT INTO a VALUES (1000);");
  }
};

/// `kdb migrate up` of it, begun.
struct SlowBuild {
  SlowIndex project;
  Undisturbed expected = undisturbed(deed_of(project));
  Database database;
  Session session{database.url()};
  Child kdb{project.command(database.url(), {"migrate", "up"})};

  void kill_kdb_while_it_builds() {
    REQUIRE(eventually([&] { return session.text(std::string("SELECT count(*) FROM ") + builders) == "1"; }));
    kdb.kill(SIGKILL);
    kdb.wait();
  }

  /// Looks and signals in one statement, so that neither comes too late.
  void end_the_backend_while_it_builds() {
    REQUIRE(eventually([&] {
      return session.text(
                 std::string("SELECT count(*) FROM (SELECT pg_terminate_backend(pid) AS ended FROM ") +
                 builders + ") AS builder WHERE ended") == "1";
    }));
  }
};

}  // namespace

TEST_CASE("kill -9 of kdb in CREATE INDEX CONCURRENTLY: the next run completes it") {
  SlowBuild build;
  build.kill_kdb_while_it_builds();
  const Run second = build.project.up(build.database.url());
  CHECK_MESSAGE(second.exit == 0, second.err);
  CHECK(build.database.state() == build.expected.state);
}

TEST_CASE(
    "a backend that ends in CREATE INDEX CONCURRENTLY leaves an invalid index: kdb drops it and builds "
    "again") {
  SlowBuild build;
  build.end_the_backend_while_it_builds();
  const Run first = build.kdb.wait();
  CHECK_MESSAGE(first.exit == 0, first.err);
  CHECK_MESSAGE(first.err.find("dropping the invalid index public.a_slow") != std::string::npos, first.err);
  CHECK(build.database.state() == build.expected.state);
}

TEST_CASE(
    "kill -9 of kdb and of its backend in CREATE INDEX CONCURRENTLY: the next run drops and builds again") {
  SlowBuild build;
  build.kill_kdb_while_it_builds();
  build.end_the_backend_while_it_builds();
  const Run second = build.project.up(build.database.url());
  CHECK_MESSAGE(second.exit == 0, second.err);
  CHECK(build.database.state() == build.expected.state);
}

}  // namespace kdb::test::crash_index_test
