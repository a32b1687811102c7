// Whatever ends, and however: nothing is left behind.
#include <cstdlib>
#include <filesystem>
#include <string>

#include <doctest/doctest.h>
#include <signal.h>
#include <unistd.h>

#include "support/place.hpp"
#include "support/process.hpp"
#include "support/temp_dir.hpp"

namespace kdb::test::sandbox_ends_test {

namespace fs = std::filesystem;
using std::chrono::milliseconds;
using std::chrono::seconds;

namespace {

const std::string kdb_binary = KDB_BINARY;

bool is_root() { return geteuid() == 0; }

// As a tool inside the sandbox may do: the new server is no child of the supervisor.
std::string restart_server() {
  const std::string as_owner = is_root() ? "setpriv --reuid=postgres --regid=postgres --clear-groups " : "";
  return "cd / && " + as_owner +
         R"("$KDB_SANDBOX_PG_BIN"/pg_ctl -D "$KDB_SANDBOX_FOLDER"/data -w -l /dev/null restart >/dev/null)";
}

}  // namespace

TEST_CASE("nothing is left when a signal ends kdb") {
  struct Row {
    int signal;
    int exit;
  };
  for (const Row& row : {Row{SIGINT, 130}, Row{SIGTERM, 143}, Row{SIGHUP, 129}}) {
    CAPTURE(row.signal);
    Standing standing;
    standing.kdb.kill(row.signal);
    CHECK(standing.kdb.wait().exit == row.exit);
    CHECK(standing.nothing_left());
  }
}

TEST_CASE("nothing is left when kdb is killed") {
  Standing standing;
  standing.kdb.kill(SIGKILL);
  CHECK(standing.kdb.wait().exit == 137);
  CHECK(eventually([&] { return standing.nothing_left(); }));
}

TEST_CASE("nothing is left when kdb is killed at any moment of the start") {
  for (milliseconds moment{0}; moment < milliseconds(900); moment += milliseconds(75)) {
    CAPTURE(moment.count());
    Place place;
    place.environment["KDB_SANDBOX_CACHE"] = "";  // with initdb
    {
      Child kdb({kdb_binary, "sandbox", "--", "sleep", "1000"}, place.environment);
      CHECK_THROWS(kdb.wait(moment));
    }
    CHECK(eventually([&] { return place.is_clean(); }));
  }
}

TEST_CASE("a signal during the start ends kdb at once, with nothing left") {
  for (milliseconds moment{100}; moment < milliseconds(600); moment += milliseconds(100)) {
    CAPTURE(moment.count());
    Place place;
    place.environment["KDB_SANDBOX_CACHE"] = "";  // with initdb
    Child kdb({kdb_binary, "sandbox"}, place.environment);
    CHECK_THROWS(kdb.wait(moment));
    kdb.kill(SIGTERM);
    CHECK(kdb.wait(seconds(5)).exit == 143);
    CHECK(place.is_clean());
  }
}

TEST_CASE("a signal ends a start that hangs") {
  Place place;
  for (const char* name : {"initdb", "postgres"})
    fs::permissions(place.folder.write(std::string("bin/") + name, "#!/bin/sh\nexec sleep 1000\n"),
                    fs::perms(0755));
  Child kdb({kdb_binary, "sandbox", "--pg-bin", (place.folder.path() / "bin").string()}, place.environment);
  CHECK(eventually([&] { return !place.sandboxes().empty(); }));
  kdb.kill(SIGINT);
  CHECK(kdb.wait(seconds(10)).exit == 130);
  CHECK(place.is_clean());
}

TEST_CASE("a terminated supervisor clears up, and COMMAND ends with it") {
  Standing standing;
  kill(standing.supervisor, SIGTERM);
  CHECK(standing.kdb.wait().exit == 143);
  CHECK(standing.nothing_left());
}

TEST_CASE("a killed supervisor takes the server with it, and kdb says so") {
  Standing standing;
  kill(standing.supervisor, SIGKILL);
  const Run result = standing.kdb.wait();
  CHECK(result.exit == 1);
  CHECK(contains(result.err, "supervisor ended, and its server with it"));
  CHECK_FALSE(is_alive(standing.command));
  CHECK(eventually([&] { return !is_alive(standing.server); }));
  CHECK(run({kdb_binary, "sandbox", "--", "true"}, standing.place.environment).exit == 0);
  CHECK(standing.nothing_left());
}

TEST_CASE("the next start removes what kdb and its supervisor left when both were killed") {
  Standing standing;
  kill(standing.supervisor, SIGSTOP);  // so that it cannot see the end of kdb
  standing.kdb.kill(SIGKILL);
  kill(standing.supervisor, SIGKILL);
  CHECK(eventually([&] { return !is_alive(standing.server) && !is_alive(standing.command); }));
  CHECK(fs::exists(standing.folder));
  CHECK(run({kdb_binary, "sandbox", "--", "true"}, standing.place.environment).exit == 0);
  CHECK(standing.nothing_left());
}

TEST_CASE("the next start stops a server that has outlived its supervisor") {
  Standing standing(restart_server());
  kill(standing.supervisor, SIGKILL);
  CHECK(standing.kdb.wait().exit == 1);
  CHECK(is_alive(standing.server));
  CHECK(run({kdb_binary, "sandbox", "--", "true"}, standing.place.environment).exit == 0);
  CHECK(standing.nothing_left());
}

TEST_CASE("a COMMAND that ignores SIGTERM is killed") {
  for (const int signal : {SIGTERM, SIGKILL}) {
    CAPTURE(signal);
    Standing standing("trap '' TERM INT HUP", "while :; do sleep 0.1; done");
    standing.kdb.kill(signal);
    CHECK(standing.kdb.wait().exit == 128 + signal);
    CHECK(eventually([&] { return standing.nothing_left(); }));
  }
}

TEST_CASE("what COMMAND leaves in the background ends with it") {
  const Place place;
  const Run result =
      run({kdb_binary, "sandbox", "--", "sh", "-c", "sleep 1000 >/dev/null 2>&1 & echo $!; exit 3"},
          place.environment);
  CHECK(result.exit == 3);
  CHECK_FALSE(is_alive(static_cast<pid_t>(std::atoi(result.out.c_str()))));
  CHECK(place.is_clean());
}

TEST_CASE("a server that COMMAND has started anew is stopped too") {
  const Place place;
  const Run result =
      run({kdb_binary, "sandbox", "--", "sh", "-ec", restart_server() + "; psql -Atc 'SELECT 7'; exit 5"},
          place.environment);
  CAPTURE(result.err);
  CHECK(result.out == "7\n");
  CHECK(result.exit == 5);
  CHECK(place.is_clean());
}

TEST_CASE("without COMMAND it prints its URLs and stays until the end of a pipe on stdin") {
  const Place place;
  Child kdb({kdb_binary, "sandbox"}, place.environment, Child::Input::pipe);
  kdb.read_until("&port=");
  kdb.read_until("\n");
  CHECK(ask(kdb.out().substr(0, kdb.out().find('\n')), "SELECT 1") == "1");
  kdb.write("not the end\n");
  CHECK_THROWS(kdb.wait(milliseconds(100)));
  kdb.close_input();
  const Run result = kdb.wait();
  CHECK(result.exit == 0);
  CHECK(contains(result.out + result.err, "@127.0.0.1:"));
  CHECK(place.is_clean());
}

TEST_CASE("without COMMAND and with no stdin it stays until a signal") {
  const Place place;
  Child kdb({kdb_binary, "sandbox"}, place.environment);
  kdb.read_until("\n");
  CHECK_THROWS(kdb.wait(milliseconds(200)));
  kdb.kill(SIGINT);
  CHECK(kdb.wait().exit == 130);
  CHECK(place.is_clean());
}

TEST_CASE("what belongs to others is not touched") {
  const Place place;
  const std::string prefix = "kdb-sandbox-" + std::to_string(geteuid()) + "-";
  const fs::path file = place.folder.write(prefix + "file", "a file");
  const fs::path kept = place.folder.write("elsewhere/data/kept", "behind a link");
  const fs::path leftover = place.folder.write(prefix + "leftover/data/PG_VERSION", "15");
  fs::create_directory_symlink(place.folder.path() / "elsewhere", place.folder.path() / (prefix + "link"));
  fs::create_directory_symlink(place.folder.path() / "elsewhere", leftover.parent_path() / "link");
  const fs::path foreign = place.folder.write(prefix + "foreign/data/PG_VERSION", "15");
  if (is_root()) REQUIRE(chown((place.folder.path() / (prefix + "foreign")).c_str(), 12345, 12345) == 0);
  CHECK(run({kdb_binary, "sandbox", "--", "true"}, place.environment).exit == 0);
  CHECK(fs::exists(file));
  CHECK(fs::exists(kept));
  CHECK(fs::exists(foreign) == is_root());
  CHECK_FALSE(fs::exists(leftover));
}

}  // namespace kdb::test::sandbox_ends_test
