// The pool with threads and connections that are none. What it decides is tested in pool_state_test.

#include "pg/pool.hpp"

#include <atomic>
#include <chrono>
#include <condition_variable>
#include <memory>
#include <mutex>
#include <string>
#include <thread>
#include <utility>
#include <vector>

#include <doctest/doctest.h>

#include "base/error.hpp"

namespace kdb::pool_test {

using namespace kdb::pg;
using std::chrono::milliseconds;
using std::chrono::seconds;
using std::chrono::steady_clock;
using Reason = PoolRefusal::Reason;
using Acquired = std::variant<Pool::Lease, PoolRefusal>;

namespace {

/// A server without a server: what it is asked, and what it is told to answer.
struct FakeServer {
  std::atomic<int> opened{0};
  std::atomic<int> open{0};
  std::atomic<int> most_open{0};
  std::atomic<int> asked{0};
  std::atomic<int> resets{0};
  std::atomic<bool> alive{true};
  std::atomic<bool> resets_well{true};

  std::mutex mutex;  // guards the rest
  std::condition_variable changed;
  ServerError failure;
  int failures_left = 0;
  int opening = 0;
  bool gate_shut = false;

  /// Everything that is opened, asked or tidied up from here on waits for the gate.
  void shut_gate() {
    const std::lock_guard lock(mutex);
    gate_shut = true;
  }
  void open_gate() {
    const std::lock_guard lock(mutex);
    gate_shut = false;
    changed.notify_all();
  }
  void wait_at_gate() {
    std::unique_lock lock(mutex);
    ++opening;
    changed.notify_all();
    changed.wait(lock, [this] { return !gate_shut; });
    --opening;
  }
  void await_at_gate(int count) {
    std::unique_lock lock(mutex);
    changed.wait(lock, [&] { return opening >= count; });
  }
  void fail(int times, const std::string& sqlstate) {
    const std::lock_guard lock(mutex);
    failures_left = times;
    failure.sqlstate = sqlstate;
    failure.message = "no";
    failure.phase = Phase::connecting;
  }

  PoolSession connect() {
    wait_at_gate();
    {
      const std::lock_guard lock(mutex);
      if (failures_left > 0) {
        --failures_left;
        throw ServerError(failure);
      }
    }
    ++opened;
    const int now_open = ++open;
    int most = most_open;
    while (now_open > most && !most_open.compare_exchange_weak(most, now_open)) {
    }
    // Closed when the last function that knows of it is gone.
    const std::shared_ptr<FakeServer> held(this, [](FakeServer* server) { --server->open; });
    return {.connection = nullptr,
            .is_alive =
                [held](milliseconds) {
                  held->wait_at_gate();
                  ++held->asked;
                  return held->alive.load();
                },
            .reset =
                [held](milliseconds) {
                  held->wait_at_gate();
                  ++held->resets;
                  return held->resets_well.load();
                }};
  }
  PoolOpener opener() {
    return [this] { return connect(); };
  }
};

/// What was reported, for whoever waits for it.
struct Reports {
  std::mutex mutex;
  std::condition_variable changed;
  std::vector<Event> all;

