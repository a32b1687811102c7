// `kdb inspect`: what a newcomer gets of a live database.

#include "db/catalog.hpp"
#include "db/project.hpp"
#include "support/skip.hpp"
#include "support/text.hpp"

namespace kdb::test::inspect_test {

namespace {

constexpr const char* shop =
    "CREATE SCHEMA audit;"
    "CREATE TABLE orders (id bigint PRIMARY KEY, at timestamptz, kind text, payload jsonb, value numeric)"
    "  WITH (fillfactor = 90, autovacuum_vacuum_scale_factor = 0.02);"
    "CREATE TABLE audit.log (n int, text text);"
    "CREATE TABLE plain (n int UNIQUE);"
    "COMMENT ON TABLE orders IS 'what was sold';"
    "ALTER TABLE orders ALTER kind SET STATISTICS 500;"
    "ALTER TABLE orders ALTER value SET (n_distinct = -0.5);"
    "CREATE INDEX orders_at_kind ON orders (at DESC, kind) INCLUDE (value) WHERE value > 0;"
    "CREATE INDEX orders_payload ON orders USING gin (payload jsonb_path_ops) WITH (fastupdate = off);"
    "CREATE INDEX log_text ON audit.log (lower(text) text_pattern_ops);"
    "CREATE STATISTICS orders_kind_at (dependencies) ON kind, at FROM orders;";

std::string without_head(const std::string& text) {
  const size_t end = text.find("\n\n");
  return end == std::string::npos ? "" : text.substr(end + 2);
}

}  // namespace

TEST_CASE("inspect writes what a person would have written") {
  const Database database;
  database.exec(shop);
  const Project project;
  const Run run = project.kdb(database.url(), {"inspect"});
  CHECK_MESSAGE(run.exit == 0, run.err);
  CHECK(run.out.starts_with("# " + database.name() + ", as `kdb inspect` found it.\n"));
  CHECK(without_head(run.out) == R"(# not managed: the attribute options (n_distinct) of "value"
[tables.orders]
storage = { fillfactor = 90, autovacuum_vacuum_scale_factor = 0.02 }
statistics = { kind = 500 }
comment = "what was sold"

[indexes."audit.log_text"]
table = "audit.log"
columns = ["lower(text) text_pattern_ops"]

[indexes.orders_at_kind]
table = "orders"
columns = ["at DESC", "kind"]
include = ["value"]
where = "value > (0)::numeric"

[indexes.orders_payload]
table = "orders"
method = "gin"
columns = ["payload jsonb_path_ops"]
with = { fastupdate = "off" }

[statistics.orders_kind_at]
table = "orders"
columns = ["at", "kind"]
kinds = ["dependencies"]
)");
  CHECK(project.kdb(database.url(), {"inspect"}).out == run.out);
  CHECK(database.text("SELECT to_regnamespace('kdb') IS NULL") == "t");
}

TEST_CASE("inspect of some schemas or tables leaves out the others, and knows what is not there") {
  const Database database;
  database.exec(shop);
  const Project project;
  const Run audit = project.kdb(database.url(), {"inspect", "--schema", "audit"});
  CHECK(has(audit.out, "[indexes.\"audit.log_text\"]"));
  CHECK_FALSE(has(audit.out, "orders"));
  const Run orders = project.kdb(database.url(), {"inspect", "--table", "orders", "--table", "plain"});
  CHECK(has(orders.out, "[indexes.orders_payload]"));
  CHECK(has(orders.out, "[statistics.orders_kind_at]"));
  CHECK_FALSE(has(orders.out, "log_text"));
  const Run none = project.kdb(database.url(), {"inspect", "--table", "plain"});
  CHECK(has(none.out, "# Nothing that a profile declares.\n"));
  const Run unknown = project.kdb(database.url(), {"inspect", "--schema", "nope", "--table", "log"});
  CHECK(unknown.exit == 64);
  CHECK(has(unknown.err, "no schema \"nope\" with tables"));
  CHECK(has(unknown.err, "no table \"log\""));
}

TEST_CASE("inspect of a schema that the profile calls its own writes names without it") {
  const Database database;
  database.exec(shop);
  const Project project;
  const TempDir folder;
  const std::string profile = folder.write("audit.toml", "[database]\nschema = \"audit\"\n").string();
  const Run run = project.kdb(database.url(), {"inspect", "-p", profile, "--schema", "audit"});
  CHECK_MESSAGE(run.exit == 0, run.err);
  CHECK(without_head(run.out) ==
        "[database]\nschema = \"audit\"\n\n[indexes.log_text]\ntable = \"log\"\ncolumns = [\"lower(text) "
        "text_pattern_ops\"]\n");
}

TEST_CASE("inspect says of an index that its build did not end") {
  const Database database;
  database.exec("CREATE TABLE t (a int); INSERT INTO t VALUES (1), (1)");
  CHECK_THROWS(database.exec("CREATE UNIQUE INDEX CONCURRENTLY t_a ON t (a)"));
  const Run run = Project().kdb(database.url(), {"inspect"});
  CHECK(without_head(run.out) ==
        "# INVALID: its build did not end; no query uses it, every write maintains it\n"
        "[indexes.t_a]\ntable = \"t\"\ncolumns = [\"a\"]\nunique = true\n");
}

TEST_CASE("inspect writes the same whatever the role's settings are") {
  const Database database;
  database.exec(
      "CREATE TABLE t (a date, b interval, c timestamptz, d bytea);"
      "CREATE INDEX i ON t (a) WHERE a > '2024-03-04' AND b > '1 day 2 hours' AND c > '2024-03-04 05:06Z' "
      "AND "
      "d <> '\\xdead'");
  const Project project;
  const Run before = project.kdb(database.url(), {"inspect"});
  CHECK_MESSAGE(has(before.out, "'2024-03-04'::date"), before.out);
  for (const std::string setting :
       {"DateStyle TO 'SQL, DMY'", "IntervalStyle TO iso_8601", "TimeZone TO 'Asia/Tokyo'",
        "bytea_output TO escape", "standard_conforming_strings TO off", "quote_all_identifiers TO on"}) {
    CAPTURE(setting);
    database.exec("ALTER DATABASE " + database.name() + " SET " + setting);
    CHECK(project.kdb(database.url(), {"inspect"}).out == before.out);
  }
}

TEST_CASE("a table that somebody locks is waited for no longer than lock_timeout") {
  const Database database;
  database.exec("CREATE TABLE t (a int); CREATE INDEX i ON t ((a + 1))");
  Session other(database.url());
  other.exec("BEGIN; LOCK t IN ACCESS EXCLUSIVE MODE");
  const TempDir folder;
  const std::string profile = folder.write("p.toml", "[connection]\nlock_timeout = \"200ms\"\n").string();
  const Run run = Project().kdb(database.url(), {"inspect", "-p", profile});
  CHECK(run.exit == 4);
  CHECK(has(run.err, "a table is locked by another session"));
}

TEST_CASE("an index that some partitions lack is not called broken") {
  const Database database;
  database.exec(
      "CREATE TABLE p (a int) PARTITION BY RANGE (a); CREATE TABLE p1 PARTITION OF p FOR VALUES FROM (0) TO "
      "(9);"
      "CREATE INDEX p_a ON ONLY p (a); CREATE TABLE r (a int NOT NULL); CREATE UNIQUE INDEX r_a ON r (a);"
      "ALTER TABLE r REPLICA IDENTITY USING INDEX r_a; DROP INDEX r_a");
  const Run run = Project().kdb(database.url(), {"inspect"});
  CHECK(without_head(run.out) ==
        "[tables.r]\nreplica_identity = \"nothing\"\n\n# 0/1 partitions covered, and as a whole INVALID\n"
        "[indexes.p_a]\ntable = \"p\"\ncolumns = [\"a\"]\n");
}

TEST_CASE(
    "what partitions' parts of an index have of their own is listed, and goes with them not without a word") {
  const Database database;
  database.exec(
      "CREATE TABLE p (a int, b int) PARTITION BY RANGE (a); CREATE INDEX p_b ON p (b) WITH (fillfactor = "
      "80);"
      "CREATE INDEX p_expr ON p ((a + b)); CREATE INDEX p_plain ON p (a, b)");
  for (int part = 1; part <= 6; ++part)
    database.exec(fmt::format("CREATE TABLE p{0} PARTITION OF p FOR VALUES FROM ({0}) TO ({0} + 1)", part));
  database.exec("ALTER INDEX p1_b_idx RENAME TO mine; COMMENT ON INDEX mine IS 'c'");
  for (int part = 2; part <= 6; ++part)
    database.exec(fmt::format("ALTER INDEX p{}_b_idx SET (fillfactor = 50)", part));
  database.exec("ALTER INDEX p3_expr_idx ALTER COLUMN 1 SET STATISTICS 500");
  database.exec("CREATE INDEX ON p4 (b, a DESC); CREATE INDEX p_other ON p (b, a)");
  const Project project;
  const Run inspected = project.kdb(database.url(), {"inspect"});
  CHECK(without_head(inspected.out) ==
        "# not managed: own names of its parts: mine\n"
        "# not managed: own storage parameters of its parts: p2_b_idx, p3_b_idx, p4_b_idx and 2 more\n"
        "# not managed: comments of its parts: mine\n"
        "[indexes.p_b]\ntable = \"p\"\ncolumns = [\"b\"]\nwith = { fillfactor = 80 }\n\n"
        "# not managed: statistics targets of its parts: p3_expr_idx\n"
        "[indexes.p_expr]\ntable = \"p\"\ncolumns = [\"((a + b))\"]\n\n"
        "# not managed: own column orders of its parts: p4_b_a_idx\n"
        "[indexes.p_other]\ntable = \"p\"\ncolumns = [\"b\", \"a\"]\n\n"
        "[indexes.p_plain]\ntable = \"p\"\ncolumns = [\"a\", \"b\"]\n");
  const TempDir folder;
  const std::string profile =
      folder.write("p.toml", "[indexes.p_b]\ntable = \"p\"\ncolumns = [\"b\"]\n").string();
  const Run plan = project.kdb(database.url(), {"plan", "--only", "profile", "-p", profile});
  CHECK_MESSAGE(has(plan.out,
                    "-- removes the old one and own names of its parts: mine; own storage parameters of its "
                    "parts: p2_b_idx, p3_b_idx, p4_b_idx and 2 more; comments of its parts: mine\n"),
                plan.out);
}

TEST_CASE("what is dropped while the catalog is read is not read") {
  const Database database;
  database.exec("CREATE TABLE t (a int, b int); CREATE INDEX i ON t (a); CREATE STATISTICS s ON a, b FROM t");
  Session session(database.url());
  const ServerFacts facts = pg::read_facts(session.connection(), "public", "kdb");
  session.exec("BEGIN ISOLATION LEVEL REPEATABLE READ");
  session.exec("SELECT 1");  // the snapshot
  database.exec("DROP INDEX i; DROP STATISTICS s");
  const pg::Result indexes = session.exec(Index::catalog_query(facts));
  REQUIRE(indexes.size() == 1);
  CHECK(Index::vanished(pg::ResultRow(indexes, 0)));
  const pg::Result statistics = session.exec(Statistics::catalog_query(facts));
  REQUIRE(statistics.size() == 1);
  CHECK(Statistics::vanished(pg::ResultRow(statistics, 0)));
}

TEST_CASE("inspect writes hypertables and no chunks, and names jobs that no profile can say") {
  const Database database;
  if (database.text("SELECT count(*) FROM pg_available_extensions WHERE name = 'timescaledb'") == "0")
    return skip("no TimescaleDB");
  database.exec("CREATE EXTENSION timescaledb");
  database.exec(
      "CREATE TABLE events (at timestamptz NOT NULL, n int); SELECT create_hypertable('events', 'at', "
      "associated_schema_name => 'ch', associated_table_prefix => 'piece');"
      "INSERT INTO events SELECT '2026-01-01'::timestamptz + n * '1 day'::interval, n FROM "
      "generate_series(1, 30) n;"
      "CREATE INDEX events_n ON events (n)");
  if (database.text("SHOW timescaledb.license") == "timescale")
    database.exec(
        "CREATE PROCEDURE mine(int, jsonb) LANGUAGE sql AS ''; SELECT add_job('mine', '1 day', initial_start "
        "=> "
        "'2099-01-01')");
  const Run run = Project().kdb(database.url(), {"inspect"});
  CHECK_MESSAGE(run.exit == 0, run.err);
  if (database.text("SHOW timescaledb.license") == "timescale")
    CHECK(has(run.out,
              "# Not in this profile, because kdb does not manage it yet:\n#   user-defined jobs: 1\n"));
  CHECK(has(run.out, "# not managed: chunks are named ch.piece…\n[hypertables.events]\n"));
  CHECK(has(run.out, "[extensions.timescaledb]"));
  CHECK(has(run.out, "[indexes.events_n]"));
  CHECK_FALSE(has(run.out, "piece_"));
}

}  // namespace kdb::test::inspect_test
