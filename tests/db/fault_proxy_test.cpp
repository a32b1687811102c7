#include "support/fault_proxy.hpp"

#include <atomic>
#include <chrono>
#include <string>
#include <thread>
#include <vector>

#include "db/session.hpp"
#include "support/pg_endpoint.hpp"

namespace kdb::test::fault_proxy_test {

using namespace kdb::pg;
using std::chrono::milliseconds;

namespace {

const std::vector<std::string> kStatements = {"BEGIN", "INSERT INTO kdb_faults VALUES (1)",
                                              "INSERT INTO kdb_faults VALUES (2)", "COMMIT"};

/// Runs the statements; whether all were answered.
bool run_all(const std::string& url, Watchdog& watchdog, milliseconds response_timeout = milliseconds(0)) {
  ConnectSettings settings = settings_for(url);
  settings.response_timeout = response_timeout;
  try {
    Connection connection(settings, watchdog);
    for (const std::string& sql : kStatements) connection.exec(sql, Phase::in_transaction);
    return true;
  } catch (const ServerError&) {
    return false;
  }
}

}  // namespace

TEST_CASE("an undisturbed run passes and is listed") {
  Watchdog watchdog;
  FaultProxy proxy(server_url());
  Connection direct(settings_for(server_url()), watchdog);
  direct.exec("DROP TABLE IF EXISTS kdb_faults; CREATE TABLE kdb_faults (a int)");
  CHECK(run_all(proxy.url(), watchdog));
  std::vector<std::string> seen;
  for (const auto& query : proxy.queries()) seen.push_back(query.sql);
  CHECK(seen == kStatements);
  CHECK(proxy.fired() == 0);
  proxy.reset();
  CHECK(proxy.queries().empty());
  direct.exec("DROP TABLE kdb_faults");
}

TEST_CASE("a cut happens at exactly the chosen query and moment, and new sessions work") {
  Watchdog watchdog;
  FaultProxy proxy(server_url("KDB_SANDBOX_TCP_URL"));
  Connection direct(settings_for(server_url()), watchdog);
  direct.exec("DROP TABLE IF EXISTS kdb_faults; CREATE TABLE kdb_faults (a int)");
  const int last = static_cast<int>(kStatements.size());
  for (int number = 1; number <= last; ++number) {
    for (const auto when :
         {FaultProxy::When::before_forward, FaultProxy::When::before_reply, FaultProxy::When::reply_held}) {
      CAPTURE(number);
      CAPTURE(static_cast<int>(when));
      proxy.reset();
      direct.exec("TRUNCATE kdb_faults");
      std::atomic<int> called{0};
      proxy.add({.number = number,
                 .when = when,
                 .callback =
                     [&](const FaultProxy::Query& query) {
                       ++called;
                       CHECK(query.sql == kStatements[static_cast<size_t>(number) - 1]);
                       CHECK(query.backend_pid > 0);
                     },
                 .fault = FaultProxy::Fault::cut});
      CHECK_FALSE(run_all(proxy.url(), watchdog));
      CHECK(called == 1);
      CHECK(proxy.fired() == 1);
      CHECK(proxy.queries().size() == static_cast<size_t>(number));
      const bool held_commit = number == last && when == FaultProxy::When::reply_held;
      const bool unknown = number == last && when == FaultProxy::When::before_reply;
      const auto rows = direct.exec("SELECT count(*) FROM kdb_faults").integer(0, 0);
      if (!unknown) CHECK(rows == (held_commit ? 2 : 0));
      CHECK(run_all(proxy.url(), watchdog));
    }
  }
  direct.exec("DROP TABLE kdb_faults");
}

TEST_CASE("a delay holds a query up and nothing else") {
  Watchdog watchdog;
  FaultProxy proxy(server_url("KDB_SANDBOX_TCP_URL"));
  Connection slow(settings_for(proxy.url()), watchdog);
  Connection fast(settings_for(proxy.url()), watchdog);
  proxy.add({.contains = "slow", .delay = milliseconds(300)});
  const auto begin = std::chrono::steady_clock::now();
  std::thread thread([&] { slow.exec("SELECT 'slow'"); });
  fast.exec("SELECT 'fast'");
  CHECK(std::chrono::steady_clock::now() - begin < milliseconds(300));
  thread.join();
  CHECK(std::chrono::steady_clock::now() - begin >= milliseconds(300));
}

TEST_CASE("one session's black hole leaves the others alone and ends with heal") {
  Watchdog watchdog(milliseconds(100));
  FaultProxy proxy(server_url("KDB_SANDBOX_TCP_URL"));
  ConnectSettings settings = settings_for(proxy.url());
  settings.response_timeout = milliseconds(100);
  Connection swallowed(settings, watchdog);
  Connection other(settings_for(proxy.url()), watchdog);
  proxy.add({.contains = "swallow", .fault = FaultProxy::Fault::black_hole});
  CHECK(failure_of(swallowed, "SELECT 'swallow'").session_ended);
  CHECK(other.exec("SELECT 1").integer(0, 0) == 1);
  // The server is not told.
  const std::string pid = std::to_string(swallowed.announced_pid());
  const std::string count = "SELECT count(*) FROM pg_stat_activity WHERE pid = " + pid;
  CHECK(other.exec(count).integer(0, 0) == 1);
  proxy.heal();
  CHECK(soon([&] { return other.exec(count).integer(0, 0) == 0; }));
  CHECK(other.exec("SELECT 1").integer(0, 0) == 1);
}

TEST_CASE("a network's black hole swallows new connections too, until heal") {
  Watchdog watchdog(milliseconds(100));
  FaultProxy proxy(server_url("KDB_SANDBOX_TCP_URL"));
  proxy.black_hole_all();
  ConnectSettings settings = settings_for(proxy.url());
  settings.connect_timeout = milliseconds(100);
  CHECK_THROWS_AS(Connection(settings, watchdog), ServerError);
  proxy.heal();
  CHECK(Connection(settings_for(proxy.url()), watchdog).exec("SELECT 1").integer(0, 0) == 1);
}

TEST_CASE("all sessions can be cut at once") {
  Watchdog watchdog;
  FaultProxy proxy(server_url());
  Connection one(settings_for(proxy.url()), watchdog);
  Connection two(settings_for(proxy.url()), watchdog);
  proxy.cut_all();
  CHECK(failure_of(one, "SELECT 1").session_ended);
  CHECK(failure_of(two, "SELECT 1").session_ended);
  CHECK(Connection(settings_for(proxy.url()), watchdog).exec("SELECT 1").integer(0, 0) == 1);
}

TEST_CASE("large queries and replies pass unharmed, from many sessions at once") {
  Watchdog watchdog;
  FaultProxy proxy(server_url("KDB_SANDBOX_TCP_URL"));
  std::atomic<int> right{0};
  std::vector<std::thread> threads;
  for (int i = 0; i < 8; ++i) {
    threads.emplace_back([&, i] {
      Connection connection(settings_for(proxy.url()), watchdog);
      const std::string text(3'000'000 + static_cast<size_t>(i), static_cast<char>('a' + i));
      if (connection.exec("SELECT '" + text + "'").text(0, 0) == text) ++right;
      if (connection.exec("SELECT $1::text", {text}).text(0, 0) == text) ++right;
    });
  }
  for (std::thread& thread : threads) thread.join();
  CHECK(right == 16);
  CHECK(proxy.queries().size() == 16);
}

TEST_CASE("a proxy whose server is gone closes its clients") {
  int port = 0;
  listen_on_loopback(port).close();
  FaultProxy proxy("postgresql://me@127.0.0.1:" + std::to_string(port) + "/shop");
  CHECK(connect_failure(settings_for(proxy.url())).sqlstate.empty());
}

}  // namespace kdb::test::fault_proxy_test
