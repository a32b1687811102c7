// CREATE INDEX CONCURRENTLY after kdb died before, in the middle of or after one: the next run decides by the
// catalog what is left to do, and touches nobody else's indexes.

#include <thread>

#include "db/recovery.hpp"
#include "support/skip.hpp"
#include "support/text.hpp"

namespace kdb::test::recovery_create_index_test {

namespace {

const std::string table_a =
    "CREATE TABLE a (n int PRIMARY KEY, m int);\nINSERT INTO a SELECT n, n FROM generate_series(1, 50) n;";
const std::string create = "CREATE INDEX CONCURRENTLY a_n ON a (n)";
const std::string create_unnamed = "CREATE INDEX CONCURRENTLY ON a (m)";

/// A comment stays with its index: one that is built again has none.
const std::string indexes =
    "SELECT string_agg(indexrelid::regclass || ' ' || indisvalid || ' ' || "
    "coalesce(obj_description(indexrelid), '-'), ', ' ORDER BY indexrelid::regclass::text) FROM pg_index "
    "WHERE indrelid = 'a'::regclass AND NOT indisprimary";

/// Longer than what the server keeps of a name.
const std::string long_name = "a_name_of_which_the_server_keeps_63_bytes_" + std::string(40, 'x');
const std::string cut_name = long_name.substr(0, 63);
const std::string invalidate = "UPDATE pg_index SET indisvalid = false WHERE indexrelid = 'a_n'::regclass";

}  // namespace

TEST_CASE("CREATE INDEX CONCURRENTLY that never began runs; what others made meanwhile stays") {
  const Case cases[] = {
      {.name = "named",
       .tables = table_a,
       .statement = create,
       .death = Death::before,
       .question = indexes,
       .answer = "a_n true -"},
      {.name = "an index of that name on another table, in another schema",
       .tables = table_a,
       .statement = create,
       .death = Death::before,
       .meanwhile = "CREATE SCHEMA s; CREATE TABLE s.a (n int); CREATE INDEX a_n ON s.a (n)",
       .question = indexes,
       .answer = "a_n true -"},
      {.name = "search_path is replayed, or public's index counts",
       .tables = table_a + "CREATE INDEX a_n ON a (n);\nCREATE SCHEMA s;\nCREATE TABLE s.a (n int);",
       .statement = create,
       .death = Death::before,
       .question = "SELECT count(*) FROM pg_indexes WHERE schemaname = 's' AND indexname = 'a_n'",
       .answer = "1",
       .settings = "SET search_path = s, public;\n"},
      {.name = "unnamed, beside indexes that were there",
       .tables = table_a + "CREATE INDEX a_old ON a (m, n);",
       .statement = create_unnamed,
       .death = Death::before,
       .question = indexes,
       .answer = "a_m_idx true -, a_old true -"},
      {.name = "unnamed, and one that was there has another oid",
       .tables = table_a + "CREATE INDEX a_old ON a (m, n);",
       .statement = create_unnamed,
       .death = Death::before,
       .meanwhile = "REINDEX INDEX CONCURRENTLY a_old",
       .question = indexes,
       .answer = "a_m_idx true -, a_old true -"},
      {.name = "unnamed, and one that was there has another name",
       .tables = table_a + "CREATE INDEX a_old ON a (m, n);",
       .statement = create_unnamed,
       .death = Death::before,
       .meanwhile = "ALTER INDEX a_old RENAME TO a_other",
       .question = indexes,
       .answer = "a_m_idx true -, a_other true -"},
      {.name = "unnamed, and somebody added a constraint",
       .tables = table_a,
       .statement = create_unnamed,
       .death = Death::before,
       .meanwhile = "ALTER TABLE a ADD UNIQUE (m, n)",
       .question = indexes,
       .answer = "a_m_idx true -, a_m_n_key true -"},
      {.name = "unnamed, and somebody's REINDEX left something",
       .tables = table_a,
       .statement = create_unnamed,
       .death = Death::before,
       .meanwhile =
           "CREATE INDEX a_n_ccnew ON a (n); UPDATE pg_index SET indisvalid = false WHERE indexrelid "
           "= 'a_n_ccnew'::regclass",
       .question = indexes,
       .answer = "a_m_idx true -, a_n_ccnew false -"},
      {.name = "IF NOT EXISTS",
       .tables = table_a,
       .statement = "CREATE INDEX CONCURRENTLY IF NOT EXISTS a_n ON a (n)",
       .death = Death::before,
       .question = indexes,
       .answer = "a_n true -"},
  };
  for_some(cases, check);
}

TEST_CASE("CREATE INDEX CONCURRENTLY that was done is not repeated") {
  struct Row {
    std::string statement;
    std::string index;
  };
  const Row rows[] = {
      {create, "a_n"},
      {"CREATE INDEX CONCURRENTLY A_N ON public.A (n)", "a_n"},
      {"CREATE INDEX CONCURRENTLY \"My \"\"own\"\" Idx\" ON public . \"a\" (n)", "\"My \"\"own\"\" Idx\""},
      {"CREATE INDEX CONCURRENTLY \"a.b\" ON a (n)", "\"a.b\""},
      {"CREATE INDEX CONCURRENTLY " + long_name + " ON a (n)", cut_name},
      {create_unnamed, "a_m_idx"},
      {"CREATE UNIQUE INDEX CONCURRENTLY IF NOT EXISTS a_n ON a (n)", "a_n"},
  };
  for (const Row& row : rows)
    check({.name = row.statement,
           .tables = table_a,
           .statement = row.statement,
           .death = Death::after,
           .meanwhile = "COMMENT ON INDEX " + row.index + " IS 'kept'",
           .question = indexes,
           .answer = row.index + " true kept"});
}

TEST_CASE("what CREATE INDEX CONCURRENTLY left in its middle is dropped and built again") {
  struct Row {
    std::string statement;
    std::string index;
  };
  const Row rows[] = {
      {create, "a_n"},
      {"CREATE INDEX CONCURRENTLY \"My Idx\" ON a (n)", "\"My Idx\""},
      {"CREATE INDEX CONCURRENTLY " + long_name + " ON a (n)", cut_name},
      {create_unnamed, "a_m_idx"},
      {"-- kdb:rerunnable\nCREATE INDEX CONCURRENTLY IF NOT EXISTS a_n ON a (n)", "a_n"},
  };
  for (const Row& row : rows)
    check({.name = row.statement,
           .tables = table_a,
           .statement = row.statement,
           .death = Death::middle,
           .meanwhile = "COMMENT ON INDEX " + row.index + " IS 'kept'",
           .question = indexes,
           .answer = row.index + " true -",
           .says = "dropping the invalid index public." + row.index + " "});
}

TEST_CASE("a named index is ours, whatever others built beside it") {
  const std::string meanwhile = "COMMENT ON INDEX a_n IS 'kept'; CREATE INDEX by_hand ON a (m)";
  check({.name = "done",
         .tables = table_a,
         .statement = create,
         .death = Death::after,
         .meanwhile = meanwhile,
         .question = indexes,
         .answer = "a_n true kept, by_hand true -"});
  check({.name = "half done",
         .tables = table_a,
         .statement = create,
         .death = Death::middle,
         .meanwhile = meanwhile,
         .question = indexes,
         .answer = "a_n true -, by_hand true -"});
}

TEST_CASE("an index on a materialized view is no exception") {
  const std::string view = "CREATE MATERIALIZED VIEW a AS SELECT n FROM generate_series(1, 50) n;";
  for (const Death death : {Death::before, Death::middle, Death::after})
    check({.name = "on a materialized view",
           .tables = view,
           .statement = create,
           .death = death,
           .question = indexes,
           .answer = "a_n true -"});
}

TEST_CASE("search_path decides which of two broken indexes is ours") {
  check({.name = "search_path",
         .tables = table_a + "CREATE INDEX a_n ON a (n);\nCREATE SCHEMA s;\nCREATE TABLE s.a (n int);",
         .statement = create,
         .death = Death::middle,
         .meanwhile = "COMMENT ON INDEX public.a_n IS 'kept'; " + invalidate,
         .question = indexes,
         .answer = "a_n false kept",
         .says = "dropping the invalid index s.a_n",
         .settings = "SET search_path = s, public;\n"});
}

TEST_CASE("an unnamed index beside somebody else's new one is a person's decision") {
  for (const Death death : {Death::after, Death::middle})
    check({.name = "unnamed",
           .tables = table_a,
           .statement = create_unnamed,
           .death = death,
           .meanwhile = "CREATE INDEX by_hand ON a (n)",
           .question = "SELECT count(*) FROM pg_index WHERE indrelid = 'a'::regclass",
           .answer = "3",
           .exit = 5,
           .says = "nobody can tell whether statement 1 of migration 2 statement took effect"});
}

TEST_CASE("an invalid index that was there before is nobody's to drop") {
  struct Row {
    std::string statement;
    std::string says;
  };
  const Row rows[] = {
      {create, "relation \"a_n\" already exists (42P07)"},
      {"CREATE INDEX CONCURRENTLY IF NOT EXISTS a_n ON a (n)",
       "the index public.a_n was there already and is invalid; IF NOT EXISTS left it so"},
  };
  for (const Row& row : rows)
    for (const Death death : {Death::none, Death::before, Death::after})
      check({.name = row.statement,
             .tables =
                 table_a + "CREATE INDEX a_n ON a (n);\nCOMMENT ON INDEX a_n IS 'kept';\n" + invalidate + ";",
             .statement = row.statement,
             .death = death,
             .question = indexes,
             .answer = "a_n false kept",
             .exit = 1,
             .says = row.says});
}

TEST_CASE("an index that somebody else is building is waited for, and not dropped") {
  const Scene scene(table_a, marked("CREATE INDEX CONCURRENTLY a_n ON a (gated(n))") + ";");
  const Gate gate(scene.database.url());
  die_at_message(scene.project, scene.database, Death::before);
  REQUIRE(is_left_alone(scene.database.url()));
  std::thread builder(
      [&] { Session(scene.database.url()).exec("CREATE INDEX CONCURRENTLY a_n ON a (gated(n))"); });
  CHECK(gate.is_reached());
  const std::string oid = scene.database.text("SELECT 'a_n'::regclass::oid");
  Child kdb(scene.project.command(scene.database.url(), {"migrate", "up"}));
  Session session(scene.database.url());
  CHECK(eventually([&] {
    return session.text(
               "SELECT count(*) FROM pg_stat_activity WHERE query LIKE '%pg_sleep(0.1)' AND datname = "
               "current_database()") == "1";
  }));
  gate.open();
  builder.join();
  const Run run = kdb.wait();
  CHECK_MESSAGE(run.exit == 0, run.err);
  CHECK_MESSAGE(has(run.err, "waiting for another session that builds public.a_n"), run.err);
  CHECK(session.text("SELECT 'a_n'::regclass::oid") == oid);
}

TEST_CASE("a lock that is no build's is waited for by the drop, which sends autovacuum away") {
  const Scene scene(table_a, marked(create) + ";");
  die_in_the_middle(scene.project, scene.database);
  Session other(scene.database.url());
  other.exec("BEGIN; LOCK TABLE a IN SHARE UPDATE EXCLUSIVE MODE");
  Child kdb(scene.project.command(scene.database.url(), {"migrate", "up"}));
  Session session(scene.database.url());
  CHECK(eventually([&] {
    return session.text(
               "SELECT count(*) FROM pg_stat_activity WHERE wait_event_type = 'Lock' AND query LIKE "
               "'DROP INDEX%' AND datname = current_database()") == "1";
  }));
  other.exec("ROLLBACK");
  const Run run = kdb.wait();
  CHECK_MESSAGE(run.exit == 0, run.err);
  CHECK(scene.database.text(indexes) == "a_n true -");
}

TEST_CASE("a build that fails leaves nothing behind, however its file is mended") {
  const std::string create_unique = "CREATE UNIQUE INDEX CONCURRENTLY a_m ON a (m)";
  const std::string mended[] = {
      create_unique,
      "DELETE FROM a WHERE n > 50;\n" + create_unique,
      "CREATE INDEX CONCURRENTLY ON a (n)",
  };
  for (const std::string& file : mended) {
    CAPTURE(file);
    const Scene scene(table_a + "INSERT INTO a VALUES (51, 1);", create_unique + ";");
    const Run failed = scene.up();
    CHECK(failed.exit == 1);
    CHECK_MESSAGE(has(failed.err, "could not create unique index"), failed.err);
    CHECK(scene.database.text(indexes) == "");
    if (file == create_unique) scene.database.exec("DELETE FROM a WHERE n > 50");
    Project project;
    project.migration("1_tables", table_a + "INSERT INTO a VALUES (51, 1);");
    project.migration("2_statement", file + ";");
    const Run next = project.up(scene.database.url());
    CHECK_MESSAGE(next.exit == 0, next.err);
    CHECK(scene.database.text(indexes) == (has(file, "a_m") ? "a_m true -" : "a_n_idx true -"));
  }
}

TEST_CASE("a mended statement drops nothing that was there before it") {
  Scene scene(table_a + "CREATE INDEX a_n ON a (n);\n" + invalidate + ";",
              "CREATE INDEX CONCURRENTLY a_x ON a (nothing);");
  CHECK(scene.up().exit == 1);
  scene.project.migration("2_statement", create + ";");
  const Run next = scene.up();
  CHECK(next.exit == 1);
  CHECK_MESSAGE(has(next.err, "already exists"), next.err);
  CHECK(scene.database.text(indexes) == "a_n false -");
}

TEST_CASE("an index that somebody made after ours failed is not taken for ours") {
  check({.name = "made by hand",
         .tables = "CREATE TABLE a (n int PRIMARY KEY);",
         .statement = "CREATE INDEX CONCURRENTLY a_n ON a (nothing)",
         .meanwhile = "CREATE INDEX a_n ON a (n)",
         .question = indexes,
         .answer = "a_n true -",
         .exit = 1,
         .says = "does not exist"});
}

TEST_CASE("an index without a concurrent form is dropped within lock_timeout, and tried again") {
  const Scene scene(
      "CREATE TABLE p (n int PRIMARY KEY, m int) PARTITION BY RANGE (n);\n"
      "CREATE TABLE p1 PARTITION OF p FOR VALUES FROM (0) TO (9);",
      "CREATE INDEX CONCURRENTLY ON p (m);");
  CHECK(scene.up().exit == 1);  // no partitioned table takes it; that it had begun is made up
  scene.database.exec(
      "UPDATE kdb.steps SET state = 'started' WHERE note IS NOT NULL; CREATE INDEX ON ONLY p (m)");
  Session reader(scene.database.url());
  reader.exec("BEGIN; SELECT * FROM p");
  TempDir profile;
  const std::string path = profile.write("p.toml", "[connection]\nlock_timeout = \"100ms\"\n");
  Child kdb(scene.project.command(scene.database.url(), {"migrate", "up", "-p", path}));
  Session session(scene.database.url());
  const char* waiting =
      "SELECT count(*) FROM pg_stat_activity WHERE wait_event_type = 'Lock' AND datname = current_database()";
  CHECK(eventually([&] { return session.text(waiting) == "1"; }));
  CHECK(eventually([&] { return session.text(waiting) == "0"; }));
  reader.exec("ROLLBACK");
  const Run run = kdb.wait();
  CHECK(run.exit == 1);
  CHECK_MESSAGE(has(run.err, "canceling statement due to lock timeout (55P03); trying again"), run.err);
  CHECK_MESSAGE(has(run.err, "cannot create index on partitioned table"), run.err);
  CHECK(session.text("SELECT count(*) FROM pg_index WHERE indrelid = 'p'::regclass") == "1");
}

TEST_CASE("a failure to record is no verdict on the statement") {
  const Scene scene(table_a, create + ";");
  scene.database.exec(
      "CREATE FUNCTION refuse() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN RAISE EXCEPTION 'full'; END $$; "
      "CREATE TRIGGER refuse BEFORE UPDATE ON kdb.steps FOR EACH ROW WHEN (new.state = 'done') EXECUTE "
      "FUNCTION refuse()");
  const Run first = scene.up();
  CHECK(first.exit == 1);
  CHECK_MESSAGE(has(first.err, "full"), first.err);
  scene.database.exec("DROP TRIGGER refuse ON kdb.steps; COMMENT ON INDEX a_n IS 'kept'");
  const Run next = scene.up();
  CHECK_MESSAGE(next.exit == 0, next.err);
  CHECK(scene.database.text(indexes) == "a_n true kept");
}

TEST_CASE("a hypertable's index that is half built is dropped and built again") {
  {
    const Database probe;
    if (!has(probe.text("SHOW shared_preload_libraries"), "timescaledb"))
      return skip("TimescaleDB is not preloaded");
  }
  const Scene scene(
      "CREATE EXTENSION timescaledb;\n"
      "CREATE TABLE a (at timestamptz NOT NULL, n int);\nSELECT create_hypertable('a', 'at');\n"
      "INSERT INTO a SELECT now() - n * INTERVAL '8 days', n FROM generate_series(1, 3) n;",
      "CREATE INDEX a_n ON a (gated(n)) WITH (timescaledb.transaction_per_chunk);");
  const Gate gate(scene.database.url());
  Session session(scene.database.url());
  Child kdb(scene.project.command(scene.database.url(), {"migrate", "up"}));
  CHECK(gate.is_reached());
  kdb.kill(SIGKILL);
  kdb.wait();
  const char* building = "FROM pg_stat_activity WHERE query LIKE 'CREATE INDEX a_n%'";
  session.exec(std::string("SELECT pg_terminate_backend(pid) ") + building);
  REQUIRE(eventually([&] { return session.text(std::string("SELECT count(*) ") + building) == "0"; }));
  CHECK(session.text("SELECT indisvalid FROM pg_index WHERE indexrelid = 'a_n'::regclass") == "f");
  gate.open();
  const Run next = scene.up();
  CHECK_MESSAGE(next.exit == 0, next.err);
  CHECK(has(next.err, "dropping the invalid index public.a_n "));
  CHECK(session.text("SELECT count(*) || ' ' || bool_and(indisvalid) FROM pg_index WHERE "
                     "indexrelid::regclass::text ~ 'a_n$'") == "4 true");
}

}  // namespace kdb::test::recovery_create_index_test
