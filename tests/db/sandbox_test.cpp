#include "host/sandbox.hpp"

#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <memory>
#include <string>
#include <vector>

#include <doctest/doctest.h>
#include <libpq-fe.h>
#include <pwd.h>
#include <signal.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/error.hpp"
#include "support/process.hpp"
#include "support/temp_dir.hpp"

namespace fs = std::filesystem;
using kdb::test::Child;
using kdb::test::eventually;
using kdb::test::is_alive;
using kdb::test::Run;
using kdb::test::run;
using std::chrono::milliseconds;
using std::chrono::seconds;

namespace {

const std::string kdb_binary = KDB_BINARY;

bool is_root() { return geteuid() == 0; }

// The first value that a query returns, or the server's complaint.
std::string ask(const std::string& url, const std::string& sql) {
  const std::unique_ptr<PGconn, void (*)(PGconn*)> connection(PQconnectdb(url.c_str()), PQfinish);
  if (PQstatus(connection.get()) != CONNECTION_OK) return PQerrorMessage(connection.get());
  const std::unique_ptr<PGresult, void (*)(PGresult*)> result(PQexec(connection.get(), sql.c_str()), PQclear);
  if (PQresultStatus(result.get()) != PGRES_TUPLES_OK) return PQerrorMessage(connection.get());
  return PQgetvalue(result.get(), 0, 0);
}

// A temporary directory of the test's own: sandboxes that others run meanwhile are none of its business.
struct Place {
  kdb::test::TempDir folder;
  kdb::test::Environment environment{{"TMPDIR", folder.path().string()}};

  Place() { fs::permissions(folder.path(), fs::perms(0755)); }

  std::vector<fs::path> sandboxes() const {
    std::vector<fs::path> result;
    for (const auto& entry : fs::directory_iterator(folder.path()))
      if (entry.path().filename().string().starts_with("kdb-sandbox-")) result.push_back(entry.path());
    return result;
  }

  // Whose command line names the place: its servers, and what the tests start.
  std::vector<pid_t> processes() const {
    std::vector<pid_t> result;
    for (const auto& entry : fs::directory_iterator("/proc")) {
      const pid_t pid = static_cast<pid_t>(std::atoi(entry.path().filename().c_str()));
      std::ifstream file(entry.path() / "cmdline", std::ios::binary);
      const std::string text{std::istreambuf_iterator<char>(file), {}};
      if (pid > 0 && text.find(folder.path().string()) != std::string::npos) result.push_back(pid);
    }
    return result;
  }

  bool is_clean() const { return sandboxes().empty() && processes().empty(); }
};

pid_t parent_of(pid_t pid) {
  std::string line = kdb::test::read_file("/proc/" + std::to_string(pid) + "/stat");
  return static_cast<pid_t>(std::atoi(line.substr(line.rfind(") ") + 4).c_str()));
}

// `kdb sandbox` with a COMMAND that prints "up" and stays, and everything that belongs to it.
struct Standing {
  Place place;
  Child kdb;
  fs::path folder;
  pid_t server = 0;
  pid_t supervisor = 0;
  pid_t command = 0;

  // `prepare` runs before "up" is printed.
  explicit Standing(const std::string& prepare = ":", const std::string& stay = "exec sleep 1000")
      : kdb({kdb_binary, "sandbox", "--", "sh", "-c", prepare + "; echo up $$ $KDB_SANDBOX_FOLDER; " + stay},
            place.environment) {
    kdb.read_until(place.folder.path().string());
    kdb.read_until("\n");
    const std::string& line = kdb.out();
    command = static_cast<pid_t>(std::atoi(line.substr(3).c_str()));
    folder = line.substr(line.find('/'), line.find('\n') - line.find('/'));
    server = static_cast<pid_t>(std::atoi(kdb::test::read_file(folder / "data/postmaster.pid").c_str()));
    supervisor = parent_of(server);
  }

  bool nothing_left() const {
    return place.is_clean() && !is_alive(server) && !is_alive(supervisor) && !is_alive(command);
  }
};

kdb::Error error_of(const kdb::host::SandboxOptions& options) {
  try {
    const kdb::host::Sandbox sandbox(options);
  } catch (const kdb::Error& error) {
    return error;
  }
  throw std::runtime_error("it started");
}

bool contains(const std::string& text, const std::string& part) {
  return text.find(part) != std::string::npos;
}

}  // namespace

TEST_CASE("a sandbox answers over its socket and its port, and is gone with its object") {
  auto sandbox = std::make_unique<kdb::host::Sandbox>(kdb::host::SandboxOptions{});
  CHECK(ask(sandbox->url(), "SELECT 41 + 1") == "42");
  CHECK(ask(sandbox->tcp_url(), "SELECT current_user || '@' || host(inet_server_addr())") ==
        "postgres@127.0.0.1");
  const std::string folder = sandbox->folder();
  const pid_t server = sandbox->server_pid();
  CHECK(is_alive(server));
  sandbox.reset();
  CHECK_FALSE(is_alive(server));
  CHECK_FALSE(fs::exists(folder));
}

