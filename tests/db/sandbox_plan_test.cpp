// `kdb plan --sandbox`: the folder is replayed on a server of its own, by a role that may do nothing else.
#include <filesystem>
#include <fstream>

#include "db/project.hpp"
#include "support/skip.hpp"
#include "support/text.hpp"

namespace kdb::test::sandbox_plan_test {

namespace {

std::string contents(const std::filesystem::path& path) {
  std::ifstream in(path);
  return {std::istreambuf_iterator<char>(in), {}};
}

/// A repository: migrations and a profile, and no database.
struct Repository {
  Project project;
  TempDir folder;
  std::string profile = folder.write("p.toml", "").string();

  Run plan(const std::vector<std::string>& words = {},
           std::map<std::string, std::string> variables = {}) const {
    std::vector<std::string> command = {KDB_BINARY,       "plan", "--sandbox", "--migrations",
                                        project.folder(), "-p",   profile};
    if (const char* programs = std::getenv("KDB_SANDBOX_PG_BIN"))
      command.insert(command.end(), {"--pg-bin", programs});
    command.insert(command.end(), words.begin(), words.end());
    return run(command, variables);
  }
  std::string path(const std::string& name) const { return folder.path() / name; }
};

constexpr const char* two_indexes =
    "[indexes.orders_kind]\ntable = \"orders\"\ncolumns = [\"kind\"]\n"
    "[indexes.orders_value]\ntable = \"orders\"\ncolumns = [\"value\"]\nwhere = \"value > 5\"\n";

/// What a stranger's migration may try; each must be refused for want of rights. The last words of the row.
constexpr const char* attempts[] = {
    "COPY (SELECT 1) TO PROGRAM ''touch TOUCHED''",
    "COPY orders FROM PROGRAM ''echo 1''",
    "COPY orders FROM ''/etc/passwd''",
    "COPY orders TO ''TOUCHED''",
    "SELECT pg_read_file(''/etc/passwd'')",
    "SELECT pg_ls_dir(''/'')",
    "SELECT pg_stat_file(''/etc/passwd'')",
    "SELECT lo_import(''/etc/passwd'')",
    "SELECT lo_export(lo_create(0), ''TOUCHED'')",
    "CREATE EXTENSION dblink",
    "CREATE EXTENSION postgres_fdw",
    "CREATE EXTENSION file_fdw",
    "CREATE EXTENSION adminpack",
    "CREATE FUNCTION f() RETURNS int LANGUAGE c AS ''libc.so.6'', ''getpid''",
    "CREATE FUNCTION f(int) RETURNS int LANGUAGE internal AS ''int4abs''",
    "CREATE TRUSTED LANGUAGE mine HANDLER plpgsql_call_handler",
    "LOAD ''/tmp/evil.so''",
    "SET SESSION AUTHORIZATION postgres",
    "SET ROLE postgres",
    "SET ROLE pg_execute_server_program",
    "GRANT pg_execute_server_program TO current_user",
    "GRANT postgres TO current_user",
    "ALTER ROLE current_user SUPERUSER",
    "CREATE ROLE other",
    "CREATE ROLE other SUPERUSER",
    "ALTER ROLE postgres PASSWORD ''x''",
    "SELECT rolpassword FROM pg_authid",
    "SET session_preload_libraries = ''x''",
    "ALTER ROLE current_user SET session_preload_libraries = ''x''",
    "CREATE EVENT TRIGGER t ON ddl_command_start EXECUTE FUNCTION suppress_redundant_updates_trigger()",
    "CREATE TABLESPACE t LOCATION ''/tmp''",
    "CREATE SUBSCRIPTION s CONNECTION ''host=127.0.0.1'' PUBLICATION p WITH (connect = false)",
    "CREATE SERVER s FOREIGN DATA WRAPPER dblink_fdw",
    "ALTER DATABASE postgres SET work_mem = ''1MB''",
    "SELECT pg_reload_conf()",
    "SELECT current_setting(''data_directory'')",
};

std::string attempts_sql(const std::string& touched) {
  std::string sql = "CREATE TABLE orders (line text);\n";
  for (std::string attempt : attempts) {
    for (size_t at = attempt.find("TOUCHED"); at != std::string::npos; at = attempt.find("TOUCHED"))
      attempt.replace(at, 7, touched);
    sql += fmt::format(
        "DO $$ BEGIN EXECUTE '{0}'; RAISE WARNING 'DONE {0}';\n"
        "EXCEPTION WHEN OTHERS THEN RAISE WARNING 'kept out %: {0}', SQLSTATE; END $$;\n",
        attempt);
  }
  return sql;
}

}  // namespace

TEST_CASE("a plan needs no database: the folder is replayed, then the profile is planned") {
  Repository it;
  it.project.migration("1_orders", "CREATE TABLE orders (id int PRIMARY KEY, kind text, value int);");
  it.project.migration("2_kind", "CREATE INDEX CONCURRENTLY orders_kind ON orders (kind);");
  it.folder.write("p.toml", std::string("[database]\nurl = \"${NOT_SET}\"\nexpect = { name = \"shop\", "
                                        "system_identifier = 7 }\n") +
                                two_indexes);
  // None of these may lead it elsewhere.
  const std::map<std::string, std::string> variables = {{"DATABASE_URL", "postgresql://nobody@192.0.2.1/"},
                                                        {"PGHOSTADDR", "192.0.2.1"},
                                                        {"PGSERVICE", "elsewhere"},
                                                        {"PGOPTIONS", "-c search_path=nowhere"},
                                                        {"PGUSER", "nobody"}};
  const Run planned = it.plan(
      {"--exit-code", "-o", it.path("plan.json"), "-o", it.path("plan.md"), "-o", it.path("plan.sql")},
      variables);
  CHECK_MESSAGE(planned.exit == 2, planned.err);
  CHECK_MESSAGE(has(planned.out, "a sandbox of PostgreSQL "), planned.out);
  CHECK(has(planned.out, " with 2 migrations replayed\n"));
  CHECK(has(planned.out, "create   index orders_value on orders"));
  CHECK_FALSE(has(planned.out, "orders_kind"));
  CHECK(has(planned.out, "1 object to create"));
  CHECK(has(contents(it.path("plan.md")), "a sandbox of PostgreSQL"));
  CHECK(has(contents(it.path("plan.sql")), "CREATE INDEX CONCURRENTLY \"orders_value\""));

  // The same files give the same bytes.
  const Run again = it.plan({"-q", "-o", it.path("again.json")}, variables);
  CHECK_MESSAGE(again.exit == 0, again.err);
  CHECK(contents(it.path("again.json")) == contents(it.path("plan.json")));

  const Database database;
  const Run refused = it.project.kdb(database.url(), {"apply", it.path("plan.json"), "-p", it.profile});
  CHECK(refused.exit == 3);
  CHECK_MESSAGE(has(refused.err, "was made against a sandbox"), refused.err);
  CHECK(has(refused.err, "hint: "));
  CHECK(database.text("SELECT to_regclass('orders') IS NULL") == "t");
}

TEST_CASE("a migration that fails on the sandbox is named with its line") {
  Repository it;
  it.project.migration("1_orders", "CREATE TABLE orders (id int);");
  it.project.migration("2_wrong", "CREATE TABLE more (id int);\nALTER TABLE order ADD x int;");
  const Run planned = it.plan();
  CHECK(planned.exit == 1);
  CHECK_MESSAGE(has(planned.err, "2_wrong.sql:3:"), planned.err);
  CHECK(has(planned.err, "(42601)"));
  CHECK_FALSE(has(planned.out, "nothing to do"));
}

TEST_CASE("a replayed migration reaches no file, no program and nobody's rights") {
  Repository it;
  const std::string touched = it.path("touched");
  SUBCASE("by itself") {
    it.project.migration("1_attempts", attempts_sql(touched));
    it.project.migration("2_system", "ALTER SYSTEM SET work_mem = '1MB';");
    const Run planned = it.plan();
    CHECK(planned.exit == 1);
    CHECK_MESSAGE(has(planned.err, "2_system.sql:2:"), planned.err);
    CHECK(has(planned.err, "(42501)"));
    CHECK(has(planned.err, "hint: the replay has the rights of a database's owner, and no others"));
    CHECK_FALSE(has(planned.err, "DONE "));
    size_t refused = 0;
    for (size_t at = planned.err.find("kept out 42501"); at != std::string::npos;
         at = planned.err.find("kept out 42501", at + 1))
      ++refused;
    // What the server does not have at all is refused for that.
    CHECK_MESSAGE(refused >= std::size(attempts) - 6, planned.err);
    CHECK_FALSE(std::filesystem::exists(touched));
  }
  SUBCASE("but with --trust") {
    it.project.migration(
        "1_attempts",
        "COPY (SELECT 1) TO PROGRAM 'cat >&2';\nCREATE ROLE other;\nSELECT pg_read_file('postmaster.pid');");
    it.project.migration("2_system", "ALTER SYSTEM SET work_mem = '1MB';");
    const Run planned = it.plan({"--trust"});
    CHECK_MESSAGE(planned.exit == 0, planned.err);
  }
}

TEST_CASE("a replayed migration has nothing of the environment") {
  Repository it;
  it.project.file("1_comment.sql",
                  "-- +goose Up\n-- +goose ENVSUB ON\nCOMMENT ON SCHEMA public IS '${KDB_TEST_SECRET}';\n");
  setenv("KDB_TEST_SECRET", "s3cret", 1);
  const Run refused = it.plan();
  const Run trusted = it.plan({"--trust"});
  unsetenv("KDB_TEST_SECRET");
  CHECK(refused.exit == 64);
  CHECK_MESSAGE(has(refused.err, "1_comment.sql:3: variable KDB_TEST_SECRET is not set"), refused.err);
  CHECK(has(refused.err, "reads none of the environment without --trust"));
  CHECK_FALSE(has(refused.out + refused.err, "s3cret"));
  CHECK_MESSAGE(trusted.exit == 0, trusted.err);
}

TEST_CASE("roles are made for the replay, but none that has rights already is lent") {
  Repository it;
  SUBCASE("one of its own, and those that migrations count on") {
    it.project.migration("1_orders",
                         "CREATE TABLE orders (id int); GRANT SELECT ON orders TO reader, \"o'dd\";\n"
                         "CREATE SCHEMA theirs AUTHORIZATION writer;");
    it.project.migration("2_owner",
                         "DO $$ BEGIN ASSERT current_user = 'deploy'; ASSERT (SELECT relowner::regrole::text "
                         "FROM pg_class WHERE oid = 'orders'::regclass) = 'deploy'; END $$;");
    it.folder.write("p.toml", "[database]\nrole = \"deploy\"\n");
    const Run planned = it.plan();
    CHECK_MESSAGE(planned.exit == 0, planned.err);
    CHECK(has(planned.out, "role writer"));
    CHECK(has(planned.err, "role \"writer\" is made for the sandbox, without any rights"));
    CHECK(has(planned.out, "with 2 migrations replayed"));
  }
  SUBCASE("those whose settings the profile declares, and that a migration makes where they are missing") {
    it.project.migration("1_orders",
                         "CREATE TABLE orders (id int);\n"
                         "DO $$ BEGIN IF NOT EXISTS (SELECT FROM pg_roles WHERE rolname = 'dashboard') THEN "
                         "CREATE ROLE dashboard; END IF; END $$;\nGRANT SELECT ON orders TO dashboard;");
    it.folder.write("p.toml", "[roles.dashboard]\nsettings.statement_timeout = \"30s\"\n");
    const Run planned = it.plan();
    CHECK_MESSAGE(planned.exit == 0, planned.err);
    CHECK(has(planned.out, "role dashboard"));
    CHECK(has(planned.out, "ALTER ROLE \"dashboard\" SET \"statement_timeout\" TO '30s'"));
    CHECK(it.plan({"--trust"}).exit == 0);
  }
  SUBCASE("the superuser") {
    it.project.migration("1_orders", "CREATE TABLE orders (id int);");
    it.folder.write("p.toml", "[database]\nrole = \"postgres\"\n");
    const Run planned = it.plan();
    CHECK(planned.exit == 3);
    CHECK_MESSAGE(has(planned.err, "role \"postgres\""), planned.err);
  }
}

TEST_CASE("extensions that need a superuser are made before the replay, if they give no access") {
  Repository it;
  it.project.migration("1_orders",
                       "CREATE SCHEMA taken; CREATE EXTENSION IF NOT EXISTS hstore SCHEMA taken;\n"
                       "CREATE EXTENSION IF NOT EXISTS amcheck SCHEMA taken;\n"
                       "CREATE EXTENSION IF NOT EXISTS bloom WITH SCHEMA more;\n"
                       "CREATE TABLE orders (id int); CREATE INDEX ON orders USING bloom (id);");
  it.folder.write("p.toml", "[extensions.dblink]\n[extensions.pg_trgm]\n");
  const Run planned = it.plan({"--exit-code"});
  if (has(planned.err, "is not available")) return skip("the server has no contrib extensions");
  CHECK_MESSAGE(planned.exit == 2, planned.err);
  CHECK_MESSAGE(has(planned.out, "beforehand"), planned.out);
  CHECK(has(planned.out, "extension bloom"));
  CHECK(has(planned.out, "extension pg_trgm"));
  CHECK(has(planned.out, "create   extension dblink"));
}

TEST_CASE("hypertables are planned where the profile declares TimescaleDB") {
  if (Session(server_url()).text("SHOW shared_preload_libraries").find("timescaledb") == std::string::npos)
    return skip("the server does not preload TimescaleDB");
  Repository it;
  it.project.migration("1_events", "CREATE TABLE events (at timestamptz NOT NULL);");
  it.folder.write("p.toml",
                  "[extensions.timescaledb]\nschema = \"ts\"\n"
                  "[hypertables.events]\ntime_column = \"at\"\nchunk_interval = \"7 days\"\n");
  const Run planned = it.plan();
  CHECK_MESSAGE(planned.exit == 0, planned.err);
  CHECK_MESSAGE(has(planned.out, "\"ts\".create_hypertable"), planned.out);
}

TEST_CASE("--trust and --pg-bin belong to --sandbox") {
  const Repository it;
  CHECK(it.project.kdb(server_url(), {"plan", "--trust"}).exit == 64);
  const Run nowhere = run({KDB_BINARY, "plan", "--sandbox", "--pg-bin", "/nowhere", "-p", it.profile});
  CHECK(nowhere.exit == 64);
  CHECK_MESSAGE(has(nowhere.err, "/nowhere"), nowhere.err);
}

}  // namespace kdb::test::sandbox_plan_test
