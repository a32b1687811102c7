// `kdb apply` at a terminal: what was shown is what runs.
#include <filesystem>

#include "db/project.hpp"
#include "support/place.hpp"
#include "support/text.hpp"
#include "support/typist.hpp"

namespace kdb::test::apply_terminal_test {

namespace {

/// kdb has shown the plan of two migrations and waits for the answer.
struct Asked {
  Database database;
  Project project;
  Place place;
  Typist shell{place.environment};

  Asked() {
    project.file("1_a/up.sql", "CREATE TABLE a (n int);");
    project.file("2_b/up.sql", "CREATE TABLE b (n int);");
    std::string line;
    for (const std::string& word : project.command(database.url(), {"apply"})) line += "'" + word + "' ";
    shell.type(line + "; echo exit=$?\n");
    shell.expect("apply this? [y/N]");
  }
  std::string tables() const {
    return database.text(
        "SELECT coalesce(string_agg(relname, ' ' ORDER BY relname), '') FROM pg_class WHERE relkind = 'r' "
        "AND "
        "relnamespace = 'public'::regnamespace");
  }
};

}  // namespace

TEST_CASE("a yes runs what was shown") {
  Asked it;
  it.shell.type("y\n");
  it.shell.expect("exit=0");
  CHECK(it.tables() == "a b");
}

TEST_CASE("a folder that changes before the answer is refused, and nothing of it runs") {
  Asked it;
  const char* message = "";
  SUBCASE("another statement") {
    it.project.file("2_b/up.sql", "DROP TABLE a;");
    message = "2_b/up.sql: migration 2 b is not what was shown";
  }
  SUBCASE("another transaction") {
    it.project.file("2_b/metadata.toml", "run_in_transaction = false\n");
    message = "2_b/up.sql: migration 2 b is not what was shown";
  }
  SUBCASE("one more") {
    it.project.file("3_c/up.sql", "CREATE TABLE c (n int);");
    message = "3_c/up.sql: migration 3 c is not what was shown";
  }
  SUBCASE("one less") {
    std::filesystem::remove_all(it.project.folder() + "/2_b");
    message = "2_b/up.sql: migration 2 b is gone since it was shown";
  }
  SUBCASE("none") {
    std::filesystem::remove_all(it.project.folder() + "/1_a");
    std::filesystem::remove_all(it.project.folder() + "/2_b");
    message = "2_b/up.sql: migration 2 b is gone since it was shown";
  }
  it.shell.type("y\n");
  it.shell.expect(message);
  it.shell.expect("exit=3");
  CHECK(it.tables().empty());
}

TEST_CASE("what another deployer applied before the answer is done, and no reason to refuse") {
  Asked it;
  REQUIRE(it.project.up(it.database.url()).exit == 0);
  it.shell.type("y\n");
  it.shell.expect("exit=0");
  CHECK(it.tables() == "a b");
}

}  // namespace kdb::test::apply_terminal_test
