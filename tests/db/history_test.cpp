#include <filesystem>
#include <string>

#include <doctest/doctest.h>

#include "db/project.hpp"
#include "support/skip.hpp"
#include "support/text.hpp"

namespace kdb::test::history_test {

namespace fs = std::filesystem;

namespace {

/// A project with a profile of its own.
struct Configured : Project {
  std::string profile;
  Run kdb(const std::string& url, std::vector<std::string> words) const {
    words.insert(words.end(), {"-p", profile});
    return Project::kdb(url, words);
  }
};

}  // namespace

TEST_CASE("a dump leaves the history out by its exact name, and nothing else") {
  for (const std::string schema :
       {"kdb", "public", "k*", "Kdb", "My Schema", "q\"s", "a|b", "my.schema", "k?"}) {
    CAPTURE(schema);
    Configured project;
    const TempDir folder;
    std::string quoted = schema;
    if (const size_t quote = quoted.find('"'); quote != std::string::npos) quoted.insert(quote, "\\");
    project.profile = folder.write("p.toml", "[database]\nhistory_schema = \"" + quoted + "\"\n").string();
    project.migration("1_a",
                      "CREATE TABLE public.uu (a int); CREATE SCHEMA kk; CREATE TABLE kk.in_kk (a int);");
    const Database database;
    const Run up = project.kdb(database.url(), {"migrate", "up"});
    REQUIRE_MESSAGE(up.exit == 0, up.err);
    const Run dump = project.kdb(database.url(), {"migrate", "dump"});
    if (dump.exit == 1 && has(dump.err, "no pg_dump")) return skip("no pg_dump for this server");
    REQUIRE_MESSAGE(dump.exit == 0, dump.err);
    CHECK(has(dump.out, "CREATE TABLE public.uu"));
    CHECK(has(dump.out, "CREATE TABLE kk.in_kk"));
    CHECK_FALSE(has(dump.out, "checksum"));
    CHECK_FALSE(has(dump.out, "kdb_version"));
  }
}

TEST_CASE("a schema longer than a name can be is refused before it is cut") {
  Configured project;
  const TempDir folder;
  project.profile =
      folder.write("p.toml", "[database]\nhistory_schema = \"" + std::string(64, 'k') + "\"\n").string();
  project.migration("1_a", "SELECT 1;");
  const Database database;
  const Run up = project.kdb(database.url(), {"migrate", "up"});
  CHECK(up.exit == 64);
  CHECK(has(up.err, "64 bytes, PostgreSQL keeps 63"));
}

TEST_CASE("a role that may not create schemas uses the one that was made for it") {
  Project project;
  project.migration("1_a", "CREATE TABLE kdb.of_lowp (a int);");
  const Database database;
  database.exec("CREATE ROLE lowp_" + database.name() + " LOGIN; CREATE SCHEMA kdb AUTHORIZATION lowp_" +
                database.name());
  std::string url = database.url();
  url.replace(url.find("://") + 3, url.find('@') - url.find("://") - 3, "lowp_" + database.name());
  const Run up = project.up(url);
  CHECK_MESSAGE(up.exit == 0, up.err);
  database.exec("DROP OWNED BY lowp_" + database.name() + " CASCADE; DROP ROLE lowp_" + database.name());
}

TEST_CASE("a user's type named text before pg_catalog in the search_path changes nothing") {
  Project project;
  project.migration("1_a", "CREATE TYPE public.text AS ENUM ('x');");
  const Database database;
  database.exec("ALTER DATABASE " + database.name() + " SET search_path TO public, pg_catalog");
  REQUIRE(project.up(database.url()).exit == 0);
  project.migration("2_b", "CREATE TABLE b (a int);");
  const Run up = project.up(database.url());
  CHECK_MESSAGE(up.exit == 0, up.err);
  const Run status = project.kdb(database.url(), {"migrate", "status", "--exit-code"});
  CHECK_MESSAGE(status.exit == 0, status.err);
}

TEST_CASE("a migration that was interrupted is neither accepted as it is nor stuck without its file") {
  Project project;
  project.migration("1_a", "CREATE TABLE t (a int); CREATE INDEX CONCURRENTLY i ON missing (a);");
  const Database database;
  REQUIRE(project.up(database.url()).exit == 1);
  const Run accepted = project.kdb(database.url(), {"migrate", "repair", "1", "--accept"});
  CHECK(accepted.exit == 3);
  CHECK(has(accepted.err, "migration 1 a was interrupted in its middle"));
  const Run kept = project.kdb(database.url(), {"migrate", "repair", "1", "--forget"});
  CHECK(kept.exit == 3);
  CHECK(has(kept.err, "has its file"));

  fs::remove(fs::path(project.folder()) / "1_a.sql");
  const Run missing = project.up(database.url());
  CHECK(missing.exit == 5);
  CHECK(has(missing.err, "kdb migrate repair 1 --forget"));
  const Run forgotten = project.kdb(database.url(), {"migrate", "repair", "1", "--forget"});
  CHECK_MESSAGE(forgotten.exit == 0, forgotten.err);
  CHECK(has(forgotten.out, "what it did before it was interrupted stays"));
  CHECK(project.up(database.url()).exit == 0);
}

}  // namespace kdb::test::history_test
