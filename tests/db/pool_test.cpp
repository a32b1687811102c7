// The pool on a real server, and on one that dies, is full or says nothing any more.

#include "pg/pool.hpp"

#include <atomic>
#include <chrono>
#include <csignal>
#include <mutex>
#include <string>
#include <thread>
#include <utility>
#include <variant>
#include <vector>

#include <fmt/format.h>

#include "db/own_server.hpp"
#include "db/session.hpp"
#include "pg/pool_work.hpp"
#include "support/fault_proxy.hpp"

namespace kdb::test::pool_test {

using namespace kdb::pg;
using std::chrono::milliseconds;
using std::chrono::seconds;
using std::chrono::steady_clock;
using Acquired = std::variant<Pool::Lease, PoolRefusal>;

namespace {

const RetryPolicy quick{.initial = milliseconds(20), .max_delay = milliseconds(100)};

Pool::Time in(milliseconds time) { return steady_clock::now() + time; }
Pool::Time soon_enough() { return in(seconds(30)); }

Pool::Lease take(Acquired acquired) {
  const auto* refusal = std::get_if<PoolRefusal>(&acquired);
  REQUIRE_MESSAGE(refusal == nullptr, (refusal == nullptr ? "" : refusal->message));
  return std::get<Pool::Lease>(std::move(acquired));
}

PoolConnect to(const std::string& url) {
  return {.connect = settings_for(url),
          .statement_timeout = milliseconds(60'000),
          .lock_timeout = milliseconds(1'234)};
}

std::int64_t destroyed(const Pool& pool, DestroyReason reason) {
  return pool.statistics().destroys.at(static_cast<size_t>(reason));
}

std::string pid_of(Pool::Lease& lease) { return lease->exec("SELECT pg_backend_pid()").text(0, 0); }

void kill_backend(const std::string& pid) {
  Watchdog watchdog;
  Connection other(settings_for(server_url()), watchdog);
  other.exec("SELECT pg_terminate_backend(" + pid + ")");
  CHECK(soon([&] { return other.exec("SELECT FROM pg_stat_activity WHERE pid = " + pid).affected == 0; }));
}

/// Everything is asked for its life before it is used, however short it was idle.
const PoolSettings always_asked{.max = 3, .check_after = milliseconds(0)};

}  // namespace

TEST_CASE("the next user of a session finds nothing of the last one's") {
  Watchdog watchdog;
  Pool pool({.max = 1}, quick, open_connections(to(server_url()), watchdog), {});
  Pool::Lease first = take(pool.acquire(soon_enough()));
  const std::string pid = pid_of(first);
  CHECK(first->exec("SHOW lock_timeout").text(0, 0) == "1234ms");
  first->exec(
      "SET statement_timeout TO '7s'; SET search_path TO pg_catalog; SET TimeZone TO 'Asia/Tokyo'; "
      "CREATE TEMP TABLE mine (n int); PREPARE mine AS SELECT 1; SELECT pg_advisory_lock(42); LISTEN mine");
  first->exec("BEGIN; CREATE TABLE public.kdb_pool_half (n int)");
  first.give_back();

  Pool::Lease second = take(pool.acquire(soon_enough()));
  CHECK(pid_of(second) == pid);
  CHECK(second->outside_transaction());
  CHECK(second
            ->exec("SELECT current_setting('statement_timeout') || ' ' || current_setting('lock_timeout') || "
                   "' ' || "
                   "current_setting('TimeZone') || ' ' || (current_setting('search_path') = 'pg_catalog')")
            .text(0, 0) == "1min 1234ms UTC false");
  CHECK(second
            ->exec("SELECT concat_ws(',', to_regclass('mine'), to_regclass('public.kdb_pool_half'), "
                   "(SELECT count(*) FROM pg_prepared_statements), (SELECT count(*) FROM "
                   "pg_listening_channels()), "
                   "(SELECT count(*) FROM pg_locks WHERE locktype = 'advisory' AND pid = pg_backend_pid()))")
            .text(0, 0) == "0,0,0");

  CHECK(failure_of(*second, "BEGIN; SELECT 1 / 0").sqlstate == "22012");
  second.give_back();
  Pool::Lease third = take(pool.acquire(soon_enough()));
  CHECK(pid_of(third) == pid);
  CHECK(third->outside_transaction());
}

TEST_CASE("a killed backend costs its holder an error, and nobody else anything") {
  Watchdog watchdog;
  Pool pool(always_asked, quick, open_connections(to(server_url()), watchdog), {});
  Pool::Lease held = take(pool.acquire(soon_enough()));
  kill_backend(pid_of(held));
  CHECK(failure_of(*held, "SELECT 1").session_ended);
  held.give_back();
  CHECK(destroyed(pool, DestroyReason::broken) == 1);

  Pool::Lease idle = take(pool.acquire(soon_enough()));
  const std::string pid = pid_of(idle);
  idle.give_back();
  kill_backend(pid);
  Pool::Lease next = take(pool.acquire(soon_enough()));
  CHECK(pid_of(next) != pid);
  CHECK(destroyed(pool, DestroyReason::dead) == 1);
  CHECK(pool.statistics().failed_connects == 0);
}

TEST_CASE("a restart of the server is waited for, and all connections are made good") {
  OwnServer server;
  Watchdog watchdog;
  Pool pool(always_asked, quick, open_connections(to(server.url()), watchdog), {});
  for (const int signal : {SIGINT, SIGQUIT}) {
    CAPTURE(signal);
    {
      Pool::Lease one = take(pool.acquire(soon_enough()));
      Pool::Lease two = take(pool.acquire(soon_enough()));
      CHECK(pid_of(one) != pid_of(two));
    }
    server.stop(signal);
    Acquired acquired = PoolRefusal{};
    std::thread waits([&] { acquired = pool.acquire(soon_enough()); });
    const std::int64_t failed = pool.statistics().failed_connects;
    CHECK(soon([&] { return pool.statistics().failed_connects > failed; }));
    server.start();
    waits.join();
    Pool::Lease lease = take(std::move(acquired));
    CHECK(lease->exec("SELECT 1").integer(0, 0) == 1);
  }
  CHECK(destroyed(pool, DestroyReason::dead) == 4);
}

TEST_CASE("a server without room for all of them is shared by fewer") {
  OwnServer server;
  server.stop(SIGINT);
  server.start(
      {"-c", "max_connections=5", "-c", "superuser_reserved_connections=0", "-c", "max_wal_senders=0"});
  Watchdog watchdog;
  std::mutex mutex;
  std::vector<Event> events;
  Pool pool({.max = 20}, quick, open_connections(to(server.url()), watchdog), [&](const Event& event) {
    const std::lock_guard lock(mutex);
    events.push_back(event);
  });
  std::atomic<int> served{0};
  std::vector<std::thread> threads;
  for (int i = 0; i < 20; ++i) {
    threads.emplace_back([&] {
      Acquired acquired = pool.acquire(soon_enough());
      auto* lease = std::get_if<Pool::Lease>(&acquired);
      if (lease == nullptr) return;
      served += static_cast<int>((*lease)->exec("SELECT 1").size());
      // Whoever is fast is not done before the server was full.
      soon([&] { return pool.statistics().failed_connects > 0; });
    });
  }
  for (std::thread& thread : threads) thread.join();
  std::vector<Pool::Lease> all;
  for (int i = 0; i < 5; ++i) {
    Acquired acquired = pool.acquire(soon_enough());
    if (std::holds_alternative<Pool::Lease>(acquired))
      all.push_back(std::get<Pool::Lease>(std::move(acquired)));
  }
  CHECK(served == 20);
  CHECK(all.size() == 5);
  Acquired sixth = pool.acquire(in(milliseconds(500)));
  REQUIRE(std::holds_alternative<PoolRefusal>(sixth));
  CHECK(std::get<PoolRefusal>(sixth).reason == PoolRefusal::Reason::timeout);
  CHECK(std::get<PoolRefusal>(sixth).sqlstate == "53300");
  CHECK(pool.statistics().max == 5);
  const std::lock_guard lock(mutex);
  CHECK(std::any_of(events.begin(), events.end(), [](const Event& event) {
    return event.message.find("takes no more sessions (53300): the pool makes do with ") != std::string::npos;
  }));
}

TEST_CASE("a network that swallows everything holds up who uses it, for a known time, and nobody else") {
  Watchdog watchdog;
  FaultProxy proxy(server_url("KDB_SANDBOX_TCP_URL"));
  PoolSettings settings = always_asked;
  settings.check_timeout = milliseconds(200);
  PoolConnect connect = to(proxy.url());
  connect.connect_timeout = milliseconds(300);
  Pool pool(settings, quick, open_connections(connect, watchdog), {});
  Pool::Lease held = take(pool.acquire(soon_enough()));
  take(pool.acquire(soon_enough())).give_back();
  proxy.black_hole_all();
  held.give_back();  // cannot be tidied up, and so is closed
  CHECK(destroyed(pool, DestroyReason::broken) == 1);
  const Acquired none = pool.acquire(in(milliseconds(700)));
  REQUIRE(std::holds_alternative<PoolRefusal>(none));
  CHECK(std::get<PoolRefusal>(none).message.find("cannot connect: no answer within") != std::string::npos);
  CHECK(destroyed(pool, DestroyReason::dead) == 1);
  proxy.heal();
  CHECK(take(pool.acquire(soon_enough()))->exec("SELECT 1").integer(0, 0) == 1);
}

TEST_CASE("200 threads are served by five connections, though backends are killed meanwhile") {
  Watchdog watchdog;
  {
    Connection setup(settings_for(server_url()), watchdog);
    setup.exec("DROP TABLE IF EXISTS kdb_pool_work; CREATE TABLE kdb_pool_work (who int PRIMARY KEY)");
  }
  std::atomic<int> done{0};
  std::atomic<int> in_doubt{0};
  {
    PoolConnect connect = to(server_url());
    connect.connect.application_name = "kdb-pool-test";
    Pool pool({.max = 5, .check_after = milliseconds(0)}, quick, open_connections(connect, watchdog), {});
    SharedRetryBudget budget(RetryBudget(0.1, 200));
    const PoolWork how{
        .policy = {.initial = milliseconds(1), .max_delay = milliseconds(10), .max_attempts = 50},
        .budget = &budget,
        .purpose = "a worker",
        .now = [] { return steady_clock::now(); },
        .sleep = [](milliseconds) { std::this_thread::yield(); },
        .random = [] { return 0.5; }};
    std::vector<std::thread> threads;
    for (int i = 0; i < 200; ++i) {
      threads.emplace_back([&, i] {
        const WorkOutcome outcome = run_on(pool, how, [&](Pool::Lease& lease) {
          lease->exec("BEGIN", Phase::in_transaction);
          lease->exec(fmt::format("INSERT INTO kdb_pool_work VALUES ({})", i), Phase::in_transaction);
          lease->exec("COMMIT", Phase::committing);
        });
        if (outcome.end == WorkOutcome::End::done) ++done;
        if (outcome.end == WorkOutcome::End::in_doubt) ++in_doubt;
      });
    }
    Connection killer(settings_for(server_url()), watchdog);
    for (int i = 0; i < 3; ++i)
      killer.exec(
          "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE application_name = 'kdb-pool-test' "
          "ORDER BY random() LIMIT 2");
    for (std::thread& thread : threads) thread.join();
    const PoolStatistics end = pool.statistics();
    CHECK(end.waiting == 0);
    CHECK(end.active == 0);
    CHECK(end.total <= 5);
  }
  Connection after(settings_for(server_url()), watchdog);
  const std::int64_t rows = after.exec("SELECT count(*) FROM kdb_pool_work").integer(0, 0);
  CHECK(done + in_doubt == 200);
  CHECK(rows >= done);  // what is in doubt may be there
  CHECK(rows <= done + in_doubt);
  after.exec("DROP TABLE kdb_pool_work");
  CHECK(soon([&] {
    return after.exec("SELECT FROM pg_stat_activity WHERE application_name = 'kdb-pool-test'").affected == 0;
  }));
}

}  // namespace kdb::test::pool_test
