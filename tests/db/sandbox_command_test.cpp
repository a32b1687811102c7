// COMMAND: what it is given, and what kdb makes of its end.
#include <filesystem>
#include <memory>
#include <string>
#include <vector>

#include <doctest/doctest.h>
#include <pwd.h>
#include <signal.h>
#include <unistd.h>

#include "support/place.hpp"
#include "support/process.hpp"
#include "support/skip.hpp"
#include "support/temp_dir.hpp"

namespace kdb::test::sandbox_command_test {

namespace fs = std::filesystem;

namespace {

const std::string kdb_binary = KDB_BINARY;

bool is_root() { return geteuid() == 0; }

}  // namespace

TEST_CASE("COMMAND's exit status is kdb's") {
  struct Row {
    const char* script;
    int exit;
  };
  for (const Row& row : {Row{"exit 0", 0}, Row{"exit 7", 7}, Row{"kill -TERM $$", 143},
                         Row{"kill -KILL $$", 137}, Row{"kill -PIPE $$", 141}}) {
    CAPTURE(row.script);
    const Place place;
    const Run result = run({kdb_binary, "sandbox", "--", "sh", "-c", row.script}, place.environment);
    CHECK(result.exit == row.exit);
    CHECK(result.err == "");
    CHECK(place.is_clean());
  }
}

TEST_CASE("COMMAND finds the sandbox in its environment, and nothing that leads elsewhere") {
  Place place;
  place.environment["KDB_DATABASE_URL"] = "postgresql://production/";
  place.environment["DATABASE_URL"] = "postgresql://production/";
  place.environment["PGSERVICE"] = "production";
  place.environment["PGHOSTADDR"] = "192.0.2.1";
  place.environment["PGPASSWORD"] = "secret";
  place.environment["PGDATA"] = "/production";
  place.environment["OTHER"] = "kept";
  const Run result = run({kdb_binary, "sandbox", "--", "env"}, place.environment);
  const auto value = [&](const std::string& name) {
    const std::string text = "\n" + result.out;
    const std::size_t begin = text.find("\n" + name + "=");
    if (begin == std::string::npos) return std::string("(unset)");
    const std::size_t start = begin + name.size() + 2;
    return text.substr(start, text.find('\n', start) - start);
  };
  const std::string folder = value("KDB_SANDBOX_FOLDER");
  CHECK(folder.starts_with(place.folder.path().string() + "/kdb-sandbox-"));
  CHECK(value("DATABASE_URL") ==
        "postgresql://postgres@/postgres?host=" + folder + "&port=" + value("PGPORT"));
  CHECK(value("KDB_DATABASE_URL") == value("DATABASE_URL"));
  CHECK(contains(value("KDB_SANDBOX_TCP_URL"), "@127.0.0.1:" + value("PGPORT") + "/postgres"));
  CHECK(fs::exists(value("KDB_SANDBOX_PG_BIN") + "/initdb"));
  CHECK(value("PGHOST") == folder);
  CHECK(value("PGUSER") == "postgres");
  CHECK(value("PGDATABASE") == "postgres");
  CHECK(value("OTHER") == "kept");
  for (const char* name : {"PGSERVICE", "PGHOSTADDR", "PGPASSWORD", "PGDATA"}) {
    CAPTURE(name);
    CHECK(value(name) == "(unset)");
  }
}

TEST_CASE("COMMAND inherits stdin, stdout and stderr") {
  const Place place;
  const Run result =
      run({kdb_binary, "sandbox", "--", "sh", "-c", "cat; echo aside >&2"}, place.environment, "in\n");
  CHECK(result.out == "in\n");
  CHECK(result.err == "aside\n");
}

TEST_CASE("an ordinary user has sandboxes too") {
  if (!is_root() || getpwnam("nobody") == nullptr) {
    kdb::test::skip("needs root, to become somebody else");
    return;
  }
  Place place;
  place.environment["KDB_SANDBOX_CACHE"] = "";  // which is ours
  fs::permissions(place.folder.path(), fs::perms(01777));
  const Run result = run({"setpriv", "--reuid=nobody", "--regid=65534", "--clear-groups", kdb_binary,
                          "sandbox", "--", "sh", "-c", "stat -c %U \"$PGHOST\" \"$PGHOST\"/data"},
                         place.environment);
  CHECK(result.out == "nobody\nnobody\n");
  CHECK(result.err == "");
  CHECK(place.is_clean());
}

TEST_CASE("sandboxes do not disturb each other") {
  const Place place;
  std::vector<std::unique_ptr<Child>> all;
  for (int i = 0; i < 6; ++i)
    all.push_back(
        std::make_unique<Child>(std::vector<std::string>{kdb_binary, "sandbox", "--", "sh", "-c",
                                                         "echo up; read line; test -d \"$PGHOST\"/data"},
                                place.environment, Child::Input::pipe));
  for (auto& kdb : all) kdb->read_until("up");
  CHECK(place.sandboxes().size() == all.size());
  for (auto& kdb : all) {
    kdb->close_input();
    CHECK(kdb->wait().exit == 0);
  }
  CHECK(place.is_clean());
}

TEST_CASE("neither supervisor nor server holds the files that kdb was started with") {
  const Place place;
  Child kdb({"sh", "-c", "exec 9>\"$TMPDIR\"/held; exec " + kdb_binary + " sandbox"}, place.environment);
  kdb.read_until("\n");
  const fs::path folder = place.sandboxes().at(0);
  const pid_t server =
      static_cast<pid_t>(std::atoi(kdb::test::read_file(folder / "data/postmaster.pid").c_str()));
  for (const pid_t pid : {server, parent_of(server)})
    for (const auto& entry : fs::directory_iterator("/proc/" + std::to_string(pid) + "/fd"))
      CHECK(fs::read_symlink(entry).filename() != "held");
  kdb.kill(SIGTERM);
  CHECK(kdb.wait().exit == 143);
}

TEST_CASE("a COMMAND that does not exist is refused before anything starts") {
  const Place place;
  const Run result = run({kdb_binary, "sandbox", "--", "no-such-program"}, place.environment);
  CHECK(result.exit == 64);
  CHECK(contains(result.err, "no program \"no-such-program\""));
  place.folder.write("script", "not a program");
  fs::permissions(place.folder.path() / "script", fs::perms(0755));
  const Run broken =
      run({kdb_binary, "sandbox", "--", (place.folder.path() / "script").string()}, place.environment);
  CHECK(broken.exit == 1);
  CHECK(contains(broken.err, "cannot run"));
  CHECK(place.is_clean());
}

TEST_CASE("what kdb was started to ignore it ignores") {
  const Place place;
  Child kdb({"sh", "-c", "trap '' HUP INT; exec " + kdb_binary + " sandbox"}, place.environment);
  kdb.read_until("\n");
  kdb.kill(SIGHUP);
  kdb.kill(SIGINT);
  CHECK_THROWS(kdb.wait(std::chrono::milliseconds(200)));
  kdb.kill(SIGTERM);
  CHECK(kdb.wait().exit == 143);
}

TEST_CASE("a COMMAND that handles the signal has time to end well") {
  const Place place;
  Child kdb({kdb_binary, "sandbox", "--", "sh", "-c",
             "trap 'psql -Atc \"SELECT 40 + 2\"; exit 0' INT; trap 'echo hurried' TERM; echo up; "
             "while :; do sleep 0.05; done"},
            place.environment);
  kdb.read_until("up\n");
  kdb.kill(SIGINT);
  const Run result = kdb.wait();
  CHECK(result.exit == 130);
  CHECK(result.out == "up\n42\n");
}

TEST_CASE("kdb starts a sandbox with its standard files closed") {
  const Place place;
  const Run result =
      run({"sh", "-c", "exec <&- >&-; " + kdb_binary + " sandbox -- sh -c 'psql -c \"SELECT 1\" >&2'"},
          place.environment);
  CHECK(result.exit == 0);
  CHECK(contains(result.err, "1 row"));
  CHECK(place.is_clean());
}

}  // namespace kdb::test::sandbox_command_test
