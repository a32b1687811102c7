// What parts of indexes are called, and what the server makes a part.
#include <string>

#include <doctest/doctest.h>
#include <fmt/format.h>

#include "db/named_indexes.hpp"

using namespace kdb::test;

TEST_CASE("an index gets its name from a part of another one that has it") {
  for (const char* table : {"p1", "z"}) {
    CAPTURE(table);
    for (const bool renamed : {false, true}) {
      CAPTURE(renamed);
      const Database database;
      fill(database);
      database.exec("CREATE INDEX p_a ON p (a); ALTER TABLE p1 CLUSTER ON p1_a_idx");
      if (renamed) database.exec(fmt::format("CREATE INDEX other ON {} (b, a)", table));
      const ProfileRun run(
          fmt::format("[indexes]\np_a = {{ table = \"p\", columns = [\"a\"] }}\n"
                      "p1_a_idx = {{ table = \"{}\", columns = [\"b\", \"a\"] }}\n",
                      table));
      converges(database, run);
      CHECK(definition(database, "p1_a_idx") ==
            fmt::format("CREATE INDEX p1_a_idx ON public.{} USING btree (b, a)", table));
      CHECK(parts_of(database, "p_a") == "p1: p1_a_idx1, p2: p2_a_idx, p2a: p2a_a_idx, p2b: p2b_a_idx");
      CHECK(database.text("SELECT indexrelid::regclass::text FROM pg_index WHERE indisclustered") ==
            "p1_a_idx1");
    }
  }
}

TEST_CASE("an index whose part gave its name away is replaced, repaired and dropped like any other one") {
  const Database database;
  fill(database);
  database.exec("CREATE TABLE aa (a int); CREATE INDEX p_a ON p (a); CREATE INDEX p_b ON p (b)");
  database.exec(
      "UPDATE pg_index SET indisvalid = false WHERE indexrelid IN ('p_b'::regclass, 'p1_b_idx'::regclass)");
  // Indexes of aa are made before those of p are looked at.
  const ProfileRun run(
      "[indexes]\np_a = { table = \"p\", columns = [\"a\", \"c\"] }\np_b = { table = \"p\", columns = "
      "[\"b\"] }\n"
      "p1_a_idx = { table = \"aa\", columns = [\"a\"] }\np1_b_idx = { table = \"aa\", columns = [\"a\", "
      "\"a\"] }\n");
  converges(database, run);
  CHECK(parts_of(database, "p_a") == "p1: p1_a_c_idx, p2: p2_a_c_idx, p2a: p2a_a_c_idx, p2b: p2b_a_c_idx");
  CHECK(parts_of(database, "p_b") == "p1: p1_b_idx1, p2: p2_b_idx, p2a: p2a_b_idx, p2b: p2b_b_idx");
}

TEST_CASE("what somebody else has called something is no name for a part") {
  for_each_way([&](const Database& database) {
    database.exec(
        "ALTER TABLE z ADD CONSTRAINT p1_a_idx UNIQUE (a); CREATE SEQUENCE p2_a_idx; CREATE VIEW p1_c_idx AS "
        "SELECT 1;"
        "CREATE INDEX p_c ON p (b)");
    const ProfileRun run(
        "[indexes]\np_a = { table = \"p\", columns = [\"a\"] }\np_c = { table = \"p\", columns = [\"c\"] "
        "}\n");
    converges(database, run);
    CHECK(parts_of(database, "p_a") == "p1: p1_a_idx1, p2: p2_a_idx1, p2a: p2a_a_idx, p2b: p2b_a_idx");
    CHECK(parts_of(database, "p_c") == "p1: p1_c_idx1, p2: p2_c_idx, p2a: p2a_c_idx, p2b: p2b_c_idx");
  });
}

TEST_CASE("a declared index that the server makes a part of another one is made again") {
  for (const char* order : {"", " DESC"})
    for (const char* with : {"", "fillfactor = 70"}) {
      CAPTURE(order);
      CAPTURE(with);
      const Database database;
      fill(database);
      if (!has_foreign_tables(database)) return skip("no foreign data wrapper");
      add_foreign_partition(database);
      const std::string parameters = *with == 0 ? "" : fmt::format(" WITH ({})", with);
      database.exec(
          fmt::format("CREATE INDEX p1_k ON p1 (b{0}){1}; CREATE INDEX p2_k ON p2 (b{0}){1}; "
                      "COMMENT ON INDEX p1_k IS 'own'",
                      order, parameters));
      const ProfileRun run(fmt::format(
          "[indexes]\nr = {{ table = \"p\", columns = [\"b{2}\"] }}\n"
          "p1_k = {{ table = \"p1\", columns = [\"b{0}\"], with = {{ {1} }}, comment = \"own\" }}\n"
          "p2_k = {{ table = \"p2\", columns = [\"b{0}\"], with = {{ {1} }} }}\n",
          order, with, *order == 0 ? " DESC" : ""));
      converges(database, run);
      CHECK(parts_of(database, "r") == "p1: p1_b_idx, p2: p2_b_idx, p2a: p2a_b_idx, p2b: p2b_b_idx");

      // Another definition of the whole, that another declared one is like.
      const ProfileRun other(
          fmt::format("[indexes]\nr = {{ table = \"p\", columns = [\"a\"] }}\n"
                      "p1_k = {{ table = \"p1\", columns = [\"a\"], comment = \"own\" }}\n"
                      "p2_k = {{ table = \"p2\", columns = [\"b{0}\"], with = {{ {1} }} }}\n",
                      order, with));
      converges(database, other);
      CHECK(parts_of(database, "r") == "p1: p1_a_idx, p2: p2_a_idx, p2a: p2a_a_idx, p2b: p2b_a_idx");
    }
}