TEST_CASE("a sandbox is UTF-8, in UTC, and forgets its durability") {
  const kdb::host::Sandbox sandbox(
      {.settings = {{"work_mem", "5MB"}, {"application_name", R"(it's a "\n")"}}});
  CHECK(ask(sandbox.url(), "SHOW server_encoding") == "UTF8");
  CHECK(ask(sandbox.url(), "SHOW TimeZone") == "UTC");
  CHECK(ask(sandbox.url(), "SHOW fsync") == "off");
  CHECK(ask(sandbox.url(), "SHOW max_connections") == "100");
  CHECK(ask(sandbox.url(), "SHOW work_mem") == "5MB");
  CHECK(ask(sandbox.url(), "SELECT reset_val FROM pg_catalog.pg_settings WHERE name = 'application_name'") ==
        R"(it's a "\n")");
}

TEST_CASE("the port asks for the password: others on this machine are not let in") {
  const kdb::host::Sandbox sandbox({});
  std::string url = sandbox.tcp_url();
  const std::size_t begin = url.find("postgres:", 13) + 9;
  url.replace(begin, url.find('@') - begin, "guess");
  CHECK(contains(ask(url, "SELECT 1"), "password authentication failed"));
  struct stat status {};
  REQUIRE(stat(sandbox.folder().c_str(), &status) == 0);
  CHECK((status.st_mode & 0777) == 0700);
}

TEST_CASE("TimescaleDB is preloaded where the server offers it") {
  const kdb::host::Sandbox sandbox({});
  const bool offered = kdb::host::offers_timescaledb(sandbox.pg_bin());
  CHECK(contains(ask(sandbox.url(), "SHOW shared_preload_libraries"), "timescaledb") == offered);
  if (!offered) return;
  CHECK(ask(sandbox.url(), "SHOW timescaledb.telemetry_level") == "off");
  CHECK(contains(ask(sandbox.url(),
                     "CREATE EXTENSION timescaledb; SELECT extname FROM pg_catalog.pg_extension "
                     "WHERE extname = 'timescaledb'"),
                 "timescaledb"));
}

TEST_CASE("COMMAND's exit status is kdb's") {
  struct Row {
    const char* script;
    int exit;
  };
  for (const Row& row :
       {Row{"exit 0", 0}, Row{"exit 7", 7}, Row{"kill -TERM $$", 143}, Row{"kill -KILL $$", 137}}) {
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
    const Place place;
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
    const Place place;
    Child kdb({kdb_binary, "sandbox"}, place.environment);
    CHECK_THROWS(kdb.wait(moment));
    kdb.kill(SIGTERM);
    CHECK(kdb.wait(seconds(5)).exit == 143);
    CHECK(place.is_clean());
  }
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
  Standing standing("trap '' TERM", "while :; do sleep 0.1; done");
  kill(standing.supervisor, SIGSTOP);  // so that it cannot see the end of kdb
  standing.kdb.kill(SIGKILL);
  kill(standing.supervisor, SIGKILL);
  standing.kdb.kill(SIGKILL);
  CHECK(eventually([&] { return !is_alive(standing.server); }));
  CHECK(fs::exists(standing.folder));
  CHECK(run({kdb_binary, "sandbox", "--", "true"}, standing.place.environment).exit == 0);
  CHECK_FALSE(fs::exists(standing.folder));
  kill(-standing.command, SIGKILL);  // it ignored our death as it wished
}

TEST_CASE("the next start stops a server that has outlived its supervisor") {
  Standing standing;
  kill(standing.server, SIGSTOP);  // it cannot hear that its supervisor ended
  kill(standing.supervisor, SIGKILL);
  CHECK(standing.kdb.wait().exit == 1);
  CHECK(is_alive(standing.server));
  kill(standing.server, SIGCONT);
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
  const std::string restart =
      "\"$KDB_SANDBOX_PG_BIN\"/pg_ctl -D \"$KDB_SANDBOX_FOLDER\"/data -w -l /dev/null restart";
  const std::string as_owner = is_root() ? "setpriv --reuid=postgres --regid=postgres --clear-groups " : "";
  const Run result =
      run({kdb_binary, "sandbox", "--", "sh", "-ec",
           "cd /; " + as_owner + restart + " >/dev/null; " + kdb_binary + " --version; exit 5"},
          place.environment);
  CAPTURE(result.err);
  CHECK(result.exit == 5);
  CHECK(place.is_clean());
}

