// Names of indexes that something else has, or had before, and what a table has set about an index.
#include <atomic>
#include <string>
#include <thread>

#include <doctest/doctest.h>
#include <fmt/format.h>

#include "db/named_indexes.hpp"

using namespace kdb::test;

TEST_CASE("a name that another relation has is refused, and said whose it is") {
  const Database database;
  fill(database);
  database.exec(
      "CREATE VIEW a_view AS SELECT 1; CREATE SEQUENCE a_sequence; CREATE MATERIALIZED VIEW a_result AS "
      "SELECT 1;"
      "ALTER TABLE z ADD CONSTRAINT a_key UNIQUE (a); CREATE TYPE a_type AS (a int)");
  std::string profile = "[indexes]\n";
  for (const char* name : {"a_view", "a_sequence", "a_result", "a_key", "a_type", "p2"})
    profile += fmt::format("{} = {{ table = \"z\", columns = [\"b\"] }}\n", name);
  const ProfileRun run(profile);
  const Run planned = run.plan(database);
  CHECK(planned.exit == 1);
  const std::string text = planned.out + planned.err;
  for (const char* said :
       {"index a_view: the name is that of a view", "index a_sequence: the name is that of a sequence",
        "index a_result: the name is that of a materialized view",
        "index a_key: the name is that of constraint a_key of table z",
        "index a_type: the name is that of a type", "index p2: the name is that of a table", ":2:1:"})
    CHECK_MESSAGE(text.find(said) != std::string::npos, said, '\n', text);
  CHECK(run.apply(database).exit == 1);
}

TEST_CASE("an index's name can move to another table, whatever the two are") {
  const std::string tables[] = {"p", "z", "p1", "p2"};
  for (const std::string& from : tables)
    for (const std::string& to : tables) {
      if (from == to) continue;
      CAPTURE(from);
      CAPTURE(to);
      const Database database;
      fill(database);
      database.exec(
          "INSERT INTO p SELECT n, n % 3 FROM generate_series(0, 19) n; INSERT INTO z SELECT * FROM p");
      database.exec(fmt::format("CREATE INDEX k ON {} (a); CREATE INDEX l ON {} (b)", from, from));
      const ProfileRun run(
          fmt::format("[indexes]\nk = {{ table = \"{0}\", columns = [\"a\"] }}\n"
                      "l = {{ table = \"{0}\", columns = [\"c\"] }}\n"
                      "l_before = {{ table = \"{1}\", columns = [\"b\"] }}\n",
                      to, from));
      const std::string planned = run.plan(database).out;
      CHECK_MESSAGE(planned.find("INDEX_DROPPED: drops index k") != std::string::npos, planned);
      CHECK(planned.find("INDEX_DROPPED: drops index l") == std::string::npos);
      const std::string kept = database.text("SELECT 'l'::regclass::oid");
      converges(database, run);
      CHECK(database.text("SELECT 'l_before'::regclass::oid") == kept);
      for (const char* index : {"k", "l"})
        CHECK(database.text(fmt::format(
                  "SELECT indrelid::regclass FROM pg_index WHERE indexrelid = '{}'::regclass", index)) == to);
    }
}

TEST_CASE("names that change places are renamed as far as they can be, and a circle begins with a drop") {
  const Database database;
  database.exec("CREATE TABLE y (a int); CREATE TABLE z (a int); CREATE TABLE p (a int)");
  database.exec("CREATE INDEX k ON z (a); CREATE INDEX l ON y (a)");
  const std::string oids =
      "SELECT string_agg(indexrelid || ' ' || indrelid::regclass, ', ' ORDER BY indexrelid) FROM pg_index "
      "WHERE indrelid IN ('y'::regclass, 'z'::regclass)";
  const std::string before = database.text(oids);
  const ProfileRun chain(
      "[indexes]\nk = { table = \"p\", columns = [\"a\"] }\nl = { table = \"z\", columns = [\"a\"] }\n"
      "m = { table = \"y\", columns = [\"a\"] }\n");
  converges(database, chain);
  CHECK(database.text(oids) == before);
  const ProfileRun circle(
      "[indexes]\nk = { table = \"z\", columns = [\"a\"] }\nl = { table = \"y\", columns = [\"a\"] }\n"
      "m = { table = \"p\", columns = [\"a\"] }\n");
  converges(database, circle);
  CHECK(database.text("SELECT string_agg(indrelid::regclass::text, ' ' ORDER BY indexrelid::regclass::text) "
                      "FROM pg_index WHERE indexrelid::regclass::text IN ('k', 'l', 'm')") == "z y p");
}