  EventSink sink() {
    return [this](const Event& event) {
      const std::lock_guard lock(mutex);
      all.push_back(event);
      changed.notify_all();
    };
  }
  /// The first whose message contains it; waits for it.
  Event await(const std::string& part) {
    std::unique_lock lock(mutex);
    Event found;
    const bool came = changed.wait_for(lock, seconds(20), [&] {
      for (const Event& event : all) {
        if (event.message.find(part) == std::string::npos) continue;
        found = event;
        return true;
      }
      return false;
    });
    CHECK_MESSAGE(came, part);
    return found;
  }
};

const EventSink no_events;
const RetryPolicy quick{.initial = milliseconds(1), .max_delay = milliseconds(2)};

Pool::Time in(milliseconds time) { return steady_clock::now() + time; }
Pool::Time soon_enough() { return in(seconds(20)); }

Pool::Lease take(Acquired acquired) {
  const auto* refusal = std::get_if<PoolRefusal>(&acquired);
  REQUIRE_MESSAGE(refusal == nullptr, (refusal == nullptr ? "" : refusal->message));
  return std::get<Pool::Lease>(std::move(acquired));
}

PoolRefusal refusal(Acquired acquired) {
  REQUIRE(std::holds_alternative<PoolRefusal>(acquired));
  return std::get<PoolRefusal>(acquired);
}

std::int64_t destroyed(const Pool& pool, DestroyReason reason) {
  return pool.statistics().destroys.at(static_cast<size_t>(reason));
}

/// Waits until as many wait for a connection.
void await_waiting(const Pool& pool, int count) {
  while (pool.statistics().waiting != count) std::this_thread::yield();
}

}  // namespace

TEST_CASE("a lease goes back tidied up, and the next one gets the same connection") {
  FakeServer server;
  {
    Pool pool({.max = 3}, quick, server.opener(), no_events);
    MemberId first = 0;
    {
      Pool::Lease lease = take(pool.acquire(soon_enough()));
      first = lease.id();
      CHECK(pool.statistics().active == 1);
      Pool::Lease moved = std::move(lease);
      CHECK(moved.id() == first);
    }
    CHECK(server.resets == 1);
    Pool::Lease again = take(pool.acquire(soon_enough()));
    CHECK(again.id() == first);
    again.give_back();
    again.give_back();
    CHECK(pool.statistics().idle == 1);
    CHECK(pool.statistics().acquires == 2);
  }
  CHECK(server.opened == 1);
  CHECK(server.open == 0);
}

TEST_CASE("what is discarded or cannot be tidied up is closed and replaced") {
  FakeServer server;
  Pool pool({.max = 1}, quick, server.opener(), no_events);
  take(pool.acquire(soon_enough())).discard();
  server.resets_well = false;
  take(pool.acquire(soon_enough())).give_back();
  server.resets_well = true;
  const Pool::Lease third = take(pool.acquire(soon_enough()));
  CHECK(third.id() == 3);
  CHECK(destroyed(pool, DestroyReason::broken) == 2);
  CHECK(server.open == 1);
}

TEST_CASE("a dead connection is replaced in the same call") {
  FakeServer server;
  Pool pool({.max = 2, .check_after = milliseconds(0)}, quick, server.opener(), no_events);
  take(pool.acquire(soon_enough())).give_back();
  server.alive = false;
  const Pool::Lease lease = take(pool.acquire(soon_enough()));
  CHECK(lease.id() == 2);
  CHECK(server.asked == 1);
  CHECK(destroyed(pool, DestroyReason::dead) == 1);
  CHECK(pool.statistics().timeouts == 0);
}

TEST_CASE("who waits too long is told what is in use") {
  FakeServer server;
  Pool pool({.max = 1}, quick, server.opener(), no_events);
  const Pool::Lease lease = take(pool.acquire(soon_enough()));
  const PoolRefusal late = refusal(pool.acquire(in(milliseconds(5))));
  CHECK(late.reason == Reason::timeout);
  CHECK(late.message.find("1 of 1 in use, 0 more waiting") != std::string::npos);
  CHECK(late.hint.find("max of [connection] pool") != std::string::npos);
  CHECK(refusal(pool.acquire(in(milliseconds(-1)))).reason == Reason::timeout);
  CHECK(pool.statistics().timeouts == 2);
}

TEST_CASE("a server that comes back is waited for, and its failures are reported") {
  FakeServer server;
  Reports reports;
  server.fail(3, "57P03");
  Pool pool({.max = 2}, quick, server.opener(), reports.sink());
  const Pool::Lease lease = take(pool.acquire(soon_enough()));
  CHECK(pool.statistics().failed_connects == 3);
  const Event failure = reports.await("cannot connect: no (57P03)");
  CHECK(failure.kind == Event::Kind::retry);
}

TEST_CASE("what will not pass ends the wait, with the server's reason") {
  FakeServer server;
  server.fail(1'000, "28P01");
  Pool pool({.max = 2}, quick, server.opener(), no_events);
  const PoolRefusal refused = refusal(pool.acquire(soon_enough()));
  CHECK(refused.reason == Reason::cannot_connect);
  CHECK(refused.sqlstate == "28P01");
  CHECK(refused.message == "cannot connect: no (28P01)");
  CHECK(refused.hint.find("check user and password") != std::string::npos);
}

TEST_CASE("a wait that ends while the server fails says how it fails") {
  FakeServer server;
  server.fail(1'000'000, "57P03");
  Reports reports;
  Pool pool({.max = 2}, {.initial = seconds(100), .max_delay = seconds(100)}, server.opener(),
            reports.sink());
  std::thread first([&] { refusal(pool.acquire(in(milliseconds(1)))); });
  reports.await("57P03");
  first.join();
  const PoolRefusal refused = refusal(pool.acquire(in(milliseconds(1))));
  CHECK(refused.reason == Reason::timeout);
  CHECK(refused.sqlstate == "57P03");
  CHECK(refused.message.find("0 of 2 in use") != std::string::npos);
  CHECK(refused.message.find("cannot connect: no (57P03)") != std::string::npos);
}

TEST_CASE("a signal that ends connecting ends the wait") {
  Pool pool(
      {.max = 1}, quick, []() -> PoolSession { throw Error(Exit::interrupted, "interrupted by SIGINT"); },
      no_events);
  const PoolRefusal refused = refusal(pool.acquire(soon_enough()));
  CHECK(refused.reason == Reason::cannot_connect);
  CHECK(refused.message == "interrupted by SIGINT");
}

TEST_CASE("a full server is made do with") {
  FakeServer server;
  Reports reports;
  Pool pool({.max = 5}, quick, server.opener(), reports.sink());
  Pool::Lease one = take(pool.acquire(soon_enough()));
  server.fail(1'000, "53300");
  std::thread other([&] { take(pool.acquire(soon_enough())).give_back(); });
  reports.await("the pool makes do with 1 of 5");
  CHECK(pool.statistics().max == 1);
  one.give_back();
  other.join();
}

TEST_CASE("while one is being opened, asked or tidied up, everybody else goes on") {
  FakeServer server;
  Pool pool({.max = 2, .check_after = milliseconds(0)}, quick, server.opener(), no_events);
  Pool::Lease one = take(pool.acquire(soon_enough()));
  server.shut_gate();
  std::thread opens([&] { take(pool.acquire(soon_enough())).give_back(); });
  server.await_at_gate(1);
  CHECK(pool.statistics().constructing == 1);  // does not wait at the gate
  std::thread tidies([&] { one.give_back(); });
  server.await_at_gate(2);
  CHECK(pool.statistics().active == 1);
  server.open_gate();
  opens.join();
  tidies.join();
  while (pool.statistics().constructing > 0) std::this_thread::yield();

  server.shut_gate();
  std::thread asks([&] { take(pool.acquire(soon_enough())).give_back(); });
  server.await_at_gate(1);
  CHECK(pool.statistics().active == 1);
  server.open_gate();
  asks.join();
}

TEST_CASE("a closed pool refuses who waits and who comes, and takes leases back") {
  FakeServer server;
  Pool pool({.max = 1}, quick, server.opener(), no_events);
  Pool::Lease lease = take(pool.acquire(soon_enough()));
  std::thread waits([&] { CHECK(refusal(pool.acquire(Pool::Time::max())).reason == Reason::closed); });
  await_waiting(pool, 1);
  pool.close();
  waits.join();
  CHECK(refusal(pool.acquire(soon_enough())).message == "the connection pool is closed");
  lease.give_back();
  CHECK(server.open == 0);
  CHECK(pool.statistics().total == 0);
}

TEST_CASE("a lease may outlive its pool") {
  FakeServer server;
  auto pool = std::make_unique<Pool>(PoolSettings{.max = 1}, quick, server.opener(), no_events);
  Pool::Lease lease = take(pool->acquire(soon_enough()));
  pool.reset();
  CHECK(server.open == 1);
  lease.give_back();
  CHECK(server.open == 0);
}

TEST_CASE("a pool is destroyed while somebody asks a connection, who is refused then") {
  FakeServer server;
  const auto kept = std::make_shared<int>(0);
  auto pool = std::make_unique<Pool>(
      PoolSettings{.max = 1, .check_after = milliseconds(0)}, quick,
      [&server, kept = kept] { return server.connect(); }, no_events);
  take(pool->acquire(soon_enough())).give_back();
  server.shut_gate();
  std::thread asking([&pool = *pool] {
    const PoolRefusal refused = refusal(pool.acquire(soon_enough()));
    CHECK(refused.reason == Reason::closed);
  });
  server.await_at_gate(1);
  pool.reset();
  CHECK(kept.use_count() == 2);  // ours, and that of what the thread comes back to
  server.open_gate();
  asking.join();
  CHECK(kept.use_count() == 1);
  CHECK(server.open == 0);
}

TEST_CASE("flush closes what is idle and what comes back") {
  FakeServer server;
  Pool pool({.max = 2}, quick, server.opener(), no_events);
  Pool::Lease one = take(pool.acquire(soon_enough()));
  take(pool.acquire(soon_enough())).give_back();
  pool.flush();
  CHECK(server.open == 1);
  one.give_back();
  CHECK(server.open == 0);
  CHECK(take(pool.acquire(soon_enough())).id() == 3);
}

TEST_CASE("the housekeeper closes what nobody uses, and tells who holds on") {
  FakeServer server;
  Reports reports;
  Pool pool({.max = 2, .idle_timeout = milliseconds(1), .leak_after = milliseconds(1)}, quick,
            server.opener(), reports.sink());
  Pool::Lease holds = take(pool.acquire(soon_enough(), "the report"));
  const Event leak = reports.await("held for");
  CHECK(leak.kind == Event::Kind::warning);
  CHECK(leak.message == "a connection of the pool has been held for 1 ms by the report");
  holds.give_back();
  while (server.open > 0) std::this_thread::yield();
  CHECK(pool.statistics().leaks == 1);
}

TEST_CASE("200 threads share a few connections, each alone, and none is forgotten") {
  FakeServer server;
  std::atomic<int> served{0};
  std::atomic<bool> shared{false};
  {
    Pool pool({.max = 5, .check_after = milliseconds(0)}, quick, server.opener(), no_events);
    std::vector<std::atomic<int>> holders(2'000);
    std::vector<std::thread> threads;
    for (int i = 0; i < 200; ++i) {
      threads.emplace_back([&, i] {
        for (int round = 0; round < 3; ++round) {
          Acquired acquired = pool.acquire(in(seconds(60)));
          if (auto* lease = std::get_if<Pool::Lease>(&acquired)) {
            std::atomic<int>& here = holders.at(lease->id());
            if (++here != 1) shared = true;
            std::this_thread::yield();
            --here;
            if ((i + round) % 17 == 0) lease->discard();
            ++served;
          }
        }
      });
    }
    for (std::thread& thread : threads) thread.join();
    CHECK(pool.statistics().waiting == 0);
    CHECK(pool.statistics().acquires == 600);
  }
  CHECK(served == 600);
  CHECK_FALSE(shared);
  CHECK(server.most_open <= 5);
  CHECK(server.open == 0);
}

TEST_CASE("impatient threads among patient ones lose no connection") {
  FakeServer server;
  {
    Pool pool({.max = 3}, quick, server.opener(), no_events);
    std::vector<std::thread> threads;
    std::atomic<int> patient{0};
    for (int i = 0; i < 40; ++i) {
      threads.emplace_back([&, i] {
        for (int round = 0; round < 5; ++round) {
          const bool waits = i % 2 == 0;
          Acquired acquired = pool.acquire(waits ? in(seconds(60)) : in(milliseconds(round / 2)));
          if (waits && std::holds_alternative<Pool::Lease>(acquired)) ++patient;
        }
      });
    }
    threads.emplace_back([&] {
      for (int i = 0; i < 5; ++i) pool.flush();
    });
    for (std::thread& thread : threads) thread.join();
    CHECK(patient == 100);
    const PoolStatistics end = pool.statistics();
    CHECK(end.active == 0);
    CHECK(end.acquires + end.timeouts == 200);
  }
  CHECK(server.open == 0);
}

}  // namespace kdb::pool_test
