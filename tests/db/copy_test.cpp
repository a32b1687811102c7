// COPY … FROM STDIN over a Connection: what a source gives arrives, and whatever ends it leaves a session
// that goes on.

#include "pg/copy.hpp"

#include <csignal>
#include <stdexcept>
#include <string>

#include <unistd.h>

#include "base/error.hpp"
#include "db/session.hpp"

namespace kdb::test::copy_test {

using namespace kdb::pg;
using std::chrono::milliseconds;

namespace {

/// So many rows of a number, a buffer each.
CopySource numbers(int count) {
  return [=, next = 0](std::string& buffer) mutable {
    if (next == count) return false;
    buffer += std::to_string(++next) + "\n";
    return true;
  };
}

/// Until somebody ends it: a kilobyte at a time.
CopySource endless() {
  return [](std::string& buffer) {
    for (int i = 0; i < 250; ++i) buffer += "123\n";
    return true;
  };
}

ServerError copy_failure(Connection& connection, const std::string& sql, const CopySource& source) {
  try {
    connection.copy(sql, source);
  } catch (const ServerError& error) {
    return error;
  }
  FAIL("no error: " << sql);
  return {};
}

struct Table {
  explicit Table(const ConnectSettings& settings = settings_for(server_url()))
      : connection(settings, watchdog) {
    connection.exec("CREATE TEMP TABLE t (a int CHECK (a <> 13))");
  }
  std::int64_t rows() { return connection.exec("SELECT count(*) FROM t").integer(0, 0); }

  Watchdog watchdog;
  Connection connection;
};

}  // namespace

TEST_CASE("rows of many buffers arrive, and are counted; none are none") {
  Table t;
  CHECK(t.connection.copy("COPY t FROM STDIN", numbers(12)).affected == 12);
  CHECK(t.rows() == 12);
  CHECK(t.connection.copy("COPY t FROM STDIN", numbers(0)).affected == 0);
  CHECK(t.rows() == 12);
}

TEST_CASE("a row that the server does not take is named by table and line, and the session goes on") {
  Table t;
  const ServerError error = copy_failure(t.connection, "COPY t FROM STDIN", numbers(2'000));
  CHECK(error.sqlstate == "23514");
  CHECK_MESSAGE(error.context.find("COPY t, line 13") != std::string::npos, error.context);
  CHECK_FALSE(error.session_ended);
  CHECK(t.rows() == 0);
}

TEST_CASE("what the source throws ends the COPY and flies on, and the session goes on") {
  Table t;
  int calls = 0;
  const auto source = [&](std::string& buffer) {
    if (++calls == 3) throw std::runtime_error("no more");
    buffer = "1\n";
    return true;
  };
  CHECK_THROWS_WITH_AS(t.connection.copy("COPY t FROM STDIN", source), "no more", std::runtime_error);
  CHECK(t.rows() == 0);
}

TEST_CASE("only one COPY FROM STDIN is fed: anything else is refused, and the session goes on") {
  Table t;
  for (const char* sql : {"SELECT 1", "COPY t TO STDOUT", "COPY t FROM STDIN; COPY t FROM STDIN", ""}) {
    CAPTURE(sql);
    const ServerError error = copy_failure(t.connection, sql, numbers(3));
    CHECK_FALSE(error.session_ended);
    CHECK(t.rows() == 0);
  }
  CHECK(copy_failure(t.connection, "COPY nowhere FROM STDIN", numbers(3)).sqlstate == "42P01");
  CHECK(t.rows() == 0);
}

TEST_CASE("a signal ends a COPY whose source has no end") {
  Table t;
  int calls = 0;
  const auto source = [&, feed = endless()](std::string& buffer) {
    if (++calls == 50) ::kill(getpid(), SIGINT);
    return feed(buffer);
  };
  CHECK_THROWS_AS(t.connection.copy("COPY t FROM STDIN", source), Error);
  CHECK(t.watchdog.interruption() == Exit::interrupted);
  CHECK(t.connection.exec_cleanup("SELECT count(*) FROM t").integer(0, 0) == 0);
}

TEST_CASE("a passed deadline ends a COPY that waits for a lock") {
  Watchdog watchdog;
  Connection holder(settings_for(server_url()), watchdog);
  holder.exec("DROP TABLE IF EXISTS kdb_copy; CREATE TABLE kdb_copy (a int)");
  holder.exec("BEGIN; LOCK TABLE kdb_copy");
  ConnectSettings settings = settings_for(server_url());
  settings.response_timeout = milliseconds(100);
  Connection connection(settings, watchdog);
  const ServerError error = copy_failure(connection, "COPY kdb_copy FROM STDIN", numbers(3));
  CHECK(error.sqlstate == "57014");
  CHECK(error.message == "canceled after 100 ms");
  CHECK_FALSE(error.session_ended);
  holder.exec("ROLLBACK; DROP TABLE kdb_copy");
}

TEST_CASE("a backend that is ended in mid-COPY is an error that says so") {
  Table t;
  Watchdog watchdog;
  Connection other(settings_for(server_url()), watchdog);
  int calls = 0;
  const auto source = [&, feed = endless()](std::string& buffer) {
    if (++calls == 50)
      other.exec("SELECT pg_catalog.pg_terminate_backend(" + std::to_string(t.connection.announced_pid()) +
                 ")");
    return calls < 100'000 && feed(buffer);
  };
  const ServerError error = copy_failure(t.connection, "COPY t FROM STDIN", source);
  CHECK(error.session_ended);
  CHECK_MESSAGE((error.sqlstate == "57P01" || error.sqlstate.empty()), error.sqlstate);
  CHECK_FALSE(error.message.empty());
  CHECK(calls < 100'000);
}

}  // namespace kdb::test::copy_test