TEST_CASE("what an index had that moves away is not lost without a word") {
  const Database database;
  database.exec(
      "CREATE TABLE y (a int); CREATE TABLE z (a int NOT NULL); CREATE UNIQUE INDEX k ON z (a); CREATE VIEW "
      "k_old AS SELECT 1; ALTER TABLE z CLUSTER ON k; ALTER TABLE z REPLICA IDENTITY USING INDEX k");
  const std::string moved = "[indexes.k]\ntable = \"y\"\ncolumns = [\"a\"]\n";
  const auto plan_says = [&](const std::string& profile, const std::string& text) {
    const Run planned = ProfileRun(profile).plan(database);
    CHECK(planned.exit == 1);
    CHECK_MESSAGE(planned.out.find(text) != std::string::npos, planned.out);
  };
  plan_says(moved + "[tables.z]\ncluster = \"k\"\n", "table z: there is no index \"k\" on it");
  plan_says(moved + "[tables.z]\nreplica_identity = \"index k\"\n", "table z: there is no index \"k\" on it");
  plan_says(moved + "[indexes.k_old]\ntable = \"z\"\ncolumns = [\"a\"]\nunique = true\n",
            "index k_old: the name is that of a view");
  plan_says("[indexes.'other.k']\ntable = \"y\"\ncolumns = [\"a\"]\n",
            "index other.k: an index is in the schema of its table, \"public\"");
  database.exec("CREATE SCHEMA other; CREATE TABLE other.y (a int); CREATE INDEX k ON other.y (a)");
  plan_says("[indexes.'other.k']\ntable = \"y\"\ncolumns = [\"a\"]\n",
            "index other.k: an index is in the schema of its table, \"public\"");
  plan_says(
      "[indexes.k]\ntable = \"z\"\ncolumns = [\"a\"]\nunique = true\n[indexes.'public.k']\ntable = \"y\"\n"
      "columns = [\"a\"]\n",
      "index k: it is declared twice");
  plan_says(
      "[indexes.part]\ntable = \"z\"\ncolumns = [\"a\"]\nwhere = \"a > 0\"\n[tables.z]\ncluster = \"part\"\n",
      "table z: index \"part\" cannot be its cluster");
  plan_says(
      "[indexes.each]\ntable = \"z\"\ncolumns = [\"a\"]\n[tables.z]\nreplica_identity = \"index each\"\n",
      "table z: index \"each\" cannot be its replica_identity");
  const ProfileRun renamed(moved +
                           "[indexes.k_new]\ntable = \"z\"\ncolumns = [\"a\"]\nunique = true\n"
                           "[tables.z]\ncluster = \"k_new\"\nreplica_identity = \"index k_new\"\n");
  converges(database, renamed);
}

