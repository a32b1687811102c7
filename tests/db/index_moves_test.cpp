// Names of indexes that something else has, or had before.
#include <string>

#include <doctest/doctest.h>
#include <fmt/format.h>

#include "db/online.hpp"

using namespace kdb::test;

namespace {

/// A partitioned table, one part of it partitioned again, and a table beside it.
void fill(const Database& database) {
  database.exec(
      "CREATE TABLE p (a int, b int, c text) PARTITION BY RANGE (a); CREATE TABLE z (a int, b int, c text);"
      "CREATE TABLE p1 PARTITION OF p FOR VALUES FROM (0) TO (10);"
      "CREATE TABLE p2 PARTITION OF p FOR VALUES FROM (10) TO (20) PARTITION BY LIST (b);"
      "CREATE TABLE p2a PARTITION OF p2 FOR VALUES IN (1); CREATE TABLE p2b PARTITION OF p2 DEFAULT");
}

bool has_foreign_tables(const Database& database) {
  return database.text("SELECT count(*) FROM pg_available_extensions WHERE name = 'file_fdw'") != "0";
}

/// Beside it the server makes an index of the whole, and of every part, at once.
void add_foreign_partition(const Database& database) {
  database.exec(
      "CREATE EXTENSION file_fdw; CREATE SERVER s FOREIGN DATA WRAPPER file_fdw; CREATE FOREIGN TABLE far "
      "PARTITION OF p FOR VALUES FROM (20) TO (30) SERVER s OPTIONS (filename '/dev/null')");
}

std::string definition(const Database& database, const std::string& index) {
  return database.text(fmt::format("SELECT pg_get_indexdef('{}'::regclass)", index));
}

/// What is attached to an index, by the name of the part's table: `p1: p1_a_idx, p2: …`.
std::string parts_of(const Database& database, const std::string& index) {
  return database.text(fmt::format(
      "SELECT string_agg(indrelid::regclass || ': ' || indexrelid::regclass, ', ' ORDER BY "
      "indrelid::regclass::text) FROM pg_partition_tree('{}') JOIN pg_index ON indexrelid = relid "
      "WHERE level > 0",
      index));
}

void converges(const Database& database, const ProfileRun& run,
               const std::vector<std::string>& options = {}) {
  const Run applied = run.apply(database, options);
  CHECK_MESSAGE(applied.exit == 0, applied.out, applied.err);
  const Run planned = run.plan(database);
  CHECK_MESSAGE(planned.exit == 0, planned.out);
  CHECK(invalid_indexes(database).empty());
}

}  // namespace

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

TEST_CASE("what somebody else has called something is no name for a part") {
  for (const bool by_server : {false, true}) {
    CAPTURE(by_server);
    const Database database;
    fill(database);
    if (by_server && !has_foreign_tables(database)) return skip("no foreign data wrapper");
    if (by_server) add_foreign_partition(database);
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
  }
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
          "[indexes]\nr = {{ table = \"p\", columns = [\"b\"] }}\n"
          "p1_k = {{ table = \"p1\", columns = [\"b{0}\"], with = {{ {1} }}, comment = \"own\" }}\n"
          "p2_k = {{ table = \"p2\", columns = [\"b{0}\"], with = {{ {1} }} }}\n",
          order, with));
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
  for (const bool by_server : {false, true}) {
    CAPTURE(by_server);
    const Database database;
    fill(database);
    if (by_server && !has_foreign_tables(database)) return skip("no foreign data wrapper");
    if (by_server) add_foreign_partition(database);
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
  }
}
