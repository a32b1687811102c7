// The commands of `kdb migrate` as a user meets them, on a real server.

#include <filesystem>

#include <sys/resource.h>

#include "db/project.hpp"
#include "files/flyway_checksum.hpp"
#include "support/json.hpp"
#include "support/skip.hpp"
#include "support/text.hpp"

namespace kdb::test::migrate_test {

namespace {

namespace fs = std::filesystem;

/// Three migrations with a way back.
class Shop : public Project {
 public:
  Shop() {
    migration("1_customers", "CREATE TABLE customers (id int);", "DROP TABLE customers;");
    migration("2_orders", "CREATE TABLE orders (id int);", "DROP TABLE orders;");
    migration("3_index", "CREATE INDEX orders_id ON orders (id);", "DROP INDEX orders_id;");
  }
};

/// The most memory that any process begun here has had so far.
long largest_child_kb() {
  rusage usage{};
  getrusage(RUSAGE_CHILDREN, &usage);
  return usage.ru_maxrss;
}

}  // namespace

TEST_CASE("a file that is too large is refused without being read") {
  Project project;
  project.migration("1_small", "SELECT 1;");
  project.file("2_large.sql", "");
  fs::resize_file(fs::path(project.folder()) / "2_large.sql", 100'000'000);
  REQUIRE(run({KDB_BINARY, "--version"}).exit == 0);
  const long idle = largest_child_kb();  // 10 MB; a sanitizer needs a multiple
  const Run refused = project.up(server_url());
  CHECK(refused.exit == 64);
  CHECK(has(refused.err, "2_large.sql"));
  CHECK(has(refused.err, "max_file_size"));
  CHECK(largest_child_kb() < idle + 40'000);
}

TEST_CASE("up, down and up again end where up did") {
  const Shop project;
  const Database database;
  REQUIRE(project.up(database.url()).exit == 0);
  const std::string applied = database.state();
  const Run again = project.up(database.url());
  CHECK(again.exit == 0);
  CHECK(has(again.out, "nothing to do: 3 migrations applied, the newest is 3 index"));
  CHECK(database.text("SELECT count(*) FROM kdb.runs") == "1");

  const Run one = project.kdb(database.url(), {"migrate", "down", "--yes"});
  CHECK_MESSAGE(one.exit == 0, one.err);
  CHECK(has(one.err, "undone 3 index"));
  CHECK(database.text("SELECT count(*) FROM kdb.migrations") == "2");
  const Run to = project.kdb(database.url(), {"migrate", "down", "--to", "1", "--yes"});
  CHECK(has(to.err, "undone 2 orders"));
  const Run all = project.kdb(database.url(), {"migrate", "down", "--to", "0", "--yes"});
  CHECK(has(all.err, "undone 1 customers"));
  CHECK(has(project.kdb(database.url(), {"migrate", "down", "--yes"}).out, "nothing to undo"));
  REQUIRE(project.up(database.url()).exit == 0);
  CHECK(database.state() == applied);
}

TEST_CASE("down asks, and takes no answer for a no") {
  const Shop project;
  const Database database;
  REQUIRE(project.up(database.url()).exit == 0);
  const std::string before = database.state();
  const Run refused = project.kdb(database.url(), {"migrate", "down"});
  CHECK(refused.exit == 3);
  CHECK(has(refused.err, "--yes"));
  const Run dry = project.kdb(database.url(), {"migrate", "down", "--dry-run"});
  CHECK(dry.exit == 0);
  CHECK(has(dry.out, "BEGIN;\n-- INDEX_DROPPED"));
  CHECK(database.state() == before);
}

TEST_CASE("down uses what was stored where the file is gone, and names a missing one") {
  const Shop project;
  const Database database;
  REQUIRE(project.up(database.url()).exit == 0);
  fs::remove(fs::path(project.folder()) / "3_index.sql");
  const Run undone = project.kdb(database.url(), {"migrate", "down", "--yes"});
  CHECK_MESSAGE(undone.exit == 0, undone.err);
  CHECK(database.text("SELECT to_regclass('orders_id') IS NULL") == "t");

  Project one_way;
  one_way.migration("1_a", "CREATE TABLE a (n int);");
  const Database other;
  REQUIRE(one_way.up(other.url()).exit == 0);
  const Run refused = one_way.kdb(other.url(), {"migrate", "down", "--yes"});
  CHECK(refused.exit == 64);
  CHECK(has(refused.err, "1_a.sql"));
  CHECK(has(refused.err, "has no down section"));
}

TEST_CASE("a changed file is shown with its difference; a reformatted one is none") {
  Shop project;
  const Database database;
  REQUIRE(project.up(database.url()).exit == 0);
  project.file("2_orders.sql",
               "-- migrate:up\r\n-- a comment more\r\nCREATE  TABLE orders\r\n (id int);\r\n-- "
               "migrate:down\r\nDROP TABLE "
               "orders;\r\n");
  CHECK(project.up(database.url()).exit == 0);
  const Run verified = project.kdb(database.url(), {"migrate", "verify"});
  CHECK(verified.exit == 0);
  CHECK(has(verified.out, "2 orders was reformatted"));

  project.migration("2_orders", "CREATE TABLE orders (id bigint);", "DROP TABLE orders;");
  for (const char* command : {"up", "verify"}) {
    const Run changed = project.kdb(database.url(), {"migrate", command});
    CHECK(changed.exit == 5);
    CHECK(has(changed.err, "2_orders.sql: migration 2 orders was changed after it was applied"));
    CHECK(has(changed.err, "- CREATE TABLE orders (id int);"));
    CHECK(has(changed.err, "+ CREATE TABLE orders (id bigint);"));
  }
  CHECK(project.kdb(database.url(), {"migrate", "status", "--exit-code"}).exit == 5);
  const Run accepted = project.kdb(database.url(), {"migrate", "repair", "2", "--accept"});
  CHECK_MESSAGE(accepted.exit == 0, accepted.err);
  CHECK(project.up(database.url()).exit == 0);

  project.migration("2_orders", "CREATE TABLE orders (id bigint);", "DROP TABLE IF EXISTS orders;");
  const Run down = project.kdb(database.url(), {"migrate", "verify"});
  CHECK(down.exit == 0);
  CHECK(has(down.out, "the down section of migration 2 orders was changed"));
}

TEST_CASE("missing, out-of-order and duplicate migrations are exit 5, an older release is not") {
  Shop project;
  const Database database;
  REQUIRE(project.up(database.url()).exit == 0);

  fs::remove(fs::path(project.folder()) / "3_index.sql");
  const Run older = project.up(database.url());
  CHECK(older.exit == 0);
  CHECK(has(older.out, "the database is ahead"));
  CHECK(has(older.out, "3 index"));
  CHECK(project.kdb(database.url(), {"migrate", "up", "--strict"}).exit == 5);

  project.migration("4_more", "SELECT 1;");
  const Run missing = project.up(database.url());
  CHECK(missing.exit == 5);
  CHECK(has(missing.err, "migration 3 index was applied, but"));
  CHECK(project.kdb(database.url(), {"migrate", "repair", "3", "--forget"}).exit == 0);
  CHECK(project.up(database.url()).exit == 0);

  project.migration("2.5_late", "CREATE TABLE late (n int);");
  fs::rename(fs::path(project.folder()) / "2.5_late.sql", fs::path(project.folder()) / "3_late.sql");
  const Run late = project.up(database.url());
  CHECK(late.exit == 5);
  CHECK(has(late.err, "3_late.sql: migration 3 late is out of order"));
  CHECK(project.kdb(database.url(), {"migrate", "up", "--allow-out-of-order"}).exit == 0);
  CHECK(database.text("SELECT to_regclass('late') IS NOT NULL") == "t");

  project.migration("004_twin", "SELECT 1;");
  const Run twins = project.up(database.url());
  CHECK(twins.exit == 5);
  CHECK(has(twins.err, "4_more.sql"));
  CHECK(has(twins.err, "004_twin.sql"));
}

TEST_CASE("malformed input is refused with its place, and nothing is applied") {
  struct Case {
    const char* file;
    std::string text;
    const char* place;
  };
  const std::string up = "-- migrate:up\n";
  const Case cases[] = {
      {"2_quote.sql", up + "SELECT 'open;\n", "2_quote.sql:2:8: "},
      {"2_dollar.sql", up + "DO $x$ BEGIN END;\n", "2_dollar.sql:2:4: "},
      {"2_empty.sql", "", "2_empty.sql"},
      {"2_nul.sql", up + "SELECT 1;" + std::string(1, '\0') + "\n", "2_nul.sql:2: "},
      {"2_utf8.sql", up + "SELECT '\xff';\n", "2_utf8.sql:2: "},
      {"2_commit.sql", up + "SELECT 1;\nCOMMIT;\nSELECT 2;\n", "2_commit.sql:3:1: "},
      {"2_rollback.sql", up + "SELECT 1;\n  ROLLBACK;\n", "2_rollback.sql:3:3: "},
      {"2_psql.sql", up + "\\i other.sql\n", "2_psql.sql:2:1: "},
      {"2_copy.sql", up + "COPY a FROM stdin;\n1\n\\.\n", "2_copy.sql:2:1: "},
      {"2_option.sql", "-- migrate:up transaktion:false\nSELECT 1;\n", "2_option.sql:1:"},
      {"x_name.sql", up + "SELECT 1;\n", "x_name.sql"},
  };
  for (const Case& row : cases) {
    CAPTURE(std::string(row.file));
    Project project;
    project.migration("1_good", "CREATE TABLE good (n int);");
    project.file(row.file, row.text);
    const Database database;
    const Run refused = project.up(database.url());
    CHECK(refused.exit == 64);
    CHECK_MESSAGE(has(refused.err, row.place), refused.err);
    CHECK(database.text("SELECT to_regclass('good') IS NULL AND to_regnamespace('kdb') IS NULL") == "t");
  }
}

TEST_CASE("a failed statement is named with its place; the rest of its file is not applied") {
  Project project;
  project.migration("1_good", "CREATE TABLE good (n int);");
  project.migration("2_bad", "CREATE TABLE half (n int);\n\nINSERT INTO good\n  VALUES (nothing);");
  const Database database;
  const Run failed = project.kdb(database.url(), {"migrate", "up", "--format", "json"});
  CHECK(failed.exit == 1);
  CHECK(has(failed.err, "2_bad.sql:5:11: migration 2 bad failed: column \"nothing\" does not exist (42703)"));
  CHECK(json_at(failed.out, "/exit") == "1");
  CHECK(json_at(failed.out, "/errors/0/line") == "5");
  CHECK(database.text("SELECT to_regclass('half') IS NULL AND to_regclass('good') IS NOT NULL") == "t");
  CHECK(database.text("SELECT outcome FROM kdb.runs") == "failed");
}

TEST_CASE("the wrong database is refused") {
  const Shop project;
  const Database database;
  TempDir profile;
  const std::string path = profile.write("p.toml", "[database]\nexpect = { name = \"production\" }\n");
  const Run refused = project.kdb(database.url(), {"migrate", "up", "-p", path});
  CHECK(refused.exit == 3);
  CHECK(has(refused.err, "the profile expects production"));
}

TEST_CASE("repeatable migrations run again when they change") {
  Project project;
  project.file("V1__table.sql", "CREATE TABLE a (n int);");
  project.file("R__view.sql", "CREATE OR REPLACE VIEW v AS SELECT 1 AS x;");
  const Database database;
  REQUIRE(project.up(database.url()).exit == 0);
  CHECK(has(project.up(database.url()).out, "nothing to do"));
  project.file("R__view.sql", "CREATE OR REPLACE VIEW v AS SELECT 2 AS x;");
  CHECK(project.up(database.url()).exit == 0);
  CHECK(database.text("SELECT x FROM v") == "2");
}

TEST_CASE("a baseline declares what was there before") {
  const Shop project;
  const Database database;
  database.exec("CREATE TABLE customers (id int); CREATE TABLE orders (id int)");
  CHECK(project.kdb(database.url(), {"migrate", "baseline", "2"}).exit == 0);
  CHECK(has(project.kdb(database.url(), {"migrate", "baseline", "2"}).out, "nothing to do"));
  CHECK(project.kdb(database.url(), {"migrate", "baseline", "3"}).exit == 3);
  const Run up = project.up(database.url());
  CHECK_MESSAGE(up.exit == 0, up.err);
  CHECK(has(up.err, "applied 3 index"));
  CHECK(has(project.kdb(database.url(), {"migrate", "status"}).out, "1 applied, 2 baseline"));
}

TEST_CASE("another tool's history is taken over, and nothing runs again") {
  const Shop project;
  {
    const Database database;
    database.exec(
        "CREATE TABLE orders (id int); CREATE TABLE schema_migrations (version varchar PRIMARY KEY); "
        "INSERT INTO schema_migrations VALUES ('1'), ('2')");
    const Run adopted = project.kdb(database.url(), {"migrate", "adopt", "--from", "dbmate"});
    CHECK_MESSAGE(adopted.exit == 0, adopted.err);
    const Run up = project.up(database.url());
    CHECK_MESSAGE(up.exit == 0, up.err);
    CHECK(
        database.text("SELECT string_agg(subject, ',' ORDER BY id) FROM kdb.events WHERE kind = 'applied'") ==
        "1,2,3");
    CHECK(project.kdb(database.url(), {"migrate", "adopt", "--from", "dbmate"}).exit == 3);
  }
  Project goose;
  goose.file("00001_a.sql", "-- +goose Up\nCREATE TABLE a (n int);\n-- +goose Down\nDROP TABLE a;\n");
  goose.file("00002_b.sql", "-- +goose Up\nCREATE TABLE b (n int);\n");
  {
    const Database database;
    database.exec(
        "CREATE TABLE goose_db_version (id serial, version_id bigint, is_applied boolean, tstamp timestamp); "
        "INSERT INTO goose_db_version (version_id, is_applied) VALUES (0, true), (1, true), (2, true), (2, "
        "false)");
    CHECK(goose.kdb(database.url(), {"migrate", "adopt", "--from", "goose"}).exit == 0);
    CHECK(has(goose.kdb(database.url(), {"migrate", "status"}).out, "1 applied, 1 pending"));
  }
  Project pairs;
  pairs.file("1_a.up.sql", "CREATE TABLE a (n int);");
  pairs.file("2_b.up.sql", "CREATE TABLE b (n int);");
  {
    const Database database;
    database.exec(
        "CREATE TABLE schema_migrations (version bigint PRIMARY KEY, dirty boolean); "
        "INSERT INTO schema_migrations VALUES (2, true)");
    const Run dirty = pairs.kdb(database.url(), {"migrate", "adopt", "--from", "golang-migrate"});
    CHECK(dirty.exit == 5);
    CHECK(has(dirty.err, "dirty at version 2"));
    CHECK(pairs.kdb(database.url(), {"migrate", "adopt", "--from", "dbmate"}).exit == 3);
    database.exec("UPDATE schema_migrations SET dirty = false");
    CHECK(pairs.kdb(database.url(), {"migrate", "adopt", "--from", "golang-migrate"}).exit == 0);
    CHECK(has(pairs.up(database.url()).out, "nothing to do: 2 migrations applied"));
  }
}

TEST_CASE("Flyway's checksums are verified, and a changed repeatable migration runs again") {
  Project flyway;
  flyway.file("V1__a.sql", "CREATE TABLE a (n int);\n");
  flyway.file("R__v.sql", "CREATE OR REPLACE VIEW v AS SELECT 2 AS x;\n");
  const Database database;
  const auto row = [](int rank, const std::string& version, const std::string& name, std::int32_t checksum) {
    return "INSERT INTO flyway_schema_history VALUES (" + std::to_string(rank) + ", " + version + ", '" +
           name + "', 'SQL', 'x', " + std::to_string(checksum) + ", 'me', now(), 1, true); ";
  };
  const std::int32_t right = files::flyway_checksum_of("CREATE TABLE a (n int);\n");
  database.exec(
      "CREATE TABLE a (n int); CREATE VIEW v AS SELECT 1 AS x; CREATE TABLE flyway_schema_history "
      "(installed_rank int, version text, description text, type text, script text, checksum int, "
      "installed_by "
      "text, installed_on timestamp, execution_time int, success boolean); " +
      row(1, "'1'", "a", right + 1) + row(2, "NULL", "v", 12345));
  const Run changed = flyway.kdb(database.url(), {"migrate", "adopt", "--from", "flyway"});
  CHECK(changed.exit == 5);
  CHECK(has(changed.err, "V1__a.sql: migration 1 a was changed after Flyway applied it"));
  database.exec("UPDATE flyway_schema_history SET checksum = " + std::to_string(right) +
                " WHERE installed_rank = 1");
  CHECK(flyway.kdb(database.url(), {"migrate", "adopt", "--from", "flyway"}).exit == 0);
  CHECK(flyway.up(database.url()).exit == 0);
  CHECK(database.text("SELECT x FROM v") == "2");
}

TEST_CASE("a dump is the same twice, loads again, and leaves the history out") {
  const Shop project;
  const Database database;
  REQUIRE(project.up(database.url()).exit == 0);
  const Run first = project.kdb(database.url(), {"migrate", "dump"});
  if (first.exit == 1 && has(first.err, "no pg_dump")) return skip("no pg_dump for this server");
  REQUIRE_MESSAGE(first.exit == 0, first.err);
  CHECK(project.kdb(database.url(), {"migrate", "dump"}).out == first.out);
  CHECK(has(first.out, "CREATE TABLE public.customers"));
  CHECK_FALSE(has(first.out, "kdb"));
  CHECK_FALSE(has(first.out, "restrict"));
  const Database copy;
  copy.exec(first.out);
  CHECK(project.kdb(copy.url(), {"migrate", "dump"}).out == first.out);
}

TEST_CASE("a dump rebuilds hypertables") {
  const Database database;
  if (database.text("SELECT count(*) FROM pg_available_extensions WHERE name = 'timescaledb'") == "0")
    return skip("this server has no TimescaleDB");
  if (!has(database.text("SHOW shared_preload_libraries"), "timescaledb"))
    return skip("TimescaleDB is not preloaded");
  Project project;
  project.migration("1_extension", "CREATE EXTENSION IF NOT EXISTS timescaledb;");
  project.migration(
      "2_events",
      "CREATE TABLE events (metric_id text NOT NULL, at timestamptz NOT NULL, value numeric);\n"
      "SELECT create_hypertable('events', 'at', chunk_time_interval => INTERVAL '7 days');\n"
      "SELECT add_dimension('events', 'metric_id', number_partitions => 4);\n"
      "INSERT INTO events SELECT 'm', now() - n * INTERVAL '1 day', n FROM generate_series(1, 30) n;");
  const Run up = project.up(database.url());
  REQUIRE_MESSAGE(up.exit == 0, up.err);
  const Run dumped = project.kdb(database.url(), {"migrate", "dump"});
  if (dumped.exit == 1 && has(dumped.err, "no pg_dump")) return skip("no pg_dump for this server");
  REQUIRE_MESSAGE(dumped.exit == 0, dumped.err);
  CHECK_FALSE(has(dumped.out, "_timescaledb_internal"));
  const Database copy;
  copy.exec(dumped.out);
  CHECK(
      copy.text(
          "SELECT string_agg(column_name || ' ' || coalesce(time_interval::text, num_partitions::text), ', ' "
          "ORDER BY dimension_number) FROM timescaledb_information.dimensions") == "at 7 days, metric_id 4");
  CHECK(project.kdb(copy.url(), {"migrate", "dump"}).out == dumped.out);
}

TEST_CASE("new writes a file that up takes, in the folder's layout") {
  Shop project;
  const Run made = project.kdb("postgresql://nowhere", {"migrate", "new", "add payments"});
  CHECK_MESSAGE(made.exit == 0, made.err);
  const std::string path = made.out.substr(0, made.out.find('\n'));
  CHECK(has(path, "add_payments.sql"));
  CHECK(has(read_file(path), "-- migrate:up"));
  const Database database;
  CHECK(project.up(database.url()).exit == 0);
}

TEST_CASE("an empty folder is a warning, a missing one an error") {
  Project project;
  project.migration("1_a", "SELECT 1;");
  fs::remove(fs::path(project.folder()) / "1_a.sql");
  const Database database;
  const Run empty = project.up(database.url());
  CHECK(empty.exit == 0);
  CHECK(has(empty.out + empty.err, "no migrations"));
  fs::remove(project.folder());
  CHECK(project.up(database.url()).exit == 64);
}

}  // namespace kdb::test::migrate_test
