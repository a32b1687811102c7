// PgBouncer in between: where the deployers' lock would protect nothing kdb refuses, and changes nothing.

#include <memory>

#include <fmt/format.h>
#include <unistd.h>

#include "db/gate.hpp"
#include "host/server_user.hpp"
#include "support/pg_endpoint.hpp"
#include "support/skip.hpp"
#include "support/text.hpp"

namespace kdb::test::pooler_test {

namespace {

bool has_pgbouncer() {
  try {
    return run({"pgbouncer", "--version"}).exit == 0;
  } catch (const std::exception&) {
    return false;
  }
}

/// A PgBouncer in front of the test's server. As it comes: it refuses startup parameters that it does not
/// know.
class PgBouncer {
 public:
  explicit PgBouncer(const std::string& settings) {
    const Endpoint server(server_url("KDB_SANDBOX_TCP_URL"));
    { const Socket free = listen_on_loopback(port_); }
    const std::string users = folder_.write("users.txt", "\"postgres\" \"\"\n");
    const std::string file = folder_.write(
        "pgbouncer.ini",
        fmt::format(
            "[databases]\n* = host=127.0.0.1 port={} user=postgres password={}\n"
            "[pgbouncer]\nlisten_addr = 127.0.0.1\nlisten_port = {}\nunix_socket_dir =\nauth_type = trust\n"
            "auth_file = {}\n{}\n",
            server.value("port"), server.value("password"), port_, users, settings));
    const host::ServerUser user = host::server_user();  // it refuses to run as root
    for (const std::string& path : {folder_.path().string(), users, file})
      REQUIRE(chown(path.c_str(), user.uid, user.gid) == 0);
    std::vector<std::string> command = {"pgbouncer", file};
    if (user.differs) command.insert(command.begin() + 1, {"-u", user.name});
    program_ = std::make_unique<Child>(command);
    REQUIRE(eventually([&] { return Endpoint(url("postgres")).connect().fd() >= 0; }));
  }

  std::string url(const std::string& database) const {
    return fmt::format("postgresql://postgres@127.0.0.1:{}/{}", port_, database);
  }