TEST_CASE("a name that moves to the table of a pending migration is dropped in sight") {
  const Database database;
  database.exec("CREATE TABLE z (a int); INSERT INTO z VALUES (1); CREATE INDEX k ON z (a)");
  const TempDir folder;
  folder.write("p.toml", "[indexes.k]\ntable = \"p\"\ncolumns = [\"a\"]\n");
  folder.write("m/0001_p.sql", "CREATE TABLE p (a int) PARTITION BY RANGE (a);\n");
  const auto kdb = [&](const std::string& word, const std::vector<std::string>& options) {
    std::vector<std::string> command = {
        KDB_BINARY,         word, "-d", database.url(), "-p", folder.path() / "p.toml", "--migrations",
        folder.path() / "m"};
    command.insert(command.end(), options.begin(), options.end());
    return run(command);
  };
  const Run shown = kdb("plan", {"-o", folder.path() / "plan.json"});
  CHECK_MESSAGE(shown.out.find("INDEX_DROPPED: drops index k") != std::string::npos, shown.out);
  CHECK(kdb("apply", {}).exit == 3);
  CHECK(database.text("SELECT to_regclass('p') IS NULL") == "t");
  const Run applied = kdb("apply", {folder.path() / "plan.json", "--allow", "INDEX_DROPPED:k"});
  CHECK_MESSAGE(applied.exit == 0, applied.out, applied.err);
  CHECK(kdb("plan", {"--exit-code"}).exit == 0);
}

TEST_CASE("an index of a table that a pending migration drops is in nobody's way") {
  const Database database;
  database.exec("CREATE TABLE z (a int); INSERT INTO z VALUES (1); CREATE INDEX k ON z (a)");
  const TempDir folder;
  folder.write("p.toml", "[indexes.k]\ntable = \"y\"\ncolumns = [\"a\"]\n");
  folder.write("m/0001_y.sql", "DROP TABLE z;\nCREATE TABLE y (a int);\n");
  const Run applied = run({KDB_BINARY, "apply", "-d", database.url(), "-p", folder.path() / "p.toml",
                           "--migrations", folder.path() / "m", "--allow", "DELETES_DATA:z"});
  CHECK_MESSAGE(applied.exit == 0, applied.out, applied.err);
  CHECK(definition(database, "k") == "CREATE INDEX k ON public.y USING btree (a)");
}

TEST_CASE("what a table has set about an index that another kind of index cannot have goes in sight") {
  struct Case {
    const char* before;
    const char* profile;
    const char* said;
  };
  for (const Case& one : {
           Case{"CREATE INDEX i ON z (a); ALTER TABLE z CLUSTER ON i",
                "table = \"z\"\ncolumns = [\"a\"]\nwhere = \"b > 0\"\n",
                "removes the old one and the order for CLUSTER"},
           Case{"CREATE INDEX i ON z (a); ALTER TABLE z CLUSTER ON i",
                "table = \"z\"\ncolumns = [\"a\"]\nmethod = \"hash\"\n",
                "removes the old one and the order for CLUSTER"},
           Case{"CREATE INDEX i ON p (b); ALTER TABLE p1 CLUSTER ON p1_b_idx",
                "table = \"p\"\ncolumns = [\"b\"]\nwhere = \"b > 0\"\n",
                "removes the old one and the order for CLUSTER of p1_b_idx"},
           Case{"ALTER TABLE z ALTER a SET NOT NULL; CREATE UNIQUE INDEX i ON z (a); ALTER TABLE z REPLICA "
                "IDENTITY USING INDEX i",
                "table = \"z\"\ncolumns = [\"a\"]\nunique = true\nwhere = \"b > 0\"\n",
                "INDEX_DROPPED: replicas find the rows of z by it"},
           Case{"ALTER TABLE z ALTER a SET NOT NULL; CREATE UNIQUE INDEX i ON z (a); ALTER TABLE z REPLICA "
                "IDENTITY USING INDEX i",
                "table = \"z\"\ncolumns = [\"a\"]\nstate = \"absent\"\n",
                "INDEX_DROPPED: replicas find the rows of z by it"},
       }) {
    CAPTURE(one.profile);
    const Database database;
    fill(database);
    database.exec(one.before);
    const ProfileRun run(std::string("[indexes.i]\n") + one.profile);
    const std::string planned = run.plan(database).out;
    CHECK_MESSAGE(planned.find(one.said) != std::string::npos, planned);
    converges(database, run);
  }
}