TEST_CASE("an index that becomes a part of another one is not dropped, listed or renamed any more") {
  for_each_way([&](const Database& database) {
    database.exec(
        "CREATE INDEX one ON p1 (a); CREATE INDEX two ON p1 (b); CREATE INDEX three ON p1 (c);"
        "CREATE INDEX four ON p2 (a)");
    const ProfileRun run(
        "[indexes]\np_a = { table = \"p\", columns = [\"a\"] }\np_a_too = { table = \"p\", columns = [\"a\"] "
        "}\n"
        "p_b = { table = \"p\", columns = [\"b\"] }\np_c = { table = \"p\", columns = [\"c\"] }\n"
        "two = { table = \"p1\", columns = [\"b\"], state = \"absent\" }\n"
        "three_new = { table = \"p1\", columns = [\"c\"] }\n"
        "[tables.p1]\nindexes = \"exclusive\"\n[tables.p2]\nindexes = \"exclusive\"\n");
    converges(database, run, {"--prune"});
    CHECK(parts_of(database, "p_a").starts_with("p1: one, p2: four, "));
    CHECK(definition(database, "three_new") == "CREATE INDEX three_new ON public.p1 USING btree (c)");
  });
}

TEST_CASE("an index of a partition that is clustered by stays so when the server makes it a part") {
  const Database database;
  fill(database);
  if (!has_foreign_tables(database)) return skip("no foreign data wrapper");
  add_foreign_partition(database);
  // By their names the partition comes before the whole.
  database.exec(
      "CREATE TABLE a1 PARTITION OF p FOR VALUES FROM (40) TO (50); CREATE INDEX a1_k ON a1 (a); ALTER TABLE "
      "a1 CLUSTER ON a1_k");
  const ProfileRun run(
      "[indexes]\nr = { table = \"p\", columns = [\"a\"] }\na1_k = { table = \"a1\", columns = [\"a\"] }\n"
      "[tables.a1]\ncluster = \"a1_k\"\n");
  converges(database, run);
  CHECK(database.text("SELECT indexrelid::regclass::text FROM pg_index WHERE indisclustered") == "a1_k");
}

TEST_CASE("of several indexes of a partition the server attaches the oldest, and none that is broken") {
  const Database database;
  fill(database);
  if (!has_foreign_tables(database)) return skip("no foreign data wrapper");
  add_foreign_partition(database);
  database.exec(
      "CREATE INDEX older ON p1 (a); CREATE INDEX p1_k ON p1 (a); CREATE INDEX p2a_k ON p2a (a); CREATE "
      "INDEX "
      "p2b_k ON p2b (a)");
  database.exec(
      "UPDATE pg_index SET indisvalid = false WHERE indexrelid IN ('p2a_k'::regclass, 'p2b_k'::regclass)");
  const std::string kept = database.text("SELECT 'p1_k'::regclass::oid");
  const ProfileRun run(
      "[indexes]\nr = { table = \"p\", columns = [\"a\"] }\np1_k = { table = \"p1\", columns = [\"a\"] }\n"
      "p2a_k = { table = \"p2a\", columns = [\"a\"] }\n");
  converges(database, run);
  CHECK(parts_of(database, "r") == "p1: older, p2: p2_a_idx, p2a: p2a_a_idx, p2b: p2b_a_idx");
  CHECK(database.text("SELECT 'p1_k'::regclass::oid") == kept);
  CHECK(database.text("SELECT to_regclass('p2b_k') IS NULL") == "t");
}