TEST_CASE("without COMMAND it prints its URLs and stays until the end of a pipe on stdin") {
  const Place place;
  Child kdb({kdb_binary, "sandbox"}, place.environment, Child::Input::pipe);
  kdb.read_until("@127.0.0.1:");
  kdb.read_until("/postgres\n");
  CHECK(ask(kdb.out().substr(0, kdb.out().find('\n')), "SELECT 1") == "1");
  kdb.write("not the end\n");
  CHECK_THROWS(kdb.wait(milliseconds(100)));
  kdb.close_input();
  CHECK(kdb.wait().exit == 0);
  CHECK(place.is_clean());
}

TEST_CASE("without COMMAND and with no stdin it stays until a signal") {
  const Place place;
  Child kdb({kdb_binary, "sandbox"}, place.environment);
  kdb.read_until("/postgres\n");
  CHECK_THROWS(kdb.wait(milliseconds(200)));
  kdb.kill(SIGINT);
  CHECK(kdb.wait().exit == 130);
  CHECK(place.is_clean());
}

TEST_CASE("an ordinary user has sandboxes too") {
  if (!is_root() || getpwnam("nobody") == nullptr) {
    MESSAGE("skipped: needs root, to become somebody else");
    return;
  }
  const Place place;
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

TEST_CASE("a folder without a server is a clear error") {
  const Place place;
  const kdb::Error missing = error_of({.pg_bin = "/no/such"});
  CHECK(missing.exit() == kdb::Exit::usage);
  CHECK(missing.what() == std::string("no PostgreSQL server in \"/no/such\": no such folder"));
  const kdb::Error empty = error_of({.pg_bin = place.folder.path()});
  CHECK(contains(empty.what(), "it has no program \"initdb\""));
  CHECK(contains(empty.problems().front().hint, "--pg-bin"));
  const fs::path bin = kdb::host::find_pg_bin("");
  fs::create_directory_symlink(bin, place.folder.path() / "bin");
  CHECK(error_of({.pg_bin = place.folder.path()}).problems().front().hint ==
        "did you mean " + (place.folder.path() / "bin").string() + "?");
}

TEST_CASE("programs that the server's user cannot reach are a clear error") {
  if (!is_root()) {
    MESSAGE("skipped: needs root, for the server to run as somebody else");
    return;
  }
  const kdb::test::TempDir closed;
  fs::create_directory_symlink(kdb::host::find_pg_bin(""), closed.path() / "bin");
  const kdb::Error error = error_of({.pg_bin = closed.path() / "bin"});
  CHECK(contains(error.what(),
                 "cannot run \"" + (closed.path() / "bin/initdb").string() + "\": Permission denied"));
  CHECK(contains(error.problems().front().hint, "kdb runs as root"));
}

TEST_CASE("a server that cannot start shows its log") {
  const kdb::Error error = error_of({.settings = {{"no_such_setting", "1"}}});
  CHECK(error.exit() == kdb::Exit::failed);
  CHECK(contains(error.what(), "the sandbox's server does not start"));
  CHECK(contains(error.what(), "unrecognized configuration parameter \"no_such_setting\""));
}

TEST_CASE("an initdb that fails shows what it said") {
  const Place place;
  const fs::path initdb =
      place.folder.write("bin/initdb", "#!/bin/sh\necho no room on the moon >&2\nexit 1\n");
  const fs::path postgres = place.folder.write("bin/postgres", "#!/bin/sh\n");
  for (const fs::path& program : {initdb, postgres}) fs::permissions(program, fs::perms(0755));
  const kdb::Error error = error_of({.pg_bin = place.folder.path() / "bin"});
  CHECK(contains(error.what(), "initdb\" failed"));
  CHECK(contains(error.what(), "no room on the moon"));
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

TEST_CASE("a TMPDIR that leaves no room for a socket, or that the server cannot enter, is not used") {
  Place place;
  const fs::path far = place.folder.path() / std::string(90, 'x');
  fs::create_directory(far);
  const kdb::test::TempDir closed;
  for (const fs::path& folder : {far, closed.path()}) {
    if (folder == closed.path() && !is_root()) continue;
    place.environment["TMPDIR"] = folder;
    const Run result = run({kdb_binary, "sandbox", "--", "sh", "-c", "echo $PGHOST"}, place.environment);
    CHECK(result.out.starts_with("/tmp/kdb-sandbox-"));
    CHECK_FALSE(fs::exists(result.out.substr(0, result.out.find('\n'))));
  }
}

TEST_CASE("neither supervisor nor server holds the files that kdb was started with") {
  const Place place;
  Child kdb({"sh", "-c", "exec 9>\"$TMPDIR\"/held; exec " + kdb_binary + " sandbox"}, place.environment);
  kdb.read_until("/postgres\n");
  const fs::path folder = place.sandboxes().at(0);
  const pid_t server =
      static_cast<pid_t>(std::atoi(kdb::test::read_file(folder / "data/postmaster.pid").c_str()));
  for (const pid_t pid : {server, parent_of(server)})
    for (const auto& entry : fs::directory_iterator("/proc/" + std::to_string(pid) + "/fd"))
      CHECK(fs::read_symlink(entry).filename() != "held");
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
