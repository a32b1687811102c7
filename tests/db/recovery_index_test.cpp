// DROP INDEX and REINDEX CONCURRENTLY after kdb died before, in the middle of or after one: the next run
// decides by the catalog what is left to do, and touches nobody else's indexes.

#include <thread>

#include "db/recovery.hpp"
#include "support/text.hpp"

namespace kdb::test::recovery_index_test {

namespace {

const std::string table_a = "CREATE TABLE a (n int PRIMARY KEY, m int);\n";
const std::string table_a_with_index = table_a + "CREATE INDEX a_n ON a (n);\n";
const std::string drop = "DROP INDEX CONCURRENTLY a_n";
const std::string present = "SELECT coalesce(to_regclass('a_n')::text, 'gone')";

}  // namespace

TEST_CASE("DROP INDEX CONCURRENTLY is repeated only where the index is still the one") {
  const Case cases[] = {
      {.name = "never began",
       .tables = table_a_with_index,
       .statement = drop,
       .death = Death::before,
       .question = present,
       .answer = "gone"},
      {.name = "left invalid",
       .tables = table_a_with_index,
       .statement = drop,
       .death = Death::middle,
       .question = present,
       .answer = "gone"},
      {.name = "done",
       .tables = table_a_with_index,
       .statement = drop,
       .death = Death::after,
       .question = present,
       .answer = "gone"},
      {.name = "done, qualified and quoted",
       .tables = table_a_with_index,
       .statement = "DROP INDEX CONCURRENTLY IF EXISTS public.\"a_n\"",
       .death = Death::after,
       .question = present,
       .answer = "gone"},
      {.name = "done, and made again",
       .tables = table_a_with_index,
       .statement = drop,
       .death = Death::after,
       .meanwhile = "CREATE INDEX a_n ON a (m)",
       .question = present,
       .answer = "a_n",
       .exit = 5,
       .says = "nobody can tell"},
      {.name = "never began, and rebuilt",
       .tables = table_a_with_index,
       .statement = drop,
       .death = Death::before,
       .meanwhile = "REINDEX INDEX CONCURRENTLY a_n",
       .question = present,
       .answer = "a_n",
       .exit = 5,
       .says = "nobody can tell"},
      {.name = "done, and another schema has one of that name",
       .tables =
           table_a_with_index + "CREATE SCHEMA s; CREATE TABLE s.b (n int); CREATE INDEX a_n ON s.b (n);",
       .statement = drop,
       .death = Death::after,
       .question = present,
       .answer = "a_n",
       .settings = "SET search_path = s, public;\n"},
      {.name = "there was none, and somebody made it",
       .tables = table_a,
       .statement = "DROP INDEX CONCURRENTLY IF EXISTS a_n",
       .death = Death::before,
       .meanwhile = "CREATE INDEX a_n ON a (n)",
       .question = present,
       .answer = "a_n",
       .exit = 5,
       .says = "nobody can tell"},
      {.name = "there was none",
       .tables = table_a,
       .statement = "DROP INDEX CONCURRENTLY IF EXISTS a_n",
       .death = Death::before,
       .question = present,
       .answer = "gone"},
      {.name = "there was none, and it is an error again",
       .tables = table_a,
       .statement = drop,
       .question = present,
       .answer = "gone",
       .exit = 1,
       .says = "does not exist"},
      {.name = "there was none, which nobody heard",
       .tables = table_a,
       .statement = drop,
       .death = Death::after,
       .question = present,
       .answer = "gone",
       .exit = 1,
       .says = "does not exist"},
  };
  for_some(cases, check);
}

TEST_CASE("REINDEX CONCURRENTLY is repeated without what the broken one left, and nothing else is touched") {
  const std::string tables =
      "CREATE TABLE a (n int PRIMARY KEY, m text);\nCREATE INDEX a_m ON a (m);\n"
      "CREATE TABLE b (n int);\nCREATE INDEX b_n ON b (n);\n"
      "CREATE TABLE p (n int) PARTITION BY RANGE (n);\n"
      "CREATE TABLE p1 PARTITION OF p FOR VALUES FROM (0) TO (9);\nCREATE INDEX p_n ON p (n);";
  const std::string theirs =
      "CREATE INDEX b_n_ccnew ON b (n); UPDATE pg_index SET indisvalid = false WHERE indexrelid = "
      "'b_n_ccnew'::regclass";
  const std::string left =
      "SELECT coalesce(string_agg(relname, ', ' ORDER BY relname), 'nothing') FROM pg_class WHERE relname ~ "
      "'_cc(new|old)'";
  const Case cases[] = {
      {.name = "an index",
       .tables = tables,
       .statement = "REINDEX INDEX CONCURRENTLY a_m",
       .death = Death::middle,
       .meanwhile = theirs,
       .question = left,
       .answer = "b_n_ccnew",
       .says = "dropping the invalid index public.a_m_ccnew"},
      {.name = "a table, with its TOAST table",
       .tables = tables,
       .statement = "REINDEX (VERBOSE, CONCURRENTLY) TABLE public.a",
       .death = Death::middle,
       .meanwhile = theirs,
       .question = left,
       .answer = "b_n_ccnew",
       .says = "dropping the invalid index pg_toast.pg_toast_"},
      {.name = "a partitioned index",
       .tables = tables,
       .statement = "REINDEX INDEX CONCURRENTLY p_n",
       .death = Death::middle,
       .meanwhile = theirs,
       .question = left,
       .answer = "b_n_ccnew",
       .says = "dropping the invalid index public.p1_n_idx_ccnew"},
      {.name = "a schema",
       .tables = tables + "CREATE SCHEMA s; CREATE TABLE s.a (n int PRIMARY KEY);",
       .statement = "REINDEX SCHEMA CONCURRENTLY S",
       .death = Death::middle,
       .meanwhile = theirs,
       .question = left,
       .answer = "b_n_ccnew",
       .says = "dropping the invalid index s.a_pkey_ccnew"},
      {.name = "the database",
       .tables = tables,
       .statement = "REINDEX DATABASE CONCURRENTLY {db}",
       .death = Death::middle,
       .question = left,
       .answer = "nothing",
       .says = "dropping the invalid index "},
      {.name = "after the swap",
       .tables = tables,
       .statement = "REINDEX INDEX CONCURRENTLY a_m",
       .death = Death::middle,
       .meanwhile = "ALTER INDEX a_m_ccnew RENAME TO a_m_ccold3",
       .question = left,
       .answer = "nothing",
       .says = "dropping the invalid index public.a_m_ccold3"},
      {.name = "there before",
       .tables = tables + "CREATE INDEX a_m_ccnew ON a (m);\nUPDATE pg_index SET indisvalid = false WHERE "
                          "indexrelid = 'a_m_ccnew'::regclass;",
       .statement = "REINDEX INDEX CONCURRENTLY a_m",
       .death = Death::middle,
       .question = left,
       .answer = "a_m_ccnew",
       .says = "dropping the invalid index public.a_m_ccnew1"},
      {.name = "a valid one of such a name",
       .tables = tables,
       .statement = "REINDEX INDEX CONCURRENTLY a_m",
       .death = Death::before,
       .meanwhile = "CREATE INDEX a_x_ccnew ON a (n)",
       .question = left,
       .answer = "a_x_ccnew"},
      {.name = "an invalid one of another name",
       .tables = tables,
       .statement = "REINDEX INDEX CONCURRENTLY a_m",
       .death = Death::before,
       .meanwhile = "CREATE INDEX a_x ON a (n); UPDATE pg_index SET indisvalid = false WHERE indexrelid = "
                    "'a_x'::regclass",
       .question = "SELECT count(*) FROM pg_class WHERE relname = 'a_x'",
       .answer = "1"},
  };
  for_some(cases, check);
}

TEST_CASE("a REINDEX that somebody else has at work is left alone") {
  const Scene scene(table_a + "CREATE INDEX a_m ON a (m);", marked("REINDEX TABLE CONCURRENTLY a") + ";");
  const std::string url = scene.database.url();
  die_at_message(scene.project, scene.database, Death::before);
  REQUIRE(is_left_alone(url));
  Session writer(url);
  writer.exec("BEGIN; LOCK TABLE a IN ROW EXCLUSIVE MODE");
  std::string failure;
  std::thread other([&] {
    try {
      Session(url).exec("REINDEX INDEX CONCURRENTLY a_m");
    } catch (const pg::ServerError& error) {
      failure = error.message;
    }
  });
  Session session(url);
  const char* waiting =
      "SELECT count(*) FROM pg_stat_activity WHERE wait_event_type = 'Lock' AND datname = current_database()";
  CHECK(eventually([&] { return session.text(waiting) == "1"; }));
  Child kdb(scene.project.command(url, {"migrate", "up"}));
  // Waiting for each other's snapshot the two would be a deadlock: what kdb waits with is what counts.
  const std::string behind =
      "FROM pg_stat_activity WHERE wait_event_type = 'Lock' AND query LIKE 'REINDEX /*''*/%'";
  CHECK(eventually([&] { return session.text("SELECT count(*) " + behind) == "1"; }));
  kdb.kill(SIGKILL);
  kdb.wait();
  session.exec("SELECT pg_terminate_backend(pid) " + behind);
  writer.exec("ROLLBACK");
  other.join();
  CHECK(failure == "");
  const Run run = scene.up();
  CHECK_MESSAGE(run.exit == 0, run.err);
  CHECK_FALSE(has(run.err, "dropping"));
  CHECK(
      session.text("SELECT string_agg(relname, ', ' ORDER BY relname) FROM pg_class WHERE relkind = 'i' AND "
                   "relname ~ '^a_'") == "a_m, a_pkey");
}

TEST_CASE("what could not be dropped when the build failed is dropped by the next run") {
  TempDir profile;
  const std::string path = profile.write("p.toml",
                                         "[connection]\nbuild_wait = \"100ms\"\n"
                                         "[migrations]\nlock_retry = { max_attempts = 1 }\n");
  const std::string broken = "SELECT count(*) FROM pg_index WHERE NOT indisvalid";
  for (const std::string statement :
       {"CREATE INDEX CONCURRENTLY a_x ON a (n)", "REINDEX INDEX CONCURRENTLY a_n"}) {
    for (const std::string& mended : {statement, std::string("VACUUM a")}) {
      CAPTURE(statement);
      CAPTURE(mended);
      Scene scene(table_a_with_index, statement + ";");
      Session writer(scene.database.url());
      writer.exec("BEGIN; LOCK TABLE a IN ROW EXCLUSIVE MODE");
      const Run failed = scene.project.kdb(scene.database.url(), {"migrate", "up", "-p", path});
      CHECK_MESSAGE(failed.exit == 4, failed.err);
      writer.exec("ROLLBACK");
      CHECK(writer.text(broken) == "1");
      scene.project.migration("2_statement", mended + ";");
      const Run next = scene.up();
      CHECK_MESSAGE(next.exit == 0, next.err);
      CHECK(writer.text(broken) == "0");
    }
  }
}

}  // namespace kdb::test::recovery_index_test
