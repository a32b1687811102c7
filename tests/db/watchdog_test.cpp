#include "pg/watchdog.hpp"

#include <chrono>
#include <csignal>
#include <string>
#include <thread>

#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/error.hpp"
#include "db/session.hpp"
#include "support/fault_proxy.hpp"
#include "support/pg_endpoint.hpp"

namespace kdb::test::watchdog_test {

using namespace kdb::pg;
using std::chrono::milliseconds;
using std::chrono::seconds;
using std::chrono::steady_clock;

namespace {

constexpr milliseconds kGrace(400);
constexpr milliseconds kAfterBurst(300);  // signals closer together count as one

/// Signals the process while the proxy handles a query, and goes on when the watchdog has seen it.
std::function<void(const FaultProxy::Query&)> send_signal(int number, const Watchdog& watchdog) {
  return [number, &watchdog](const FaultProxy::Query&) {
    kill(getpid(), number);
    (void)soon([&] { return watchdog.interrupted(); });
  };
}

/// The exit code that the statement's interruption asks for.
Exit interruption_of(Connection& connection, const std::string& sql,
                     Phase phase = Phase::outside_transaction) {
  try {
    connection.exec(sql, phase);
  } catch (const Error& error) {
    return error.exit();
  }
  FAIL("not interrupted: " << sql);
  return Exit::ok;
}

milliseconds since(steady_clock::time_point begin) {
  return std::chrono::duration_cast<milliseconds>(steady_clock::now() - begin);
}

}  // namespace

// The first of this file, for it forks: ThreadSanitizer takes no fork beside a thread, and a cancel that was
// sent for an earlier case may still have one.
TEST_CASE("the third signal ends a process that does not listen") {
  const pid_t child = fork();
  if (child == 0) {
    const Watchdog watchdog(kGrace);
    for (int i = 0; i < 3; ++i) {
      kill(getpid(), SIGINT);
      std::this_thread::sleep_for(kAfterBurst);
    }
    _exit(0);
  }
  int status = 0;
  REQUIRE(waitpid(child, &status, 0) == child);
  CHECK(WIFSIGNALED(status));
  CHECK(WTERMSIG(status) == SIGINT);
}

TEST_CASE("a signal cancels the running statement on the server") {
  for (const auto& [number, exit] :
       {std::pair{SIGINT, Exit::interrupted}, std::pair{SIGTERM, Exit::terminated}}) {
    Watchdog watchdog(kGrace);
    FaultProxy proxy(server_url("KDB_SANDBOX_TCP_URL"));
    CHECK_FALSE(watchdog.interrupted());
    CHECK(watchdog.interruption() == Exit::ok);
    Connection connection(settings_for(proxy.url()), watchdog);
    proxy.add({.contains = "pg_sleep",
               .when = FaultProxy::When::before_reply,
               .callback = send_signal(number, watchdog)});
    const auto begin = steady_clock::now();
    CHECK(interruption_of(connection, "SELECT pg_sleep(60)") == exit);
    CHECK(since(begin) < seconds(5));
    CHECK(connection.is_open());
    CHECK(watchdog.interrupted());
    CHECK(watchdog.interruption() == exit);
    CHECK_THROWS_AS(watchdog.check(), Error);
    // Nothing new begins, but what tidies up does.
    CHECK(interruption_of(connection, "SELECT 1") == exit);
    CHECK(connection.exec_cleanup("SELECT 'tidy'").text(0, 0) == "tidy");
    CHECK_THROWS_AS(Connection(settings_for(proxy.url()), watchdog), Error);
    CHECK(proxy.cancel_requests() >= 1);
  }
}

TEST_CASE("a cancel that overtakes its statement is repeated") {
  Watchdog watchdog(seconds(2));
  FaultProxy proxy(server_url("KDB_SANDBOX_TCP_URL"));
  Connection connection(settings_for(proxy.url()), watchdog);
  // The first request reaches the server before the statement.
  proxy.add({.contains = "pg_sleep", .callback = [&](const FaultProxy::Query&) {
               kill(getpid(), SIGINT);
               (void)soon([&] { return proxy.cancel_requests() > 0; });
             }});
  CHECK(interruption_of(connection, "SELECT pg_sleep(60)") == Exit::interrupted);
  CHECK(connection.is_open());
  CHECK(proxy.cancel_requests() >= 2);
}

TEST_CASE("what completes in spite of a signal counts, and the next statement does not begin") {
  Watchdog watchdog(kGrace);
  FaultProxy proxy(server_url("KDB_SANDBOX_TCP_URL"));
  Connection connection(settings_for(proxy.url()), watchdog);
  proxy.add(
      {.contains = "done", .when = FaultProxy::When::reply_held, .callback = send_signal(SIGINT, watchdog)});
  CHECK(connection.exec("SELECT 'done'").text(0, 0) == "done");
  CHECK(interruption_of(connection, "SELECT 1") == Exit::interrupted);
}

TEST_CASE("a signal does not cancel a COMMIT") {
  Watchdog watchdog(kGrace);
  FaultProxy proxy(server_url("KDB_SANDBOX_TCP_URL"));
  Connection connection(settings_for(proxy.url()), watchdog);
  connection.exec("BEGIN", Phase::in_transaction);
  proxy.add({.contains = "COMMIT",
             .when = FaultProxy::When::before_forward,
             .callback = send_signal(SIGINT, watchdog)});
  CHECK_NOTHROW(connection.exec("COMMIT", Phase::committing));
  CHECK(proxy.cancel_requests() == 0);
  CHECK(interruption_of(connection, "SELECT 1") == Exit::interrupted);
}

TEST_CASE("a COMMIT that is never answered after a signal is in doubt, not interrupted") {
  Watchdog watchdog(kGrace);
  FaultProxy proxy(server_url("KDB_SANDBOX_TCP_URL"));
  Connection connection(settings_for(proxy.url()), watchdog);
  connection.exec("BEGIN", Phase::in_transaction);
  proxy.add({.contains = "COMMIT",
             .callback = send_signal(SIGINT, watchdog),
             .fault = FaultProxy::Fault::black_hole});
  const auto begin = steady_clock::now();
  const ServerError error = failure_of(connection, "COMMIT", Phase::committing);
  CHECK(error.session_ended);
  CHECK(error.phase == Phase::committing);
  CHECK(error.message == "no answer from the server before the command had to end");
  CHECK(since(begin) >= kGrace);
  CHECK(since(begin) < kGrace + seconds(5));
}

TEST_CASE("a server that does not answer a cancel is left after the grace") {
  Watchdog watchdog(kGrace);
  FaultProxy proxy(server_url("KDB_SANDBOX_TCP_URL"));
  Connection connection(settings_for(proxy.url()), watchdog);
  proxy.add({.contains = "pg_sleep",
             .callback = send_signal(SIGTERM, watchdog),
             .fault = FaultProxy::Fault::black_hole_all});
  const auto begin = steady_clock::now();
  CHECK(interruption_of(connection, "SELECT pg_sleep(60)") == Exit::terminated);
  CHECK(since(begin) >= kGrace);
  CHECK(since(begin) < kGrace + seconds(5));
  CHECK_FALSE(connection.is_open());
}

TEST_CASE("the second signal does not wait for the grace") {
  Watchdog watchdog(seconds(60));
  FaultProxy proxy(server_url("KDB_SANDBOX_TCP_URL"));
  Connection connection(settings_for(proxy.url()), watchdog);
  proxy.add({.contains = "pg_sleep",
             .callback =
                 [&](const FaultProxy::Query&) {
                   proxy.black_hole_all();
                   send_signal(SIGINT, watchdog)({});
                   kill(getpid(), SIGINT);  // the same key press
                   std::this_thread::sleep_for(kAfterBurst);
                   kill(getpid(), SIGINT);
                 },
             .fault = FaultProxy::Fault::black_hole});
  const auto begin = steady_clock::now();
  CHECK(interruption_of(connection, "SELECT pg_sleep(60)") == Exit::interrupted);
  CHECK(since(begin) >= kAfterBurst);
  CHECK(since(begin) < seconds(10));
}

TEST_CASE("a cancel that does not arrive is not waited for longer than the grace") {
  Watchdog watchdog(kGrace);
  FaultProxy proxy(server_url("KDB_SANDBOX_TCP_URL"));
  proxy.delay_cancels(seconds(60));
  Connection connection(settings_for(proxy.url()), watchdog);
  proxy.add(
      {.contains = "early", .when = FaultProxy::When::reply_held, .callback = send_signal(SIGINT, watchdog)});
  const auto begin = steady_clock::now();
  CHECK(connection.exec("SELECT 'early'").text(0, 0) == "early");
  CHECK(since(begin) >= kGrace);
  CHECK(since(begin) < kGrace + seconds(3));
  CHECK_THROWS_AS(connection.exec_cleanup("SELECT 1"), ServerError);
}

TEST_CASE("a passed deadline cancels the statement on the server") {
  Watchdog watchdog(kGrace);
  ConnectSettings settings = settings_for(server_url());
  settings.response_timeout = milliseconds(200);
  Connection connection(settings, watchdog);
  const auto begin = steady_clock::now();
  const ServerError error = failure_of(connection, "SELECT pg_sleep(60)");
  CHECK(since(begin) >= milliseconds(200));
  CHECK(since(begin) < seconds(5));
  CHECK(error.sqlstate == "57014");
  CHECK(error.message == "canceled after 200 ms");
  CHECK_FALSE(error.session_ended);
  CHECK(connection.exec("SELECT 1").integer(0, 0) == 1);
  CHECK_FALSE(watchdog.interrupted());
}

TEST_CASE("a black-holed statement ends within its deadline and the grace") {
  for (const Phase phase : {Phase::in_transaction, Phase::committing}) {
    Watchdog watchdog(kGrace);
    FaultProxy proxy(server_url("KDB_SANDBOX_TCP_URL"));
    ConnectSettings settings = settings_for(proxy.url());
    settings.response_timeout = milliseconds(200);
    Connection connection(settings, watchdog);
    proxy.add({.contains = "COMMIT", .fault = FaultProxy::Fault::black_hole_all});
    const auto begin = steady_clock::now();
    const ServerError error = failure_of(connection, "COMMIT", phase);
    CHECK(since(begin) >= settings.response_timeout + kGrace);
    CHECK(since(begin) < settings.response_timeout + kGrace + seconds(3));
    CHECK(error.session_ended);
    CHECK(error.sqlstate.empty());
    CHECK(error.message == "no answer from the server within 200 ms");
    CHECK(error.phase == phase);
  }
}

TEST_CASE("a cleanup has its own short deadline and ends behind a black hole") {
  Watchdog watchdog(kGrace);
  FaultProxy proxy(server_url("KDB_SANDBOX_TCP_URL"));
  Connection connection(settings_for(proxy.url()), watchdog);
  proxy.black_hole_all();
  const auto begin = steady_clock::now();
  CHECK_THROWS_AS(connection.exec_cleanup("ROLLBACK", milliseconds(100)), ServerError);
  CHECK(since(begin) < milliseconds(100) + kGrace + seconds(3));
  CHECK_FALSE(connection.is_open());
}

TEST_CASE("the first signal does not stop a cleanup") {
  Watchdog watchdog(kGrace);
  FaultProxy proxy(server_url("KDB_SANDBOX_TCP_URL"));
  Connection connection(settings_for(proxy.url()), watchdog);
  proxy.add({.contains = "tidy", .callback = send_signal(SIGINT, watchdog)});
  CHECK(connection.exec_cleanup("SELECT 'tidy'").text(0, 0) == "tidy");
  CHECK(watchdog.interrupted());
  CHECK(proxy.cancel_requests() == 0);
}

TEST_CASE("a late cancel never hits the next statement") {
  Watchdog watchdog(seconds(5));
  FaultProxy proxy(server_url("KDB_SANDBOX_TCP_URL"));
  proxy.delay_cancels(milliseconds(300));
  Connection connection(settings_for(proxy.url()), watchdog);
  proxy.add(
      {.contains = "early", .when = FaultProxy::When::reply_held, .callback = send_signal(SIGINT, watchdog)});
  CHECK(connection.exec("SELECT 'early'").text(0, 0) == "early");
  CHECK(connection.exec_cleanup("SELECT 'late' FROM pg_sleep(0.6)").text(0, 0) == "late");
  CHECK(proxy.cancel_requests() == 1);
}

TEST_CASE("sessions of several threads are stopped by one signal") {
  Watchdog watchdog(kGrace);
  FaultProxy proxy(server_url("KDB_SANDBOX_TCP_URL"));
  Connection worker(settings_for(proxy.url()), watchdog);
  Connection observer(settings_for(server_url()), watchdog);
  Exit observed = Exit::ok;
  std::thread thread([&] {
    try {
      while (true) observer.exec("SELECT count(*) FROM pg_catalog.pg_stat_activity");
    } catch (const Error& error) {
      observed = error.exit();
    }
  });
  proxy.add({.contains = "pg_sleep",
             .when = FaultProxy::When::before_reply,
             .callback = send_signal(SIGINT, watchdog)});
  CHECK(interruption_of(worker, "SELECT pg_sleep(60)") == Exit::interrupted);
  thread.join();
  CHECK(observed == Exit::interrupted);
}

TEST_CASE("a signal ends a connect and a pause at once") {
  int port = 0;
  const Socket silent = listen_on_loopback(port);
  Watchdog watchdog(kGrace);
  std::thread sender([] {
    std::this_thread::sleep_for(milliseconds(100));
    kill(getpid(), SIGINT);
  });
  const auto begin = steady_clock::now();
  CHECK_THROWS_AS(Connection(settings_for("postgresql://127.0.0.1:" + std::to_string(port) + "/"), watchdog),
                  Error);
  CHECK(since(begin) < seconds(5));
  CHECK_THROWS_AS(watchdog.sleep(seconds(60)), Error);
  CHECK(since(begin) < seconds(5));
  sender.join();
}

TEST_CASE("an undisturbed pause takes its time") {
  Watchdog watchdog(kGrace);
  const auto begin = steady_clock::now();
  watchdog.sleep(milliseconds(50));
  CHECK(since(begin) >= milliseconds(50));
}

TEST_CASE("an ignored signal stays ignored, and the mask is given back") {
  struct sigaction ignore {};
  struct sigaction before {};
  ignore.sa_handler = SIG_IGN;
  sigaction(SIGINT, &ignore, &before);
  {
    Watchdog watchdog(kGrace);
    kill(getpid(), SIGINT);
    watchdog.sleep(milliseconds(20));
    CHECK_FALSE(watchdog.interrupted());
  }
  sigaction(SIGINT, &before, nullptr);
  sigset_t mask{};
  pthread_sigmask(SIG_SETMASK, nullptr, &mask);
  CHECK(sigismember(&mask, SIGINT) == 0);
  CHECK(sigismember(&mask, SIGTERM) == 0);
}

}  // namespace kdb::test::watchdog_test
