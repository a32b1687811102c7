// Standard streams that are full, closed or that nobody reads: exit codes stay what the contract says.
#include <string>

#include <doctest/doctest.h>

#include "support/process.hpp"
#include "support/temp_dir.hpp"

namespace kdb::streams_test {

using kdb::test::Run;
using kdb::test::TempDir;

namespace {

/// `$kdb` in a script is the program; its exit code is that of the script.
Run shell(const std::string& script) {
  return kdb::test::run({"bash", "-c", script}, {{"kdb", KDB_BINARY}, {"NO_COLOR", "1"}});
}

}  // namespace

TEST_CASE("an error that cannot be written keeps its exit code") {
  for (const char* redirection : {"2>/dev/full", "2>&-", ">&- 2>&-", "<&- >&- 2>&-", "2> >(exec true)"}) {
    CAPTURE(redirection);
    CHECK(shell(std::string("$kdb migrat ") + redirection).exit == 64);
    CHECK(shell(std::string("$kdb ") + redirection).exit == 64);
    CHECK(shell(std::string("$kdb migrate status -p nowhere ") + redirection).exit == 64);
    CHECK(shell(std::string("$kdb migrate status -p nowhere --log-format json ") + redirection).exit == 64);
  }
  CHECK(shell("$kdb migrate status -p nowhere --format json >/dev/full").exit == 64);
}

TEST_CASE("a result that cannot be written is an error, unless its reader has gone away") {
  for (const char* command : {"--version", "--help", "completion bash"}) {
    CAPTURE(command);
    const Run full = shell(std::string("$kdb ") + command + " >/dev/full");
    CHECK(full.exit == 1);
    CHECK(full.err == "kdb: error: stdout cannot be written to: No space left on device\n");
    CHECK(shell(std::string("$kdb ") + command + " >&-").exit == 1);
    const Run unread = shell(std::string("set -o pipefail; $kdb ") + command + " | true");
    CHECK(unread.exit == 0);
    CHECK(unread.err.empty());
  }
}

TEST_CASE("a line of the json log has the hint as a key of its own") {
  const Run run = shell("$kdb migrate status -p 'no\xff\"where' --log-format json");
  CHECK(run.err.starts_with("{\"time\":\""));
  CHECK(run.err.find(
            R"(","level":"error","message":"profile \"profiles/no�\"where.toml\" not found","hint":")") !=
        std::string::npos);
  CHECK(run.err.ends_with("\"}\n"));
}

TEST_CASE("nothing that kdb opens takes the place of a closed stream") {
  const TempDir folder;
  const std::string project =
      "cd " + folder.path().string() + " && mkdir m && echo 'SELECT 1' >m/1_a.sql && ";
  CHECK(shell(project + "$kdb migrate new b --migrations m <&- >&- 2>&-").exit == 1);
  CHECK(shell("cat " + (folder.path() / "m/1_a.sql").string()).out == "SELECT 1\n");
}

}  // namespace kdb::streams_test
