// The server restarts in mid-run: kdb connects again and ends as if nothing had been.

#include <csignal>
#include <memory>

#include <fmt/format.h>
#include <unistd.h>

#include "db/gate.hpp"
#include "host/pg_bin.hpp"
#include "host/server_user.hpp"
#include "support/text.hpp"

namespace kdb::test {

namespace {

/// A server that can be restarted, which the sandbox's supervisor would not understand. Commits survive
/// `immediate`, as they do in production; nothing is written for a crash of the machine.
class OwnServer {
 public:
  OwnServer() {
    const char* bin = std::getenv("KDB_SANDBOX_PG_BIN");
    pg_bin_ = host::find_pg_bin(bin == nullptr ? "" : bin);
    REQUIRE(chown(folder_.path().c_str(), user_.uid, user_.gid) == 0);
    const Run made = run(as_user({pg_bin_ + "/initdb", "-D", data(), "-U", "postgres", "--auth=trust",
                                  "--no-sync", "--encoding=UTF8", "--locale=C"}));
    REQUIRE_MESSAGE(made.exit == 0, made.err);
    start();
  }

  std::string url() const { return "postgresql://postgres@/postgres?host=" + folder_.path().string(); }

  void start() {
    postgres_ = std::make_unique<Child>(
        as_user({pg_bin_ + "/postgres", "-D", data(), "-c", "listen_addresses=", "-c",
                 "unix_socket_directories=" + folder_.path().string(), "-c", "fsync=off"}));
    REQUIRE(eventually([&] { return is_up(); }));
  }

  /// What pg_ctl restart does: SIGINT is -m fast, SIGQUIT is -m immediate (PG docs, "Shutting Down the
  /// Server").
  void restart(int signal) {
    postgres_->kill(signal);
    postgres_->wait();
    start();
  }

 private:
  std::string data() const { return folder_.path() / "data"; }

  std::vector<std::string> as_user(std::vector<std::string> command) const {
    if (!user_.differs) return command;
    std::vector<std::string> all = {"setpriv",        "--reuid=" + std::to_string(user_.uid),
                                    "--clear-groups", "--regid=" + std::to_string(user_.gid),
                                    "--pdeathsig",    "KILL"};
    all.insert(all.end(), command.begin(), command.end());
    return all;
  }

  bool is_up() const {
    try {
      return Session(url()).text("SELECT 1") == "1";
    } catch (const std::exception&) {
      return false;
    }
  }

  TempDir folder_;
  host::ServerUser user_ = host::server_user();
  std::string pg_bin_;
  std::unique_ptr<Child> postgres_;
};

/// Restarts while a migration waits at the gate; kdb waits there again on its new session, and ends well.
void restart_at_gate(const Project& project, OwnServer& server, int signal) {
  const Gate gate(server.url());
  Child kdb(project.command(server.url(), {"migrate", "up"}));
  REQUIRE(gate.is_reached());
  server.restart(signal);
  CHECK(gate.is_reached());
  gate.open();
  const Run result = kdb.wait();
  CHECK_MESSAGE(result.exit == 0, result.err);
  CHECK_MESSAGE(has(result.err, "connection lost"), result.err);
}

constexpr const char* outcome =
    "SELECT string_agg(outcome, ',') || ' ' || (SELECT string_agg(kind || subject, ',' ORDER "
    "BY id) FROM kdb.events) FROM kdb.runs";
constexpr const char* rows = "SELECT string_agg(n::text, ',' ORDER BY n) FROM a";

void forget(OwnServer& server) {
  Session(server.url()).exec("DROP SCHEMA kdb CASCADE; DROP SCHEMA public CASCADE; CREATE SCHEMA public");
}

}  // namespace

TEST_CASE("kdb survives a restart of the server, fast and immediate, in mid-run") {
  OwnServer server;
  for (const int signal : {SIGINT, SIGQUIT}) {
    CAPTURE(signal);
    {
      Project project;
      project.migration("1_one", "CREATE TABLE a (n int);");
      project.migration(
          "2_two", "INSERT INTO a VALUES (1);\nSELECT public.wait_at_gate();\nINSERT INTO a VALUES (2);");
      project.migration("3_three", "INSERT INTO a VALUES (3);");
      restart_at_gate(project, server, signal);
      CHECK(Session(server.url()).text(rows) == "1,2,3");
      CHECK(Session(server.url()).text(outcome) == "done applied1,applied2,applied3");
      forget(server);
    }
    {
      Project project;
      project.migration("1_one", "CREATE TABLE a (n int);");
      project.migration("2_two",
                        "INSERT INTO a VALUES (1);\nVACUUM a;\nINSERT INTO a VALUES (2);\n"
                        "SELECT public.wait_at_gate();\nINSERT INTO a VALUES (3);");
      restart_at_gate(project, server, signal);
      CHECK(Session(server.url()).text(rows) == "1,2,3");
      CHECK(Session(server.url()).text(outcome) == "done applied1,applied2");
      forget(server);
    }
    {
      Project project;
      project.migration("1_one", "CREATE TABLE a (n int);\nINSERT INTO a VALUES (1), (2);");
      project.migration(
          "2_two", "CREATE INDEX CONCURRENTLY a_slow ON a (public.gated(n));\nINSERT INTO a VALUES (3);");
      restart_at_gate(project, server, signal);
      CHECK(Session(server.url()).text(rows) == "1,2,3");
      CHECK(Session(server.url()).text(outcome) == "done applied1,applied2");
      CHECK(Session(server.url())
                .text("SELECT string_agg(relname || ' ' || indisvalid, ',') FROM pg_index JOIN pg_class "
                      "ON oid = indexrelid WHERE indrelid = 'a'::regclass") == "a_slow true");
      forget(server);
    }
  }
}

}  // namespace kdb::test
