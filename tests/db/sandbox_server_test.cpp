// The server of a sandbox, and what is said when there can be none.
#include <filesystem>
#include <fstream>
#include <memory>
#include <stdexcept>
#include <string>
#include <vector>

#include <doctest/doctest.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/error.hpp"
#include "host/sandbox.hpp"
#include "host/server_user.hpp"
#include "support/place.hpp"
#include "support/process.hpp"
#include "support/skip.hpp"
#include "support/temp_dir.hpp"

namespace kdb::test::sandbox_server_test {

namespace fs = std::filesystem;

namespace {

const std::string kdb_binary = KDB_BINARY;

bool is_root() { return geteuid() == 0; }

kdb::Error error_of(const kdb::host::SandboxOptions& options) {
  try {
    const kdb::host::Sandbox sandbox(options);
  } catch (const kdb::Error& error) {
    return error;
  }
  throw std::runtime_error("it started");
}

}  // namespace

TEST_CASE("a sandbox answers over its socket and its port, and is gone with its object") {
  setenv("KDB_TEST_SECRET", "1", 1);
  auto sandbox = std::make_unique<kdb::host::Sandbox>(kdb::host::SandboxOptions{});
  unsetenv("KDB_TEST_SECRET");
  CHECK(ask(sandbox->url(), "SELECT 41 + 1") == "42");
  CHECK(ask(sandbox->tcp_url(), "SELECT current_user || '@' || host(inet_server_addr())") ==
        "postgres@127.0.0.1");
  const std::string folder = sandbox->folder();
  const pid_t server = sandbox->server_pid();
  CHECK(is_alive(server));
  // What a pipeline keeps in its environment is not for code that runs in the server.
  const std::string variables = kdb::test::process_file(server, "environ");
  CHECK(contains(variables, "LC_ALL=C"));
  CHECK_FALSE(contains(variables, "KDB_TEST_SECRET"));
  sandbox.reset();
  CHECK_FALSE(is_alive(server));
  CHECK_FALSE(fs::exists(folder));
}

TEST_CASE("a sandbox serves its own data, whatever its settings say of other places") {
  const kdb::host::Sandbox sandbox({.settings = {{"data_directory", "/somewhere/else"},
                                                 {"hba_file", "/somewhere/else/pg_hba.conf"},
                                                 {"ident_file", "/somewhere/else/pg_ident.conf"}}});
  for (const char* place : {"data_directory", "hba_file", "ident_file"})
    CHECK(ask(sandbox.url(), std::string("SHOW ") + place).starts_with(sandbox.folder() + "/data"));
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
    kdb::test::skip("needs root, for the server to run as somebody else");
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
  CHECK(
      contains(error.problems().front().details, "unrecognized configuration parameter \"no_such_setting\""));
}

TEST_CASE("an initdb that fails shows what it said") {
  const Place place;
  const fs::path initdb =
      place.folder.write("bin/initdb", "#!/bin/sh\necho no room on the moon >&2\nexit 1\n");
  const fs::path postgres = place.folder.write("bin/postgres", "#!/bin/sh\n");
  for (const fs::path& program : {initdb, postgres}) fs::permissions(program, fs::perms(0755));
  const kdb::Error error = error_of({.pg_bin = place.folder.path() / "bin"});
  CHECK(contains(error.what(), "initdb\" failed"));
  CHECK(contains(error.problems().front().details, "no room on the moon"));
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

TEST_CASE("a port that somebody takes before the server does is replaced by another") {
  const Place place;
  const fs::path real = kdb::host::find_pg_bin("");
  fs::create_directory(place.folder.path() / "taken");
  fs::permissions(place.folder.path() / "taken", fs::perms(0777));
  const std::string fail_once = "#!/bin/sh\nif mkdir " + (place.folder.path() / "taken/once").string() +
                                " 2>/dev/null; then echo could not bind IPv4 address; exit 1; fi\nexec " +
                                (real / "postgres").string() + " \"$@\"\n";
  const fs::path postgres = place.folder.write("bin/postgres", fail_once);
  const fs::path initdb =
      place.folder.write("bin/initdb", "#!/bin/sh\nexec " + (real / "initdb").string() + " \"$@\"\n");
  for (const fs::path& program : {initdb, postgres}) fs::permissions(program, fs::perms(0755));
  const kdb::host::Sandbox sandbox({.pg_bin = place.folder.path() / "bin"});
  CHECK(ask(sandbox.tcp_url(), "SELECT 1") == "1");
  CHECK(fs::exists(place.folder.path() / "taken/once"));
}

TEST_CASE("a TMPDIR with odd characters works, in its own way") {
  Place place;
  for (const char* name : {"a b'c%d", "a,b"}) {
    CAPTURE(name);
    const fs::path odd = place.folder.path() / name;
    fs::create_directory(odd);
    place.environment["TMPDIR"] = odd;
    const Run result = run({kdb_binary, "sandbox", "--", "sh", "-c",
                            "psql -Atc 'SELECT 1'; psql \"$DATABASE_URL\" -Atc 'SELECT 2'; exit 6"},
                           place.environment);
    CHECK(result.out == "1\n2\n");
    CHECK(result.exit == 6);
  }
}

TEST_CASE("a supervisor that is none is a clear error") {
  const kdb::Error none = error_of({.supervisor = "/no/such/kdb"});
  CHECK(contains(none.what(), "cannot start the sandbox's supervisor \"/no/such/kdb\": No such file"));
  const kdb::Error other = error_of({.supervisor = "/bin/true"});
  CHECK(contains(other.what(), "supervisor ended before the server was ready"));
}

TEST_CASE("KDB_SANDBOX_CACHE keeps what initdb made, for the next ones") {
  Place place;
  place.environment["KDB_SANDBOX_CACHE"] = place.folder.path() / "cache";
  if (is_root())
    fs::permissions(place.folder.path(), fs::perms(01777));  // the server's user makes the folder
  const auto sandbox = [&](const std::string& command) {
    return run({kdb_binary, "sandbox", "--", "sh", "-c", command}, place.environment);
  };
  // Several at once: one runs initdb, the others wait for it.
  const std::string three = "for i in 1 2 3; do " + kdb_binary + " sandbox -- echo up & done; wait";
  CHECK(run({"sh", "-c", three}, place.environment).out == "up\nup\nup\n");
  std::vector<fs::path> kept;
  for (const auto& entry : fs::directory_iterator(place.folder.path() / "cache"))
    kept.push_back(entry.path());
  REQUIRE(kept.size() == 1);
  CHECK(fs::status(place.folder.path() / "cache").permissions() == fs::perms(0700));
  CHECK(fs::status(kept[0] / "password").permissions() == fs::perms(0600));
  // Seen to be copied by what is put there; the password is the kept one's, and the copy is the sandbox's
  // own.
  std::ofstream(kept[0] / "data" / "mark") << "kept";
  fs::permissions(kept[0] / "data" / "mark", fs::perms(0644));
  const Run second = sandbox(
      "cat \"$PGHOST\"/data/mark && stat -c %a \"$PGHOST\"/data && "
      "psql -Atqc 'select 6 * 7' \"$KDB_SANDBOX_TCP_URL\" && rm \"$PGHOST\"/data/mark");
  CHECK(second.err == "");
  CHECK(second.out == "kept700\n42\n");
  CHECK(fs::exists(kept[0] / "data" / "mark"));
  // What an interrupted one left is no obstacle.
  fs::rename(kept[0], kept[0].string() + ".new");
  CHECK(sandbox("test ! -e \"$PGHOST\"/data/mark").exit == 0);
  CHECK(fs::exists(kept[0]));
  CHECK_FALSE(fs::exists(kept[0].string() + ".new"));
  if (is_root()) {  // who could be led to what is not the server's
    std::ofstream(place.folder.path() / "secret") << "s3cret\n";
    for (const bool link : {true, false}) {
      fs::remove(kept[0] / "password");
      if (link)
        fs::create_symlink(place.folder.path() / "secret", kept[0] / "password");
      else
        fs::copy(place.folder.path() / "secret", kept[0] / "password");
      const Run led = sandbox("echo \"$KDB_SANDBOX_TCP_URL\"");
      CHECK(led.exit == 1);
      CHECK_FALSE(contains(led.out + led.err, "s3cret"));
    }
  }
  CHECK(place.is_clean());
}

TEST_CASE("a KDB_SANDBOX_CACHE that others can read or fill is refused") {
  Place place;
  const fs::path cache = place.folder.path() / "cache";
  place.environment["KDB_SANDBOX_CACHE"] = cache;
  const auto error = [&] {
    const Run result = run({kdb_binary, "sandbox", "--", "true"}, place.environment);
    CHECK(result.exit == 1);
    CHECK(place.is_clean());
    return result.err;
  };
  const auto user = kdb::host::server_user();
  fs::create_directory(cache);
  fs::permissions(cache, fs::perms(0755));
  REQUIRE(chown(cache.c_str(), user.uid, user.gid) == 0);
  CHECK(contains(error(), "has to belong to user \"" + user.name + "\" and be closed to others"));
  if (is_root()) {
    fs::permissions(cache, fs::perms(0700));
    REQUIRE(chown(cache.c_str(), 0, 0) == 0);
    CHECK(contains(error(), "has to belong to user"));
  }
  fs::remove(cache);
  fs::create_directory_symlink(place.folder.path(), cache);
  CHECK(contains(error(), "cannot be used"));
  fs::remove(cache);
  std::ofstream(cache) << "a file";
  CHECK(contains(error(), "cannot be used"));
  place.environment["KDB_SANDBOX_CACHE"] = cache / "below";
  CHECK(contains(error(), "cannot be made"));
}

}  // namespace kdb::test::sandbox_server_test