TEST_CASE("whoever may not change a partition is told before anything is done, and nobody else") {
  const Database database;
  fill(database);
  const std::string owner = "owner_" + database.name();
  database.exec("CREATE ROLE " + owner + " LOGIN; GRANT ALL ON DATABASE " + database.name() + " TO " + owner +
                "; GRANT CREATE ON SCHEMA public TO " + owner + "; ALTER TABLE z OWNER TO " + owner +
                "; ALTER TABLE p OWNER TO " + owner +
                "; CREATE INDEX p_a ON p (a); CREATE INDEX own ON p1 (b)" + "; CREATE INDEX own2 ON p2 (b)");
  const std::string url =
      database.url() + (database.url().find('?') == std::string::npos ? "?" : "&") + "user=" + owner;
  const auto refused = [&](const std::string& profile, const std::string& said) {
    const Run applied = run(ProfileRun(profile).command(url, "apply"));
    CHECK(applied.exit == 1);
    CHECK_MESSAGE(applied.err.find(said) != std::string::npos, applied.err);
    CHECK(database.text("SELECT to_regclass('a_first') IS NULL") == "t");
  };
  const std::string first = "[indexes]\na_first = { table = \"z\", columns = [\"b\"] }\n";
  refused(first + "p1_a_idx = { table = \"z\", columns = [\"a\"] }\n", "may not change p1,");
  refused(first + "p_c = { table = \"p\", columns = [\"c\"] }\n", "may not change p2a,");
  // All parts are there: attaching them takes no right to them.
  const Run attached =
      run(ProfileRun("[indexes.p_b]\ntable = \"p\"\ncolumns = [\"b\"]\n").command(url, "apply"));
  CHECK_MESSAGE(attached.exit == 0, attached.err);
  database.exec("CREATE SCHEMA closed; ALTER TABLE p1 SET SCHEMA closed; GRANT USAGE ON SCHEMA closed TO " +
                owner);
  for (const char* part : {"closed.p1", "p2", "p2a", "p2b"})
    database.exec(fmt::format("ALTER TABLE {} OWNER TO {}", part, owner));
  refused(first + "p_c = { table = \"p\", columns = [\"c\"] }\n", "may create nothing in schema closed");
  database.exec("DROP OWNED BY " + owner + "; DROP ROLE " + owner);
}

TEST_CASE("chunks in a schema of tables give their indexes' names away, and get others when built again") {
  const Parted& make = makes[1];
  if (const std::string why = make.missing(); !why.empty()) return skip(why);
  const Database database;
  database.exec(
      "SET client_min_messages TO error; CREATE EXTENSION timescaledb; CREATE TABLE z (a int);"
      "CREATE TABLE e (a int NOT NULL, v int, w int); SELECT create_hypertable('e', 'a', chunk_time_interval "
      "=> "
      "10, associated_schema_name => 'public', create_default_indexes => false);"
      "INSERT INTO e SELECT n, n, n FROM generate_series(1, 25) n; CREATE INDEX e_v ON e (v)");
  const auto indexes = [&] {
    return database.text(
        "SELECT string_agg(indexrelid::regclass || ' on ' || indrelid::regclass, ', ' ORDER BY "
        "indexrelid::regclass::text) FROM pg_index WHERE indexrelid::regclass::text ~ '^_hyper'");
  };
  converges(database, ProfileRun("[indexes]\ne_v = { table = \"e\", columns = [\"v\"] }\n"
                                 "e_w = { table = \"e\", columns = [\"w\"] }\n"
                                 "_hyper_1_1_chunk_e_v = { table = \"z\", columns = [\"a\"] }\n"
                                 "_hyper_1_2_chunk_e_w = { table = \"z\", columns = [\"a\"] }\n"));
  CHECK(indexes() ==
        "_hyper_1_1_chunk_e_v on z, _hyper_1_1_chunk_e_v_1 on _hyper_1_1_chunk, _hyper_1_1_chunk_e_w on "
        "_hyper_1_1_chunk, _hyper_1_2_chunk_e_v on _hyper_1_2_chunk, _hyper_1_2_chunk_e_w on z, "
        "_hyper_1_2_chunk_e_w_1 on _hyper_1_2_chunk, _hyper_1_3_chunk_e_v on _hyper_1_3_chunk, "
        "_hyper_1_3_chunk_e_w on _hyper_1_3_chunk");
  // A parameter that no chunk's index can change in place; in the way of the new name is a declared one
  // again.
  converges(database,
            ProfileRun("[indexes]\ne_v = { table = \"e\", method = \"brin\", columns = [\"v\"] }\n"));
  converges(database,
            ProfileRun("[indexes]\ne_v = { table = \"e\", method = \"brin\", columns = [\"v\"], with = { "
                       "pages_per_range = 4 } }\n_hyper_1_3_chunk_e_v = { table = \"z\", columns = "
                       "[\"a\"] }\n"));
  CHECK(database.text(
            "SELECT count(*) FROM pg_class WHERE reloptions = ARRAY['pages_per_range=4'] AND relname ~ "
            "'^_hyper_1_[123]_chunk_e_v'") == "3");
}
