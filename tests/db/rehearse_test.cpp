// `kdb plan --sandbox -d URL`: the plan of a database, tried on a copy of its schema.
#include "db/timescale.hpp"
#include "support/skip.hpp"
#include "support/text.hpp"

namespace kdb::test::rehearse_test {

namespace {

/// A database and what is planned for it.
struct Rehearsed {
  Database database;
  Project project;
  TempDir folder;
  std::string profile = folder.write("p.toml", "").string();

  explicit Rehearsed(const std::string& setup) {
    database.exec(setup);
    std::filesystem::create_directories(project.folder());
  }
  Run plan(const std::vector<std::string>& words = {}) const {
    std::vector<std::string> command = {"plan", "--sandbox", "-p", profile};
    if (const char* programs = std::getenv("KDB_SANDBOX_PG_BIN"))
      command.insert(command.end(), {"--pg-bin", programs});
    command.insert(command.end(), words.begin(), words.end());
    return project.kdb(database.url(), command);
  }
};

/// Whether there is no pg_dump for the server: then the plan is still shown, and is no pass.
bool lacks_pg_dump(const Run& planned) {
  if (!has(planned.out, "not rehearsed: no pg_dump")) return false;
  CHECK(planned.exit == 1);
  CHECK(has(planned.out, "migration 1 "));
  CHECK_MESSAGE(has(planned.out, "hint: install the package postgresql-client-"), planned.out);
  skip("no pg_dump for this server");
  return true;
}

constexpr const char* orders =
    "CREATE SCHEMA more; CREATE EXTENSION IF NOT EXISTS pg_trgm SCHEMA more;"
    "CREATE TABLE orders (id int PRIMARY KEY, kind text, value int);"
    "CREATE TABLE more.lines (order_id int REFERENCES orders, \"Odd\" text);"
    "CREATE INDEX ON more.lines USING gin (\"Odd\" more.gin_trgm_ops);"
    "CREATE VIEW big AS SELECT * FROM orders WHERE value > 5;"
    "INSERT INTO orders SELECT i, 'k', i FROM generate_series(1, 9) i;"
    "COMMENT ON TABLE orders IS 'CREATE SCHEMA more'";

}  // namespace

TEST_CASE("a plan is rehearsed on a copy of the schema, and its locks are those that were taken") {
  Rehearsed it(orders);
  it.project.migration("1_note",
                       "ALTER TABLE orders ADD note text;\nCREATE TABLE fresh (id int);\n"
                       "CREATE INDEX ON more.lines (order_id);");
  it.folder.write("p.toml",
                  "[indexes.orders_kind]\ntable = \"orders\"\ncolumns = [\"kind\"]\n"
                  "[indexes.fresh_id]\ntable = \"fresh\"\ncolumns = [\"id\"]\n"
                  "[tables.orders]\nstorage = { fillfactor = 90 }\n");
  const std::string before = it.database.state();
  const Run planned = it.plan();
  if (lacks_pg_dump(planned)) return;
  CHECK_MESSAGE(planned.exit == 0, planned.err);
  CHECK_MESSAGE(has(planned.out, "6 statements ran on a copy of the schema without rows, on PostgreSQL "),
                planned.out);
  CHECK(has(planned.out, "ALTER TABLE   ACCESS EXCLUSIVE on orders\n"));
  CHECK(has(planned.out, "CREATE TABLE  no further ones\n"));
  CHECK(has(planned.out, "SHARE on more.lines\n"));
  CHECK(has(planned.out, "SHARE UPDATE EXCLUSIVE on orders\n"));
  CHECK(has(planned.out, "index fresh_id"));
  CHECK(has(planned.out, "not seen: outside of a transaction"));
  CHECK(it.database.state() == before);
  CHECK(it.database.text("SELECT count(*) FROM pg_namespace WHERE nspname = 'kdb'") == "0");
}

TEST_CASE("what fails when it is rehearsed is named, and is no pass") {
  Rehearsed it(orders);
  it.project.migration("1_fine", "ALTER TABLE orders ADD note text;");
  SUBCASE("a statement that the schema does not bear") {
    it.project.migration("2_wrong",
                         "ALTER TABLE orders ADD more int;\nALTER TABLE orders DROP COLUMN value;");
    const Run planned = it.plan();
    if (lacks_pg_dump(planned)) return;
    CHECK(planned.exit == 1);
    CHECK_MESSAGE(has(planned.out, "statement 3 failed on a copy"), planned.out);
    CHECK(has(planned.out, "migration 2 wrong failed when it was rehearsed: cannot drop column value"));
  }
  SUBCASE("one that has no business there") {
    it.project.migration("2_stranger", "COPY orders TO PROGRAM 'cat';");
    const Run planned = it.plan();
    if (lacks_pg_dump(planned)) return;
    CHECK(planned.exit == 1);
    CHECK_MESSAGE(has(planned.out, "(42501)"), planned.out);
  }
  CHECK(it.database.text("SELECT count(*) FROM information_schema.columns WHERE table_name = 'orders'") ==
        "3");
}

TEST_CASE("a copy that is none is no rehearsal") {
  Rehearsed it(orders);
  it.project.migration("1_fine", "ALTER TABLE orders ADD note text;");
  std::string why;
  SUBCASE("an extension that strangers must not have") {
    it.database.exec("CREATE EXTENSION dblink");
    why = "the sandbox lacks what the database has: extension dblink";
  }
  SUBCASE("another inspection") {
    it.database.exec(
        "UPDATE pg_index SET indisvalid = false WHERE indexrelid = 'more.\"lines_Odd_idx\"'::regclass");
    why = "`kdb inspect` says something else of the copy";
  }
  SUBCASE("continuous aggregates") {
    const Timescale timescale(false);
    if (!timescale.reason().empty()) return skip(timescale.reason());
    it.database.exec("CREATE EXTENSION timescaledb");
    it.database.exec(
        "CREATE TABLE events (at timestamptz NOT NULL); SELECT create_hypertable('events', 'at')");
    it.database.exec(
        "CREATE MATERIALIZED VIEW daily WITH (timescaledb.continuous) AS "
        "SELECT time_bucket('1 day', at) AS day, count(*) FROM events GROUP BY 1 WITH NO DATA");
    why = "the database has continuous aggregates";
  }
  const Run planned = it.plan();
  if (lacks_pg_dump(planned)) return;
  CHECK(planned.exit == 1);
  CHECK_MESSAGE(has(planned.out, "not rehearsed: " + why), planned.out, planned.err);
  CHECK(has(planned.out, "migration 1 fine"));
}

TEST_CASE("hypertables are copied with their dimensions, columnstore and policies") {
  const Timescale timescale(false);
  if (!timescale.reason().empty()) return skip(timescale.reason());
  Rehearsed it("CREATE EXTENSION timescaledb");
  it.database.exec(
      "CREATE TABLE events (at timestamptz NOT NULL, kind text, value int);"
      "SELECT create_hypertable('events', 'at', chunk_time_interval => interval '3 days');"
      "SELECT add_dimension('events', 'kind', number_partitions => 2);"
      "ALTER TABLE events SET (timescaledb.compress, timescaledb.compress_segmentby = 'kind');"
      "SELECT add_compression_policy('events', interval '90 days');"
      "SELECT add_retention_policy('events', interval '2 years');"
      "INSERT INTO events VALUES (now(), 'a', 1), (now() - interval '9 days', 'b', 2)");
  it.folder.write("p.toml", "[indexes.events_value]\ntable = \"events\"\ncolumns = [\"value\"]\n");
  SUBCASE("but without chunks") {
    it.database.exec("CREATE INDEX events_value ON events (value)");
    it.database.exec(
        "DO $$ BEGIN EXECUTE 'DROP INDEX ' || (SELECT min(indexrelid::regclass::text) FROM pg_index WHERE "
        "indrelid <> 'events'::regclass AND indexrelid::regclass::text LIKE '%events\\_value'); END $$");
    const Run planned = it.plan();
    CHECK_MESSAGE(planned.exit == 1, planned.out, planned.err);
    CHECK_MESSAGE(has(planned.out, "not rehearsed: "), planned.out);
  }
  SUBCASE("whole") {
    const Run planned = it.plan();
    CHECK_MESSAGE(planned.exit == 0, planned.out, planned.err);
    CHECK_MESSAGE(has(planned.out, "ran on a copy of the schema"), planned.out);
    CHECK_MESSAGE(has(planned.out, " on events\n"), planned.out);
  }
}

TEST_CASE("settings of roles are not rehearsed, for the copy has none") {
  Rehearsed it(orders);
  const std::string role = "kdb_rehearsed_" + it.database.name();
  it.database.exec("CREATE ROLE " + role + "; ALTER ROLE " + role + " SET jit TO off");
  const std::string settings =
      "[roles." + role + "]\nsettings = { statement_timeout = \"30s\", jit = false }\n";
  it.folder.write("p.toml", settings);
  CHECK(has(it.plan().out, "nothing to rehearse"));
  const std::string coming = role + "_coming";
  it.folder.write("p.toml", settings + "[tables.orders]\nstorage = { fillfactor = 90 }\n[roles." + coming +
                                "]\nsettings.jit = true\n");
  it.project.migration("1_grant",
                       "GRANT SELECT ON orders TO " + role +
                           ";\n"  // which makes it in the sandbox
                           "DO $$ BEGIN IF NOT EXISTS (SELECT FROM pg_roles WHERE rolname = '" +
                           coming + "') THEN CREATE ROLE " + coming + "; END IF; END $$;");
  const Run planned = it.plan();
  it.database.exec("DROP ROLE " + role);
  if (has(planned.out, "not rehearsed: no pg_dump")) return skip("no pg_dump for this server");
  CHECK_MESSAGE(planned.exit == 0, planned.out);
  CHECK(has(planned.out, "3 statements ran on a copy"));
}

TEST_CASE("an empty plan needs no rehearsal") {
  Rehearsed it(orders);
  const Run planned = it.plan({"--exit-code"});
  CHECK_MESSAGE(planned.exit == 0, planned.err);
  CHECK(has(planned.out, "nothing to rehearse"));
}

}  // namespace kdb::test::rehearse_test