TEST_CASE("an index that no partitioned table can have is refused by the plan") {
  const Database database;
  fill(database);
  const auto plan_says = [&](const std::string& columns, const std::string& text) {
    const ProfileRun run("[indexes.u]\ntable = \"p\"\nunique = true\ncolumns = [" + columns + "]\n");
    const Run planned = run.plan(database);
    CHECK(planned.exit == (text.empty() ? 2 : 1));
    CHECK_MESSAGE(planned.out.find(text) != std::string::npos, planned.out);
    CHECK(run.apply(database).exit == (text.empty() ? 0 : 1));
  };
  plan_says("\"b\"", "index u: it is unique without a, by which p is partitioned");
  plan_says("\"a\"", "index u: it is unique without b, by which p2 is partitioned");
  plan_says("\"a\", \"b\"", "");
  plan_says("\"a\", \"c\"", "index u: it is unique without b, by which p2 is partitioned");
  database.exec("DROP TABLE p; CREATE TABLE p (a int, b int, c text) PARTITION BY RANGE ((a + 1))");
  plan_says("\"a\"", "index u: it is unique, and p is partitioned by an expression");
  if (!has_foreign_tables(database)) return skip("no foreign data wrapper");
  database.exec("DROP TABLE p; CREATE TABLE p (a int, b int, c text) PARTITION BY RANGE (a)");
  add_foreign_partition(database);
  plan_says("\"a\"", "index u: it is unique, and far is a foreign table");
}

TEST_CASE("a unique index that moves to another hypertable is built as any other one that is new there") {
  const Parted& make = makes[1];
  if (const std::string why = make.missing(); !why.empty()) return skip(why);
  const Database database;
  database.exec("SET client_min_messages TO error; CREATE EXTENSION timescaledb");
  for (const char* table : {"e1", "e2"})
    database.exec(
        fmt::format("CREATE TABLE {0} (a int NOT NULL, v int); SELECT create_hypertable('{0}', 'a', "
                    "chunk_time_interval => 10, create_default_indexes => false); INSERT INTO {0} SELECT "
                    "n, n FROM generate_series(1, 25) n",
                    table));
  database.exec("CREATE UNIQUE INDEX k ON e1 (a, v); CREATE UNIQUE INDEX o ON e2 (v, a)");
  const ProfileRun run(
      "[indexes]\nk = { table = \"e2\", columns = [\"a\", \"v\"], unique = true }\n"
      "o = { table = \"e2\", columns = [\"v\", \"a\"], unique = true }\n");
  // Chunk by chunk, ON CONFLICT would find it where a chunk lacks it.
  CHECK(run.plan(database).out.find("CREATE UNIQUE INDEX \"k\" ON \"public\".\"e2\"") != std::string::npos);
  converges(database, run);
}

TEST_CASE("an index that a foreign key needs is neither dropped nor replaced, and the plan says so") {
  const Database database;
  database.exec(
      "CREATE TABLE y (a int); CREATE TABLE z (a int, b int); CREATE UNIQUE INDEX k ON z (a); CREATE SCHEMA "
      "other;"
      "CREATE TABLE other.r (a int CONSTRAINT r_fk REFERENCES z (a))");
  const auto refused = [&](const std::string& profile, const std::string& done) {
    const Run planned = ProfileRun(profile).plan(database);
    CHECK(planned.exit == 1);
    CHECK_MESSAGE(
        planned.out.find("index k: it cannot be " + done +
                         " while a foreign key needs it: r_fk of table other.r") != std::string::npos,
        planned.out);
    CHECK(ProfileRun(profile).apply(database).exit == 1);
    CHECK(definition(database, "k") == "CREATE UNIQUE INDEX k ON public.z USING btree (a)");
    CHECK(database.text("SELECT count(*) FROM pg_class WHERE relname ~ '^kdb_'") == "0");
  };
  refused("[indexes.k]\ntable = \"z\"\nstate = \"absent\"\ncolumns = [\"a\"]\n", "dropped");
  refused("[indexes.k]\ntable = \"y\"\ncolumns = [\"a\"]\n", "dropped");
  refused("[indexes.k]\ntable = \"z\"\nunique = true\ncolumns = [\"a\"]\ninclude = [\"b\"]\n", "replaced");
}

