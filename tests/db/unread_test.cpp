// A deploy outlives whoever reads what it says.
#include <string>

#include "db/gate.hpp"

namespace kdb::test::unread_test {

namespace {

/// kdb's command line as a shell's, with what follows it.
Run piped(const Project& project, const std::string& url, const std::string& rest) {
  std::string script = "set -o pipefail; ";
  for (const std::string& word : project.command(url, {"migrate", "up"})) script += "'" + word + "' ";
  return run({"bash", "-c", script + rest});
}

}  // namespace

TEST_CASE("a reader that goes away after one line stops nothing") {
  Project project;
  for (int version = 101; version <= 160; ++version)
    project.migration(std::to_string(version) + "_a", "SELECT 1;");
  for (const char* rest : {"2>&1 | head -1", "2>&1 >/dev/null | true", "| true"}) {
    CAPTURE(rest);
    const Database database;
    const Run result = piped(project, database.url(), rest);
    CHECK_MESSAGE(result.exit == 0, result.err);
    CHECK(database.text("SELECT count(*) FROM kdb.migrations WHERE state = 'applied'") == "60");
    CHECK(database.text("SELECT outcome FROM kdb.runs") == "done");
  }
}

TEST_CASE("a migration that fails is recorded as failed where nobody can be told") {
  Project project;
  project.migration("1_good", "CREATE TABLE a (n int);");
  project.migration("2_bad", "SELECT 1 / 0;");
  for (const char* rest : {"2>/dev/full", "2>&-", ">&- 2>&-", "<&- >&- 2>&-"}) {
    CAPTURE(rest);
    const Database database;
    CHECK(piped(project, database.url(), rest).exit == 1);
    CHECK(database.text("SELECT string_agg(key || state, ',') FROM kdb.migrations") == "1applied");
    CHECK(database.text("SELECT outcome FROM kdb.runs") == "failed");
  }
}

}  // namespace kdb::test::unread_test
