// Names of indexes that something else has, or had before.
#include <string>

#include <doctest/doctest.h>
#include <fmt/format.h>

#include "db/online.hpp"
#include "support/cases.hpp"
#include "support/dice.hpp"

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
  const std::string before = run.plan(database).out;
  const Run applied = run.apply(database, options);
  CHECK_MESSAGE(applied.exit == 0, before, applied.err);
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

TEST_CASE("an index of a partition that is clustered by stays so when the server makes it a part") {
  const Database database;
  fill(database);
  if (!has_foreign_tables(database)) return skip("no foreign data wrapper");
  add_foreign_partition(database);
  database.exec("CREATE INDEX p1_k ON p1 (a); ALTER TABLE p1 CLUSTER ON p1_k");
  const ProfileRun run(
      "[indexes]\nr = { table = \"p\", columns = [\"a\"] }\np1_k = { table = \"p1\", columns = [\"a\"] }\n"
      "[tables.p1]\ncluster = \"p1_k\"\n");
  converges(database, run);
  CHECK(database.text("SELECT indexrelid::regclass::text FROM pg_index WHERE indisclustered") == "p1_k");
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

TEST_CASE("whoever may not rename a part of somebody else's index is told before anything is done") {
  const Database database;
  fill(database);
  const std::string owner = "owner_" + database.name();
  database.exec("CREATE ROLE " + owner + " LOGIN; GRANT ALL ON DATABASE " + database.name() + " TO " + owner +
                "; GRANT CREATE ON SCHEMA public TO " + owner + "; ALTER TABLE z OWNER TO " + owner +
                "; CREATE INDEX p_a ON p (a)");
  const ProfileRun profile(
      "[indexes]\na_first = { table = \"z\", columns = [\"b\"] }\n"
      "p1_a_idx = { table = \"z\", columns = [\"a\"] }\n");
  const std::string url =
      database.url() + (database.url().find('?') == std::string::npos ? "?" : "&") + "user=" + owner;
  const Run refused = run(profile.command(url, "apply"));
  CHECK(refused.exit == 1);
  CHECK_MESSAGE(refused.err.find("p1") != std::string::npos, refused.err);
  CHECK(database.text("SELECT to_regclass('a_first') IS NULL") == "t");
  database.exec("DROP OWNED BY " + owner + "; DROP ROLE " + owner);
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

namespace {

/// Names that the server gives to parts of other indexes, among others.
const std::vector<std::string> wanted_names = {"p1_a_idx",  "p1_b_idx",      "p1_a_idx1", "p2_b_a_idx",
                                               "p2a_a_idx", "p2b_lower_idx", "k",         "l"};

std::string any_columns(Dice& dice) {
  return dice.one_of({"a", "b", "a DESC", "b, a", "lower(c)", "c", "b DESC, a"});
}
std::string any_table(Dice& dice) { return dice.one_of({"p", "p", "p1", "p2", "p2a", "z"}); }

std::string any_profile(Dice& dice, bool exclusive) {
  std::string profile = "[indexes]\n";
  for (const std::string& name : wanted_names) {
    if (dice.chance(30)) continue;
    std::string columns = any_columns(dice);
    for (size_t comma = 0; (comma = columns.find(", ", comma)) != std::string::npos; comma += 4)
      columns.replace(comma, 2, "\", \"");
    profile += fmt::format("{} = {{ table = \"{}\", columns = [\"{}\"]{}{}{} }}\n", name, any_table(dice),
                           columns, dice.chance(20) ? ", with = { fillfactor = 70 }" : "",
                           dice.chance(20) ? ", where = \"b > 1\"" : "",
                           dice.chance(10) ? ", state = \"absent\"" : "");
  }
  if (exclusive) profile += "[tables.p1]\nindexes = \"exclusive\"\n";
  return profile;
}

/// What somebody does to the indexes by hand; the server may refuse it.
std::string any_statement(Dice& dice) {
  const std::string& name = wanted_names[dice.pick(wanted_names.size())];
  if (dice.chance(30)) return "DROP INDEX " + name;
  return fmt::format("CREATE INDEX {} ON {} ({}){}", dice.chance(50) ? "own" : name, any_table(dice),
                     any_columns(dice), dice.chance(20) ? " WITH (fillfactor = 70)" : "");
}

}  // namespace

TEST_CASE("whatever names indexes and their parts have, they come to be as declared at once") {
  const unsigned first_seed = seed();
  CAPTURE(first_seed);
  Dice dice(first_seed);
  for (const bool by_server : {false, true}) {
    CAPTURE(by_server);
    const Database database;
    fill(database);
    if (by_server && !has_foreign_tables(database)) return skip("no foreign data wrapper");
    if (by_server) add_foreign_partition(database);
    for (int round = 0; round < std::max(cases() / 10, 2); ++round) {
      CAPTURE(round);
      std::string made;
      for (size_t statement = dice.pick(4); statement > 0; --statement) try {
          const std::string sql = any_statement(dice);
          database.exec(sql);
          made += sql + ";\n";
        } catch (const std::exception&) {
          continue;
        }
      const bool prunes = dice.chance(30);
      const std::string profile = any_profile(dice, prunes);
      CAPTURE(made);
      CAPTURE(profile);
      converges(database, ProfileRun(profile),
                prunes ? std::vector<std::string>{"--prune"} : std::vector<std::string>{});
    }
  }
}
