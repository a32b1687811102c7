#include "pg/connection.hpp"

#include <atomic>
#include <chrono>
#include <string>
#include <thread>
#include <vector>

#include <sys/socket.h>
#include <unistd.h>

#include "base/error.hpp"
#include "db/session.hpp"
#include "support/fault_proxy.hpp"
#include "support/pg_endpoint.hpp"
#include "support/scripted_server.hpp"

namespace kdb::test::connection_test {

using namespace kdb::pg;
using std::chrono::milliseconds;
using std::chrono::steady_clock;

namespace {

void check_hidden(const ServerError& error) {
  for (const std::string& text : {error.message, error.detail, error.hint}) {
    CHECK(text.find("hunter2") == std::string::npos);
  }
}

}  // namespace

TEST_CASE("exec returns the rows of the last statement that has any") {
  Watchdog watchdog;
  Connection connection(settings_for(server_url()), watchdog);
  const Result result = connection.exec(
      "BEGIN; SELECT 1, NULL; SELECT 'a', true, NULL, 42; SET LOCAL lock_timeout = 0; COMMIT");
  REQUIRE(result.size() == 1);
  CHECK(result.text(0, 0) == "a");
  CHECK(result.boolean(0, 1));
  CHECK(result.is_null(0, 2));
  CHECK(result.text(0, 2).empty());
  CHECK(result.integer(0, 3) == 42);
  CHECK_THROWS_AS(result.text(0, 4), std::out_of_range);
  CHECK(connection.exec("SELECT 1 WHERE false").empty());
  CHECK(connection.exec("").empty());
}

TEST_CASE("affected rows are those of the last statement that counts") {
  Watchdog watchdog;
  Connection connection(settings_for(server_url()), watchdog);
  const Result result = connection.exec(
      "BEGIN; CREATE TEMP TABLE t (a int); INSERT INTO t SELECT generate_series(1, 7); SET LOCAL "
      "lock_timeout = 1; "
      "COMMIT");
  CHECK(result.affected == 7);
  CHECK(connection.exec("DELETE FROM t WHERE a > 4").affected == 3);
}

TEST_CASE("parameters keep their bytes, and NULL is NULL") {
  Watchdog watchdog;
  Connection connection(settings_for(server_url()), watchdog);
  const std::string odd = "it's \\ \"ü\" $1 %s\n";
  const Result result = connection.exec("SELECT $1::int + 1, $2::text, $3::text, $4::text IS NULL",
                                        {"41", odd, "", std::nullopt});
  CHECK(result.integer(0, 0) == 42);
  CHECK(result.text(0, 1) == odd);
  CHECK_FALSE(result.is_null(0, 2));
  CHECK(result.boolean(0, 3));
  CHECK(connection.exec("SELECT 1", std::vector<Result::Value>{}).integer(0, 0) == 1);
}

TEST_CASE("errors carry what the server said and where") {
  Watchdog watchdog;
  Connection connection(settings_for(server_url()), watchdog);
  const ServerError error = failure_of(connection, "SELECT 1;\n  SELECT 'ü', nope", Phase::in_transaction);
  CHECK(error.sqlstate == "42703");
  CHECK(error.message == "column \"nope\" does not exist");
  CHECK(error.line == 2);
  CHECK(error.column == 15);
  CHECK_FALSE(error.session_ended);
  CHECK(error.phase == Phase::in_transaction);

  const ServerError raised = failure_of(
      connection,
      "DO $$ BEGIN RAISE E'two\\nlines' USING ERRCODE = 'P0042', DETAIL = 'd', HINT = 'h'; END $$");
  CHECK(raised.sqlstate == "P0042");
  CHECK(raised.message == "two\nlines");
  CHECK(raised.detail == "d");
  CHECK(raised.hint == "h");
  CHECK(raised.context.find("inline_code_block line 1 at RAISE") != std::string::npos);
  CHECK(raised.line == 0);
}

TEST_CASE("every SQLSTATE arrives, also those that libpqxx has a type for") {
  Watchdog watchdog;
  Connection connection(settings_for(server_url()), watchdog);
  for (const std::string code : {"40000", "40001", "40P01", "40003", "53300", "08006", "42501", "P0001",
                                 "XX000", "55P03", "57014", "23505", "0A000", "26000", "34000"}) {
    CAPTURE(code);
    const ServerError error =
        failure_of(connection, "DO $$ BEGIN RAISE 'boom' USING ERRCODE = '" + code + "'; END $$");
    CHECK(error.sqlstate == code);
    CHECK(error.message == "boom");
    CHECK_FALSE(error.session_ended);
  }
}

TEST_CASE("a real deadlock and a real serialization failure are recognised") {
  Watchdog watchdog;
  Connection one(settings_for(server_url()), watchdog);
  Connection two(settings_for(server_url()), watchdog);
  one.exec(
      "DROP TABLE IF EXISTS kdb_serial; CREATE TABLE kdb_serial (a int); INSERT INTO kdb_serial VALUES (1)");
  one.exec("BEGIN ISOLATION LEVEL REPEATABLE READ; SELECT * FROM kdb_serial");
  two.exec("UPDATE kdb_serial SET a = 2");
  CHECK(failure_of(one, "UPDATE kdb_serial SET a = 3", Phase::in_transaction).sqlstate == "40001");
  one.exec("ROLLBACK; DROP TABLE kdb_serial");
}

TEST_CASE("notices arrive trimmed, with their severity") {
  Watchdog watchdog;
  Connection connection(settings_for(server_url()), watchdog);
  std::vector<std::string> notices;
  connection.on_notice([&](std::string_view text) { notices.emplace_back(text); });
  connection.exec("COMMIT");
  connection.exec("DO $$ BEGIN RAISE NOTICE 'n' USING DETAIL = 'd', HINT = 'h'; END $$");
  CHECK(notices == std::vector<std::string>{"WARNING:  there is no transaction in progress",
                                            "NOTICE:  n\nDETAIL:  d\nHINT:  h"});
}

TEST_CASE("a session says whom it talks to, and no password") {
  Watchdog watchdog;
  Connection connection(settings_for(server_url("KDB_SANDBOX_TCP_URL")), watchdog);
  const Result result = connection.exec(
      "SELECT pg_catalog.pg_backend_pid(), pg_catalog.current_setting('server_version_num'), "
      "pg_catalog.current_database(), current_user, pg_catalog.inet_server_port(), "
      "pg_catalog.current_setting('application_name'), pg_catalog.current_setting('client_encoding')");
  CHECK(result.integer(0, 0) == connection.announced_pid());
  CHECK(result.integer(0, 1) == connection.server_version());
  CHECK(result.text(0, 2) == connection.database());
  CHECK(result.text(0, 3) == connection.user());
  CHECK(connection.endpoint() == "127.0.0.1:" + result.text(0, 4));
  CHECK(result.text(0, 5) == "kdb");
  CHECK(result.text(0, 6) == "UTF8");
  CHECK(connection.is_open());
  const Connection local(settings_for(server_url()), watchdog);
  CHECK(local.endpoint().substr(0, 1) == "/");
}

TEST_CASE("a terminated session says so and is never replaced silently") {
  Watchdog watchdog;
  Connection connection(settings_for(server_url()), watchdog);
  const int pid = connection.announced_pid();
  const ServerError error = failure_of(
      connection, "SELECT pg_terminate_backend(pg_backend_pid()), pg_sleep(5)", Phase::in_transaction);
  CHECK(error.sqlstate == "57P01");
  CHECK(error.session_ended);
  CHECK(error.phase == Phase::in_transaction);
  CHECK_FALSE(connection.is_open());
  CHECK(connection.announced_pid() == pid);
  for (int again = 0; again < 3; ++again) {
    const ServerError after = failure_of(connection, "SELECT 1");
    CHECK(after.session_ended);
    CHECK(after.message == "the session has ended");
  }
}

TEST_CASE("a session that was terminated while idle gives the reason with the next statement") {
  Watchdog watchdog;
  Connection connection(settings_for(server_url()), watchdog);
  Connection other(settings_for(server_url()), watchdog);
  const std::string pid = std::to_string(connection.announced_pid());
  other.exec("SELECT pg_terminate_backend(" + pid + ")");
  REQUIRE(soon([&] { return other.exec("SELECT 1 FROM pg_stat_activity WHERE pid = " + pid).empty(); }));
  const ServerError error = failure_of(connection, "SELECT 1");
  CHECK(error.session_ended);
  CHECK(error.sqlstate == "57P01");
}

TEST_CASE("a farewell that comes with the last reply is the reason of the next failure") {
  const std::string done = ScriptedServer::message('C', std::string("SELECT 0").append(1, '\0')) +
                           ScriptedServer::message('Z', "I");
  ScriptedServer server(
      {ScriptedServer::welcome(), done + ScriptedServer::error("25P03", "idle-in-transaction timeout"), ""});
  server.hang_up_after(3);
  Watchdog watchdog;
  Connection connection(settings_for(server.url()), watchdog);
  CHECK_NOTHROW(connection.exec("SELECT"));
  const ServerError error = failure_of(connection, "SELECT", Phase::in_transaction);
  CHECK(error.sqlstate == "25P03");
  CHECK(error.message == "idle-in-transaction timeout");
  CHECK(error.session_ended);
}

TEST_CASE("a session lost between the results of a batch is an error, not a success") {
  const std::string first = ScriptedServer::message('C', std::string("INSERT 0 1").append(1, '\0'));
  ScriptedServer server({ScriptedServer::welcome(), first});
  server.hang_up_after(2);
  Watchdog watchdog;
  Connection connection(settings_for(server.url()), watchdog);
  const ServerError error = failure_of(connection, "INSERT INTO t VALUES (1); COMMIT", Phase::committing);
  CHECK(error.session_ended);
  CHECK(error.message == "server closed the connection unexpectedly");
}

TEST_CASE("a server that breaks the protocol is left at once, while the connection still exists") {
  const ScriptedServer server({ScriptedServer::welcome(), std::string("nonsense\0\0\0\0\0\0\0\0", 16)});
  Watchdog watchdog;
  Connection connection(settings_for(server.url()), watchdog);
  const ServerError error = failure_of(connection, "SELECT 1");
  CHECK(error.session_ended);
  CHECK(soon([&] { return server.left(); }));
}

TEST_CASE("COPY over the connection is refused, and the session goes on") {
  Watchdog watchdog;
  Connection connection(settings_for(server_url()), watchdog);
  connection.exec("CREATE TEMP TABLE t (a int); INSERT INTO t SELECT generate_series(1, 1000)");
  for (const char* sql : {"COPY t FROM STDIN", "COPY t TO STDOUT", "SELECT 1; COPY t FROM STDIN; SELECT 2"}) {
    CAPTURE(sql);
    const ServerError error = failure_of(connection, sql);
    CHECK(error.sqlstate == "0A000");
    CHECK(error.message == "COPY FROM STDIN and COPY TO STDOUT are not supported");
    CHECK(connection.exec("SELECT count(*) FROM t").integer(0, 0) == 1000);
  }
}

TEST_CASE("a NUL byte never cuts a statement short") {
  Watchdog watchdog;
  Connection connection(settings_for(server_url()), watchdog);
  using namespace std::string_literals;
  CHECK(failure_of(connection, "SELECT 1\0; DROP TABLE t"s).message == "the statement contains a NUL byte");
  CHECK_THROWS_AS(connection.exec("SELECT $1", {"a\0b"s}), ServerError);
}

TEST_CASE("failed connects carry the server's SQLSTATE and words") {
  struct Row {
    const char* sqlstate;
    const char* message;
  };
  for (const Row& row :
       {Row{"28P01", "password authentication failed for user \"me\""},
        Row{"57P03", "the database system is starting up"}, Row{"53300", "sorry, too many clients already"},
        Row{"08P01", "no such database: shop"}}) {
    CAPTURE(row.sqlstate);
    const ScriptedServer server({ScriptedServer::error(row.sqlstate, row.message)});
    const ServerError error = connect_failure(settings_for(server.url()));
    CHECK(error.sqlstate == row.sqlstate);
    CHECK(error.message == row.message);
    CHECK(error.phase == Phase::connecting);
    check_hidden(error);
  }
  const std::string url = server_url("KDB_SANDBOX_TCP_URL");
  const ServerError missing =
      connect_failure(settings_for(Endpoint(url).url_with("dbname", "kdb_no_such_database")));
  CHECK(missing.sqlstate == "3D000");
  CHECK(missing.message == "database \"kdb_no_such_database\" does not exist");
  const ServerError stranger =
      connect_failure(settings_for(Endpoint(url).url_with("user", "kdb_no_such_role")));
  CHECK(stranger.sqlstate.substr(0, 2) == "28");
}

TEST_CASE("failed connects without a server carry the system's words") {
  int port = 0;
  listen_on_loopback(port).close();
  const std::string address = "127.0.0.1:" + std::to_string(port);
  const ServerError refused = connect_failure(settings_for("postgresql://me:hunter2@" + address + "/shop"));
  CHECK(refused.sqlstate.empty());
  CHECK(refused.message == "Connection refused");
  check_hidden(refused);
  const ServerError absent = connect_failure(settings_for("postgresql://me:hunter2@/shop?host=/nonexistent"));
  CHECK(absent.message == "No such file or directory");
  check_hidden(absent);
  const ScriptedServer web({"HTTP/1.1 400 Bad Request\r\n\r\n"});
  const ServerError strange = connect_failure(settings_for(web.url()));
  CHECK(strange.message.find("expected authentication request from server") != std::string::npos);
  check_hidden(strange);
}

TEST_CASE("a server without a version is a failed connect") {
  const ScriptedServer server(
      {ScriptedServer::message('R', std::string(4, '\0')) + ScriptedServer::message('Z', "I")});
  const ServerError error = connect_failure(settings_for(server.url()));
  CHECK(error.phase == Phase::connecting);
  CHECK(error.message == "the server hides its version or is older than PostgreSQL 9.0");
  check_hidden(error);
}

TEST_CASE("a server that accepts and says nothing is left at connect_timeout") {
  int port = 0;
  const Socket silent = listen_on_loopback(port);
  ConnectSettings settings =
      settings_for("postgresql://me:hunter2@127.0.0.1:" + std::to_string(port) + "/shop");
  settings.connect_timeout = milliseconds(150);
  const auto begin = steady_clock::now();
  const ServerError error = connect_failure(settings);
  CHECK(steady_clock::now() - begin < std::chrono::seconds(2));
  CHECK(error.message == "no answer within 150 ms");
  CHECK(error.sqlstate.empty());
}

TEST_CASE("of several hosts the one that answers is taken") {
  int port = 0;
  listen_on_loopback(port).close();
  const Endpoint server(server_url("KDB_SANDBOX_TCP_URL"));
  const std::string url = server.url_with("port", std::to_string(port) + "," + server.value("port"));
  Watchdog watchdog;
  Connection connection(settings_for(Endpoint(url).url_with("host", "127.0.0.1,127.0.0.1")), watchdog);
  CHECK(connection.endpoint() == "127.0.0.1:" + server.value("port"));
}

TEST_CASE("an unreachable first host leaves time for the second") {
  // A full backlog drops SYNs, as a firewall does.
  int port = 0;
  const Socket full = listen_on_loopback(port, 0);
  std::vector<Socket> waiting;
  const Endpoint hole("postgresql://127.0.0.1:" + std::to_string(port) + "/");
  for (int i = 0; i < 4; ++i) waiting.push_back(hole.connect_later());
  const Endpoint server(server_url("KDB_SANDBOX_TCP_URL"));
  const std::string url = server.url_with("port", std::to_string(port) + "," + server.value("port"));
  ConnectSettings settings = settings_for(Endpoint(url).url_with("host", "127.0.0.1,127.0.0.1"));
  settings.connect_timeout = milliseconds(6'000);
  Watchdog watchdog;
  Connection connection(settings, watchdog);
  CHECK(connection.endpoint() == "127.0.0.1:" + server.value("port"));
}

TEST_CASE("a lost COMMIT is a lost session in the committing phase") {
  struct Row {
    FaultProxy::When when;
    bool committed;
  };
  for (const Row& row :
       {Row{FaultProxy::When::before_forward, false}, Row{FaultProxy::When::reply_held, true}}) {
    CAPTURE(row.committed);
    Watchdog watchdog;
    FaultProxy proxy(server_url("KDB_SANDBOX_TCP_URL"));
    Connection direct(settings_for(server_url()), watchdog);
    direct.exec("DROP TABLE IF EXISTS kdb_lost; CREATE TABLE kdb_lost (a int)");
    Connection connection(settings_for(proxy.url()), watchdog);
    connection.exec("BEGIN; INSERT INTO kdb_lost VALUES (1)", Phase::in_transaction);
    proxy.add({.contains = "COMMIT", .when = row.when, .fault = FaultProxy::Fault::cut});
    const ServerError error = failure_of(connection, "COMMIT", Phase::committing);
    CHECK(error.phase == Phase::committing);
    CHECK(error.session_ended);
    CHECK(error.sqlstate.empty());
    CHECK(error.message == "server closed the connection unexpectedly");
    CHECK(classify_error(error.phase, error.sqlstate, error.session_ended, error.message) ==
          RetryClass::in_doubt);
    CHECK(direct.exec("SELECT count(*) FROM kdb_lost").integer(0, 0) == (row.committed ? 1 : 0));
    direct.exec("DROP TABLE kdb_lost");
  }
}

TEST_CASE("a killed backend in mid-statement is a lost session") {
  Watchdog watchdog;
  FaultProxy proxy(server_url("KDB_SANDBOX_TCP_URL"));
  Connection direct(settings_for(server_url()), watchdog);
  Connection connection(settings_for(proxy.url()), watchdog);
  proxy.add({.contains = "pg_sleep",
             .when = FaultProxy::When::before_reply,
             .callback = [&](const FaultProxy::Query& query) {
               direct.exec("SELECT pg_terminate_backend(" + std::to_string(query.backend_pid) + ")");
             }});
  const ServerError error = failure_of(connection, "SELECT pg_sleep(60)");
  CHECK(error.session_ended);
  CHECK(error.sqlstate == "57P01");
}

TEST_CASE("each statement is one round trip, whatever its kind") {
  Watchdog watchdog;
  FaultProxy proxy(server_url("KDB_SANDBOX_TCP_URL"));
  Connection connection(settings_for(proxy.url()), watchdog);
  connection.exec("BEGIN; SELECT 1");
  connection.exec("SELECT $1::int", {"1"});
  failure_of(connection, "SELECT nope", Phase::in_transaction);
  connection.exec("ROLLBACK");
  std::vector<std::string> seen;
  for (const auto& query : proxy.queries()) seen.push_back(query.sql);
  CHECK(seen == std::vector<std::string>{"BEGIN; SELECT 1", "SELECT $1::int", "SELECT nope", "ROLLBACK"});
  CHECK(proxy.queries().front().backend_pid == connection.announced_pid());
}

}  // namespace kdb::test::connection_test