 private:
  TempDir folder_;
  int port_ = 0;
  std::unique_ptr<Child> program_;
};

/// Several clients at once: from then on the pool has more than one idle server connection.
void warm_up(const std::string& url, int clients) {
  std::vector<std::unique_ptr<Session>> sessions;
  for (int i = 0; i < clients; ++i) {
    sessions.push_back(std::make_unique<Session>(url));
    sessions.back()->exec("BEGIN");
  }
  for (const std::unique_ptr<Session>& session : sessions) session->exec("COMMIT");
}

}  // namespace

TEST_CASE("a pooler in transaction mode is refused, declared as session or not, and nothing changes") {
  if (!has_pgbouncer()) return skip("no pgbouncer on this machine (Debian package pgbouncer)");
  Project project;
  project.migration("1_one", "CREATE TABLE a (n int);");
  for (const int size : {1, 20})
    for (const bool round_robin : {false, true}) {
      const PgBouncer pooler(
          fmt::format("pool_mode = transaction\ndefault_pool_size = {}\nserver_round_robin = {}", size,
                      round_robin ? 1 : 0));
      for (const int clients : {0, 4})
        for (const bool declared : {false, true}) {
          if (size == 1 && clients > 0) continue;  // they would wait for each other
          CAPTURE(size);
          CAPTURE(round_robin);
          CAPTURE(clients);
          CAPTURE(declared);
          const Database database;
          Session(server_url()).exec("ALTER DATABASE " + database.name() + " SET statement_timeout = '55s'");
          const std::string url = pooler.url(database.name());
          warm_up(url, clients);
          std::vector<std::string> words = {"migrate", "up"};
          if (declared) words.insert(words.end(), {"--pooler", "session"});
          const Run result = project.kdb(url, words);
          CHECK_MESSAGE(result.exit == 3, result.err);
          CHECK_MESSAGE(has(result.err, "a connection pooler in transaction mode is in between"), result.err);
          CHECK_MESSAGE(has(result.err, "hint: connect to PostgreSQL directly"), result.err);
          CHECK(database.text("SELECT count(*) FROM pg_namespace WHERE nspname = 'kdb'") == "0");
          CHECK(database.text("SELECT to_regclass('a') IS NULL") == "t");
          CHECK(database.text("SELECT count(*) FROM pg_locks WHERE locktype = 'advisory'") == "0");
          // The server connections are others' too: their settings are as they were.
          Session other(url);
          for (int i = 0; i < 2 * size && i < 10; ++i) CHECK(other.text("SHOW statement_timeout") == "55s");
        }
    }
}

TEST_CASE("a pooler in session mode is refused until it is declared, and works then") {
  if (!has_pgbouncer()) return skip("no pgbouncer on this machine (Debian package pgbouncer)");
  Project project;
  project.migration("1_one", "CREATE TABLE a (n int);");
  project.migration(
      "2_two", "INSERT INTO a VALUES (1);\nSELECT pg_sleep(0.5);\nCREATE INDEX CONCURRENTLY a_n ON a (n);");
  for (const int size : {1, 5}) {  // of one, kdb's own session is all that there is
    CAPTURE(size);
    const PgBouncer pooler(fmt::format("pool_mode = session\ndefault_pool_size = {}", size));
    const Database database;
    const std::string url = pooler.url(database.name());
    const Run undeclared = project.up(url);
    CHECK_MESSAGE(undeclared.exit == 3, undeclared.err);
    CHECK_MESSAGE(has(undeclared.err, "a connection pooler is in between"), undeclared.err);
    CHECK_MESSAGE(has(undeclared.err, "say so with --pooler session or [connection] pooler = \"session\""),
                  undeclared.err);
    CHECK(database.text("SELECT count(*) FROM pg_namespace WHERE nspname = 'kdb'") == "0");

    Session(server_url()).exec("ALTER DATABASE " + database.name() + " SET statement_timeout = '300ms'");
    const Run declared = project.kdb(url, {"migrate", "up", "--pooler", "session"});
    Session(server_url()).exec("ALTER DATABASE " + database.name() + " RESET statement_timeout");
    CHECK_MESSAGE(declared.exit == 0, declared.err);
    CHECK(database.text("SELECT count(*) FROM a") == "1");
    CHECK(database.text("SELECT string_agg(kind || subject, ',' ORDER BY id) FROM kdb.events") ==
          "applied1,applied2");
  }
}

TEST_CASE("a load makes no session read-only that a pooler lends to others") {
  if (!has_pgbouncer()) return skip("no pgbouncer on this machine (Debian package pgbouncer)");
  const TempDir folder;
  const std::string profile = folder.write("p.toml", "[queries.one]\nsql = 'SELECT 1'\n").string();
  const auto load = [&](const std::string& url, const std::vector<std::string>& more) {
    std::vector<std::string> words = {KDB_BINARY, "bench", "load",   "--on-target", "-d",         url,
                                      "-p",       profile, "--rate", "20",          "--duration", "200ms"};
    words.insert(words.end(), more.begin(), more.end());
    return run(words);
  };
  const Database database;
  database.exec("CREATE TABLE t (n int)");
  {
    const PgBouncer pooler("pool_mode = transaction\ndefault_pool_size = 2");
    const Run refused = load(pooler.url(database.name()), {});
    CHECK_MESSAGE(refused.exit == 3, refused.err);
    CHECK_MESSAGE(has(refused.err, "a connection pooler in transaction mode is in between"), refused.err);
    Session other(pooler.url(database.name()));
    for (int i = 0; i < 4; ++i) other.exec("INSERT INTO t VALUES (1)");
  }
  const PgBouncer pooler("pool_mode = session\ndefault_pool_size = 12");
  const Run undeclared = load(pooler.url(database.name()), {});
  CHECK_MESSAGE(undeclared.exit == 3, undeclared.err);
  const Run declared = load(pooler.url(database.name()), {"--pooler", "session"});
  CHECK_MESSAGE(declared.exit == 0, declared.err);
  Session other(pooler.url(database.name()));
  for (int i = 0; i < 4; ++i) other.exec("INSERT INTO t VALUES (1)");
}

}  // namespace kdb::test::pooler_test