TEST_CASE("what a table has set about an index is compared by what that is called then") {
  const Database database;
  fill(database);
  database.exec("CREATE INDEX y ON p1 (b); CREATE INDEX n ON p (a); ALTER TABLE p1 CLUSTER ON y");
  converges(database,
            ProfileRun("[indexes]\ny = { table = \"p\", columns = [\"a\"] }\n"
                       "x = { table = \"p1\", columns = [\"b\"] }\n[tables.p1]\ncluster = \"y\"\n"));
  CHECK(database.text("SELECT indexrelid::regclass::text FROM pg_index WHERE indisclustered") == "p1_a_idx");
  converges(database, ProfileRun("[indexes]\ny = { table = \"p1\", columns = [\"b\"] }\n"
                                 "x = { table = \"p\", columns = [\"a\"] }\n[tables.p1]\ncluster = \"y\"\n"));
  CHECK(database.text("SELECT indexrelid::regclass::text FROM pg_index WHERE indisclustered") == "y");
}

TEST_CASE("an index of another table of that name says nothing of what a table has set") {
  const Database database;
  database.exec(
      "CREATE SCHEMA s2; CREATE TABLE s2.p (a int NOT NULL, b int NOT NULL) PARTITION BY LIST (a); CREATE "
      "TABLE "
      "p1 PARTITION OF s2.p FOR VALUES IN (1); CREATE TABLE z (a int); CREATE UNIQUE INDEX x ON s2.p (b, a); "
      "ALTER TABLE p1 REPLICA IDENTITY USING INDEX p1_b_a_idx; CREATE INDEX x ON z (a)");
  const Run inspected = run({KDB_BINARY, "inspect", "-d", database.url()});
  const Run planned = ProfileRun(inspected.out).plan(database);
  CHECK_MESSAGE(planned.exit == 0, planned.out);
}

TEST_CASE("what an index or a table cannot have is refused, whoever made the index") {
  const Database database;
  fill(database);
  database.exec(
      "CREATE INDEX part ON z (a) WHERE a > 0; CREATE INDEX each ON z (b); CREATE INDEX p_a ON p (a)");
  const auto plan_says = [&](const std::string& profile, const std::string& text) {
    const Run planned = ProfileRun(profile).plan(database);
    CHECK(planned.exit == 1);
    CHECK_MESSAGE(planned.out.find(text) != std::string::npos, planned.out);
  };
  plan_says("[tables.z]\ncluster = \"part\"\n", "table z: index \"part\" cannot be its cluster");
  plan_says("[tables.z]\nreplica_identity = \"index each\"\n",
            "table z: index \"each\" cannot be its replica_identity");
  plan_says("[tables.p]\ncluster = \"p_a\"\n", "table p: it is partitioned, and cannot be clustered");
  for (const char* name : {"each", "new"})
    plan_says(
        fmt::format("[indexes.{}]\ntable = \"z\"\ncolumns = [\"b\"]\nstatistics = {{ 1 = 100 }}\n", name),
        fmt::format("index {}: its column 1 is no expression, and has no statistics target", name));
}

TEST_CASE("an index that comes while the catalog is read is no name of somebody else's") {
  const Database database;
  database.exec("CREATE TABLE z (a int)");
  std::atomic<bool> ended = false;
  std::thread other([&] {
    Session session(database.url());
    while (!ended) {
      session.exec("CREATE INDEX x ON z (a)");
      session.exec("DROP INDEX x");
    }
  });
  const ProfileRun run("[indexes.x]\ntable = \"z\"\ncolumns = [\"a\"]\n");
  for (int plan = 0; plan < 10; ++plan) {
    const Run planned = run.plan(database);
    CHECK_MESSAGE(planned.out.find("the name is that of") == std::string::npos, planned.out);
  }
  ended = true;
  other.join();
}
