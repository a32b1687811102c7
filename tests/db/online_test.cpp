// Indexes of tables that have parts, through the whole of `kdb apply`: nobody waits, and what is interrupted
// is found again.
#include "db/online.hpp"

#include <csignal>

#include <fmt/format.h>

namespace kdb::test::online_test {

TEST_CASE("indexes of parts are made, replaced and dropped, and the next plan is empty") {
  for_each_make([](const Parted& make) {
    const Database database;
    const Start start{make};
    start.fill(database);
    const Run applied = start.run.apply(database);
    CHECK_MESSAGE(applied.exit == 0, applied.err);
    const Run planned = start.run.plan(database);
    CHECK_MESSAGE(planned.exit == 0, planned.out);
    CHECK(invalid_indexes(database).empty());

    // As the server would have made it: only what kdb cannot know of, a chunk's order, may differ.
    const Database plain;
    start.fill(plain);
    plain.exec(
        "DROP INDEX e_v; DROP INDEX e_gone; CREATE UNIQUE INDEX e_unique ON e (a, k);"
        "CREATE INDEX e_new ON e (v DESC, lower(t)) INCLUDE (k); COMMENT ON INDEX e_new IS 'made';"
        "CREATE INDEX e_v ON e (v) WHERE v > 5;");
    CHECK(index_catalog(database) == index_catalog(plain));
  });
}

TEST_CASE(
    "readers and writers of a table with parts wait for no index longer than lock_timeout and a second") {
  for_each_make([](const Parted& make) {
    const Database database;
    const Start start{make};
    start.fill(database);
    const ProfileRun slow(
        "[connection]\nlock_timeout = \"500ms\"\n[indexes.e_slow]\ntable = \"e\"\ncolumns = [\"slow(v)\"]\n"
        "[indexes.e_v]\ntable = \"e\"\ncolumns = [\"v\", \"t\"]\n"
        "[indexes.e_gone]\ntable = \"e\"\ncolumns = [\"t\"]\nstate = \"absent\"\n");
    Traffic traffic(database.url(),
                    {"INSERT INTO e VALUES (450, 1, -1, 'w')",
                     "BEGIN; UPDATE e SET v = v WHERE a = 460 AND v = -2; COMMIT",
                     "DELETE FROM e WHERE a = 450 AND v = -1", "SELECT count(*) FROM e WHERE v = 7",
                     "SELECT max(v) FROM " + make.leaf()});
    REQUIRE(eventually([&] { return traffic.statements() > 50; }));
    const Run applied = slow.apply(database);
    traffic.stop();
    CHECK_MESSAGE(applied.exit == 0, applied.err);
    CHECK(traffic.failures() == 0);
    CHECK(traffic.longest() < std::chrono::milliseconds(1'500));
    CHECK(invalid_indexes(database).empty());
  });
}

TEST_CASE("what parts lack is built, and the rest is left alone") {
  for_each_make([](const Parted& make) {
    const Database database;
    const Start start{make};
    start.fill(database);
    REQUIRE(start.run.apply(database).exit == 0);
    const std::string whole = index_catalog(database);
    const std::string oids = "SELECT string_agg(indexrelid::text, ' ' ORDER BY indexrelid) FROM pg_index";
    if (make.chunks) {
      database.exec("DROP INDEX _timescaledb_internal._hyper_1_5_chunk_e_v");
    } else {
      database.exec("DROP INDEX e_v; CREATE INDEX e_v ON ONLY e (v) WHERE v > 5");
      for (const char* part : {"e0", "e2"})
        database.exec(
            fmt::format("CREATE INDEX {0}_v_idx ON {0} (v) WHERE v > 5; ALTER INDEX e_v ATTACH PARTITION "
                        "{0}_v_idx",
                        part));
      // Somebody attached it before its own parts.
      database.exec(
          "CREATE INDEX e3_v_idx ON ONLY e3 (v) WHERE v > 5; ALTER INDEX e_v ATTACH PARTITION e3_v_idx;"
          "CREATE INDEX e3_2_v_idx ON e3_2 (v) WHERE v > 5; ALTER INDEX e3_v_idx ATTACH PARTITION "
          "e3_2_v_idx");
      // One that is there for itself, and one that a killed build left.
      database.exec("CREATE INDEX e1_0_v_idx ON e1_0 (v) WHERE v > 5");
      database.exec(
          "CREATE INDEX e1_1_v_idx ON e1_1 (v) WHERE v > 5; UPDATE pg_index SET indisvalid = false "
          "WHERE indexrelid = 'e1_1_v_idx'::regclass");
    }
    const std::string there = database.text(oids);
    const Run planned = start.run.plan(database);
    CHECK(planned.exit == 2);
    const std::string lack = make.chunks ? "1 of 12 chunks lacks it" : "5 of 12 partitions lack it";
    CHECK_MESSAGE(planned.out.find(lack) != std::string::npos, planned.out);
    const Run inspected = run({KDB_BINARY, "inspect", "-d", database.url()});
    CHECK_MESSAGE(inspected.out.find(make.chunks ? "# 11/12 chunks covered" : "# 7/12 partitions covered") !=
                      std::string::npos,
                  inspected.out);

    const Run applied = start.run.apply(database);
    CHECK_MESSAGE(applied.exit == 0, applied.err);
    CHECK(index_catalog(database) == whole);
    CHECK(start.run.plan(database).exit == 0);
    if (make.chunks) CHECK(database.text(oids).starts_with(there));
  });
}

TEST_CASE("what a partition has set about its part of an index outlives that, whatever it is called") {
  const Database database;
  database.exec(
      "CREATE SCHEMA s; CREATE TABLE e (a int NOT NULL, b int NOT NULL) PARTITION BY RANGE (a);"
      "CREATE TABLE e1 PARTITION OF e FOR VALUES FROM (0) TO (10);"
      "CREATE TABLE s.e2 PARTITION OF e FOR VALUES FROM (10) TO (20) PARTITION BY RANGE (a);"
      "CREATE TABLE s.e3 PARTITION OF s.e2 FOR VALUES FROM (10) TO (20);"
      "CREATE INDEX e_b ON e (b); CREATE UNIQUE INDEX e_a ON e (a); ALTER TABLE e ADD UNIQUE (a, b);"
      "ALTER INDEX e1_b_idx RENAME TO mine; ALTER TABLE e1 CLUSTER ON mine;"
      "ALTER TABLE e1 REPLICA IDENTITY USING INDEX e1_a_b_key;"
      "ALTER TABLE s.e3 CLUSTER ON e3_b_idx, REPLICA IDENTITY USING INDEX e3_a_idx");
  // The names of the indexes that are partitions' parts are not compared.
  const std::string set =
      "SELECT string_agg(format('%s %s %s %s', indrelid::regclass, indkey, indisclustered, indisreplident), "
      "'; ' ORDER BY indrelid::regclass::text, indkey::text) FROM pg_index WHERE indisclustered OR "
      "indisreplident";
  const std::string before = database.text(set);
  const std::string profile = run({KDB_BINARY, "inspect", "-d", database.url()}).out;
  CHECK_MESSAGE(profile.find("[tables.e1]\nreplica_identity = \"index e1_a_b_key\"\ncluster = \"e_b\"\n") !=
                    std::string::npos,
                profile);
  CHECK_MESSAGE(profile.find("[tables.\"s.e3\"]\nreplica_identity = \"index e_a\"\ncluster = \"e_b\"\n") !=
                    std::string::npos,
                profile);
  CHECK(ProfileRun(profile).plan(database).exit == 0);

  database.exec("DROP INDEX e_a, e_b");
  REQUIRE(database.text(set) != before);
  const Run applied = ProfileRun(profile).apply(database);
  CHECK_MESSAGE(applied.exit == 0, applied.err);
  CHECK(database.text(set) == before);
  CHECK(ProfileRun(profile).plan(database).exit == 0);

  // A replacement, whoever declares it.
  const ProfileRun other(
      "[indexes.e_b]\ntable = \"e\"\ncolumns = [\"b\"]\nwith = { fillfactor = 70 }\n"
      "[indexes.e_a]\ntable = \"e\"\ncolumns = [\"a\"]\nunique = true\nwith = { fillfactor = 70 }\n");
  const Run replaced = other.apply(database);
  CHECK_MESSAGE(replaced.exit == 0, replaced.err);
  CHECK(database.text(set) == before);
}

TEST_CASE("names of parts that are cut and collide are those that the server would give them") {
  const std::string stem = "p_" + std::string(56, 'x');
  const auto names = [](const Database& database) {
    return database.text(
        "SELECT string_agg(format('%s of %s', indexrelid::regclass, indrelid::regclass), ', ' ORDER BY "
        "indrelid::regclass::text) FROM pg_index WHERE indrelid::regclass::text ~ '^p_'");
  };
  const Database database;
  database.exec("CREATE TABLE p (a int, b int) PARTITION BY RANGE (a)");
  database.exec(fmt::format("CREATE TABLE {}_rest PARTITION OF p DEFAULT", stem));
  for (int part = 0; part < 4; ++part)
    database.exec(fmt::format("CREATE TABLE {}_{} PARTITION OF p FOR VALUES FROM ({}) TO ({})", stem, part,
                              part * 10, part * 10 + 10));
  database.exec("CREATE INDEX p_b ON p (b)");
  const std::string before = names(database);
  const ProfileRun run("[indexes.p_b]\ntable = \"p\"\ncolumns = [\"b\"]\n");
  database.exec("DROP INDEX p_b");
  REQUIRE(run.apply(database).exit == 0);
  CHECK(names(database) == before);
  const ProfileRun other("[indexes.p_b]\ntable = \"p\"\ncolumns = [\"b\"]\nwhere = \"a > 0\"\n");
  REQUIRE(other.apply(database).exit == 0);
  CHECK(names(database) == before);
}

TEST_CASE("no part takes the name of an index that is declared and not made yet") {
  for (const bool by_server : {false, true}) {
    CAPTURE(by_server);
    const Database database;
    if (database.text("SELECT count(*) FROM pg_available_extensions WHERE name = 'file_fdw'") == "0")
      return skip("no foreign data wrapper");
    database.exec("CREATE TABLE p (a int, b int) PARTITION BY RANGE (a); CREATE TABLE z (c int)");
    database.exec("CREATE TABLE p1 PARTITION OF p FOR VALUES FROM (0) TO (10)");
    if (by_server)
      database.exec(
          "CREATE EXTENSION file_fdw; CREATE SERVER s FOREIGN DATA WRAPPER file_fdw; CREATE FOREIGN TABLE "
          "far "
          "PARTITION OF p FOR VALUES FROM (10) TO (20) SERVER s OPTIONS (filename '/dev/null')");
    database.exec("CREATE INDEX p1_a_idx ON p1 (b, a); CREATE INDEX p1_b_idx ON z (c)");
    database.exec(
        "CREATE INDEX p_a ON p (a); CREATE INDEX b ON p (b); CREATE INDEX p_some ON p (a) WHERE b > 1");
    const std::string before = index_catalog(database);
    const ProfileRun run(
        "[indexes]\np_a = { table = \"p\", columns = [\"a\"] }\nb = { table = \"p\", columns = [\"b\"] }\n"
        "p_some = { table = \"p\", columns = [\"a\"], where = \"b > 1\" }\n"
        "p1_a_idx = { table = \"p1\", columns = [\"b\", \"a\"] }\n"
        "p1_b_idx = { table = \"z\", columns = [\"c\"] }\n");
    database.exec("DROP INDEX p_a, p_some, b, p1_a_idx, p1_b_idx");
    const Run applied = run.apply(database);
    CHECK_MESSAGE(applied.exit == 0, applied.err);
    CHECK(index_catalog(database) == before);
    CHECK(run.plan(database).exit == 0);

    database.exec("DROP INDEX b, p1_b_idx");
    const ProfileRun other(
        "[indexes]\np_a = { table = \"p\", columns = [\"b\"] }\n"
        "p1_b_idx = { table = \"p1\", columns = [\"b\"], where = \"a > 1\" }\n");
    const Run replaced = other.apply(database);
    CHECK_MESSAGE(replaced.exit == 0, replaced.err);
    CHECK(other.plan(database).exit == 0);
  }
}

TEST_CASE("what somebody attached before its own parts is completed without a deadlock") {
  const Database database;
  Start{makes[0]}.fill(database);
  database.exec("CREATE UNIQUE INDEX e_one ON e (a, k); CREATE INDEX e_slow ON ONLY e (slow(v))");
  for (const char* part : {"e0", "e1", "e2", "e3"})
    database.exec(
        fmt::format("CREATE INDEX {0}_slow_idx ON ONLY {0} (slow(v)); ALTER INDEX e_slow ATTACH PARTITION "
                    "{0}_slow_idx",
                    part));
  const ProfileRun run("[indexes.e_slow]\ntable = \"e\"\ncolumns = [\"slow(v)\"]\n");
  Traffic traffic(database.url(),
                  {"INSERT INTO e VALUES (450, 1, 1, 'w') ON CONFLICT (a, k) DO UPDATE SET v = 1",
                   "INSERT INTO e VALUES (70, 1, 1, 'w') ON CONFLICT (a, k) DO UPDATE SET v = 1"});
  REQUIRE(eventually([&] { return traffic.statements() > 10; }));
  const Run applied = run.apply(database);
  traffic.stop();
  CHECK_MESSAGE(applied.exit == 0, applied.err);
  CHECK(traffic.failures() == 0);
  CHECK(invalid_indexes(database).empty());
}

TEST_CASE("an owner who may make nothing in the chunks' schema has its index all the same, and is told") {
  const Parted& make = makes[1];
  if (const std::string why = make.missing(); !why.empty()) return skip(why);
  const Database database;
  Start{make}.fill(database);
  const std::string owner = "owner_" + database.name();
  database.exec("CREATE ROLE " + owner + " LOGIN; GRANT ALL ON DATABASE " + database.name() + " TO " + owner +
                "; GRANT CREATE ON SCHEMA public TO " + owner + "; ALTER TABLE e OWNER TO " + owner);
  const std::string url =
      database.url() + (database.url().find('?') == std::string::npos ? "?" : "&") + "user=" + owner;
  const std::string profile =
      "[indexes.e_new]\ntable = \"e\"\ncolumns = [\"v\", \"t\"]\n"
      "[indexes.e_unique]\ntable = \"e\"\ncolumns = [\"a\", \"k\"]\nunique = true\n";
  const std::string hint = "GRANT CREATE ON SCHEMA \"_timescaledb_internal\"";
  const auto tells = [&](const Run& planned) { return planned.out.find(hint) != std::string::npos; };
  for (const std::string& role : {std::string(), owner}) {  // as whom statements run, not who connects
    CAPTURE(role);
    const ProfileRun as_role((role.empty() ? "" : "[database]\nrole = \"" + role + "\"\n") + profile);
    const std::string& who = role.empty() ? url : database.url();
    CHECK(tells(run(as_role.command(who, "plan"))));
    const Run applied = run(as_role.command(who, "apply"));
    CHECK_MESSAGE(applied.exit == 0, applied.err);
    CHECK(invalid_indexes(database).empty());
    for (const char* name : {"e_new", "e_unique"})
      CHECK(database.text("SELECT count(*) FROM pg_class WHERE relname ~ '^_hyper_.*_" + std::string(name) +
                          "$'") == "12");
    CHECK(run(as_role.command(who, "plan")).exit == 0);
    database.exec("DROP INDEX e_new, e_unique");
  }
  database.exec(hint + " TO " + owner);
  const ProfileRun opened(profile);
  CHECK_FALSE(tells(run(opened.command(url, "plan"))));
  CHECK(run(opened.command(url, "apply")).exit == 0);
  database.exec("DROP OWNED BY " + owner + "; DROP ROLE " + owner);
}

TEST_CASE("chunks' indexes whose expressions TimescaleDB has simplified belong to the hypertable's") {
  const Parted& make = makes[1];
  if (const std::string why = make.missing(); !why.empty()) return skip(why);
  const Database database;
  Start{make}.fill(database);
  database.exec(
      "CREATE INDEX e_half ON e ((v * (2)::numeric)) WHERE v::numeric > (0)::numeric; CREATE INDEX e_whole "
      "ON e (v) "
      "WHERE v::numeric > (1)::numeric; CREATE INDEX e_other ON ONLY e (v) WHERE v::numeric > (2)::numeric");
  REQUIRE(
      database.text("SELECT pg_get_indexdef('_timescaledb_internal._hyper_1_5_chunk_e_half'::regclass)") !=
      database.text("SELECT replace(replace(pg_get_indexdef('e_half'::regclass), 'INDEX e_half', 'INDEX "
                    "_hyper_1_5_chunk_e_half'), 'public.e ', '_timescaledb_internal._hyper_1_5_chunk ')"));
  const Run inspected = run({KDB_BINARY, "inspect", "-d", database.url()});
  const Run planned = ProfileRun(inspected.out).plan(database);
  CHECK(planned.out.find("repair   index e_half") == std::string::npos);
  CHECK(planned.out.find("repair   index e_whole") == std::string::npos);
  CHECK_MESSAGE(planned.out.find("repair   index e_other") != std::string::npos, planned.out);

  // What kdb builds is the server's own for it, too.
  REQUIRE(ProfileRun(inspected.out).apply(database).exit == 0);
  const std::string chunks = "SELECT count(*) FROM pg_class WHERE relname LIKE '\\_hyper%chunk\\_e\\_other'";
  CHECK(database.text(chunks) == "12");
  database.exec("DROP INDEX e_other");
  CHECK(database.text(chunks) == "0");
}

TEST_CASE("a partitioned index that lacks nothing but is invalid is looked at again") {
  const Database database;
  const Start start{makes[0]};
  start.fill(database);
  REQUIRE(start.run.apply(database).exit == 0);
  const std::string whole = index_catalog(database);
  database.exec(
      "UPDATE pg_index SET indisvalid = false WHERE indexrelid IN ('e_v'::regclass, 'e1_v_idx'::regclass)");
  const Run applied = start.run.apply(database);
  CHECK_MESSAGE(applied.exit == 0, applied.err);
  CHECK(index_catalog(database) == whole);
}

TEST_CASE(
    "beside a foreign partition an index is made as a whole, since the server takes no other for complete") {
  const Database database;
  if (database.text("SELECT count(*) FROM pg_available_extensions WHERE name = 'file_fdw'") == "0")
    return skip("no foreign data wrapper");
  Start{makes[0]}.fill(database);
  database.exec(
      "CREATE EXTENSION file_fdw; CREATE SERVER s FOREIGN DATA WRAPPER file_fdw; CREATE FOREIGN TABLE far "
      "PARTITION OF e FOR VALUES FROM (5000) TO (6000) SERVER s OPTIONS (filename '/dev/null')");
  database.exec("ALTER TABLE e1_1 CLUSTER ON e1_1_v_idx");
  const ProfileRun run(
      "[indexes.e_new]\ntable = \"e\"\ncolumns = [\"k\"]\n[indexes.e_v]\ntable = \"e\"\ncolumns = [\"v\", "
      "\"k\"]\n[tables.e1_1]\ncluster = \"e_v\"\n[tables.e1_2]\ncluster = \"e_new\"\n");
  const Run planned = run.plan(database);
  CHECK_MESSAGE(planned.out.find("ACQUIRES_SHARE_LOCK") != std::string::npos, planned.out);
  const Run applied = run.apply(database);
  CHECK_MESSAGE(applied.exit == 0, applied.err);
  CHECK(run.plan(database).exit == 0);
  CHECK(
      database.text("SELECT string_agg(indexrelid::regclass::text, ' ' ORDER BY indexrelid::regclass::text) "
                    "FROM pg_index WHERE indisclustered") == "e1_1_v_k_idx e1_2_k_idx");
}

TEST_CASE("storage parameters come to every part") {
  for_each_make([](const Parted& make) {
    const Database database;
    Start{make}.fill(database);
    for (const char* with : {"fillfactor = 70", "fillfactor = 80, deduplicate_items = false"}) {
      const ProfileRun run(std::string("[indexes.e_v]\ntable = \"e\"\ncolumns = [\"v\"]\nwith = { ") + with +
                           " }\n");
      const Run applied = run.apply(database);
      CHECK_MESSAGE(applied.exit == 0, applied.err);
      CHECK(run.plan(database).exit == 0);
    }
    CHECK(database.text("SELECT count(*) FROM pg_class WHERE relkind = 'i' AND reloptions = "
                        "ARRAY['fillfactor=80', 'deduplicate_items=false'] AND relname ~ 'v(_idx)?$'") ==
          (make.chunks ? "13" : "12"));
    CHECK(invalid_indexes(database).empty());
    const ProfileRun brin(
        "[indexes.e_v]\ntable = \"e\"\nmethod = \"brin\"\ncolumns = [\"v\"]\nwith = { pages_per_range = 8 "
        "}\n");
    REQUIRE(brin.apply(database).exit == 0);
    const ProfileRun finer(
        "[indexes.e_v]\ntable = \"e\"\nmethod = \"brin\"\ncolumns = [\"v\"]\nwith = { pages_per_range = 4 "
        "}\n");
    const Run applied = finer.apply(database);
    CHECK_MESSAGE(applied.exit == 0, applied.err);
    CHECK(database.text(
              "SELECT count(*) FROM pg_class WHERE reloptions = ARRAY['pages_per_range=4'] AND relname ~ "
              "'v(_idx)?$'") == (make.chunks ? "13" : "17"));
    CHECK(finer.plan(database).exit == 0);
  });
}

TEST_CASE("a unique index beside another one of the same columns is no way for ON CONFLICT to fail") {
  for_each_make([](const Parted& make) {
    const Database database;
    Start{make}.fill(database);
    database.exec("CREATE UNIQUE INDEX e_one ON e (a, k)");
    const ProfileRun run(
        "[indexes.e_slow]\ntable = \"e\"\ncolumns = [\"slow(v)\"]\n"
        "[indexes.e_two]\ntable = \"e\"\ncolumns = [\"a\", \"k\"]\nunique = true\ninclude = [\"v\"]\n");
    Traffic traffic(database.url(),
                    {"INSERT INTO e VALUES (450, 1, 1, 'w') ON CONFLICT (a, k) DO UPDATE SET v = 1",
                     "INSERT INTO e VALUES (70, 1, 1, 'w') ON CONFLICT (a, k) DO NOTHING"});
    const Run applied = run.apply(database);
    traffic.stop();
    CHECK_MESSAGE(applied.exit == 0, applied.err);
    CHECK(traffic.failures() == 0);
  });
}

}  // namespace kdb::test::online_test
