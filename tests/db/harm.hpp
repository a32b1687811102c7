#pragma once

#include <algorithm>
#include <csignal>
#include <functional>
#include <future>
#include <iterator>
#include <string>
#include <vector>

#include <fmt/format.h>

#include "db/project.hpp"
#include "support/cases.hpp"
#include "support/fault_proxy.hpp"

namespace kdb::test {

enum class Victim { kdb, backend, wire };

struct Harm {
  const char* name;
  FaultProxy::When when;
  Victim victim;
};

inline constexpr Harm harms[] = {
    {"kill -9 of kdb before the server sees the message", FaultProxy::When::before_forward, Victim::kdb},
    {"kill -9 of kdb while the server works", FaultProxy::When::before_reply, Victim::kdb},
    {"kill -9 of kdb before it reads the answer", FaultProxy::When::reply_held, Victim::kdb},
    {"the backend ends while it works", FaultProxy::When::before_reply, Victim::backend},
    {"the wire is cut before the message", FaultProxy::When::before_forward, Victim::wire},
    {"the wire is cut after the answer was sent", FaultProxy::When::reply_held, Victim::wire},
};

/// What is done, to a database that was prepared for it, and what must come out.
struct Deed {
  std::function<void(const Database&)> prepare = [](const Database&) {};
  std::function<std::vector<std::string>(const std::string& url)> command;
  std::function<std::string(const Database&)> state = [](const Database& database) {
    return database.state();
  };
};

inline Deed deed_of(const Project& project) {
  return {.command = [&](const std::string& url) { return project.command(url, {"migrate", "up"}); }};
}

struct Undisturbed {
  std::string state;
  int messages = 0;
};

inline Undisturbed undisturbed(const Deed& deed) {
  const Database database;
  deed.prepare(database);
  FaultProxy proxy(database.tcp_url());
  const Run only = run(deed.command(proxy.url()));
  REQUIRE_MESSAGE(only.exit == 0, only.err);
  return {.state = deed.state(database), .messages = static_cast<int>(proxy.queries().size())};
}

/// Harm at one message. After kill -9 of kdb the next run must finish the work, after everything else kdb
/// itself.
inline void at_message(const Deed& deed, const Undisturbed& expected, const Harm& harm, int number) {
  CAPTURE(std::string(harm.name));
  CAPTURE(number);
  const Database database;
  deed.prepare(database);
  FaultProxy proxy(database.tcp_url());
  std::promise<pid_t> started;  // the rule has to be there when kdb sends its first message
  const std::shared_future<pid_t> pid = started.get_future().share();
  std::string sql;
  proxy.add(
      {.number = number,
       .when = harm.when,
       .callback =
           [&](const FaultProxy::Query& query) {
             sql = query.sql;
             if (harm.victim == Victim::kdb) ::kill(pid.get(), SIGKILL);
             if (harm.victim == Victim::backend)
               Session(server_url()).exec(fmt::format("SELECT pg_terminate_backend({})", query.backend_pid));
           },
       .fault = harm.victim == Victim::wire ? FaultProxy::Fault::cut : FaultProxy::Fault::none});
  Child kdb(deed.command(proxy.url()));
  started.set_value(kdb.pid());
  const Run first = kdb.wait();
  CAPTURE(sql);
  CAPTURE(first.err);
  if (proxy.fired() == 0) return;  // the run was a message shorter this time
  CHECK(first.exit == (harm.victim == Victim::kdb ? 128 + SIGKILL : 0));
  const Run second = run(deed.command(database.url()));
  CHECK_MESSAGE(second.exit == 0, second.err);
  CHECK(deed.state(database) == expected.state);
}

/// Harm of every kind at every `stride`-th message, the kinds evenly between each other's; all kinds at all
/// messages where KDB_CASES asks for more than a short run.
inline void at_every_message(const Deed& deed, int stride) {
  stride = cases() > 200 ? 1 : stride * static_cast<int>(harm_every());
  const unsigned first_seed = seed();
  CAPTURE(first_seed);
  const int first = static_cast<int>(first_seed % static_cast<unsigned>(stride));
  const Undisturbed expected = undisturbed(deed);
  REQUIRE(expected.messages > 8);
  constexpr int kinds = std::size(harms);
  int kind = 0;
  for (const Harm& harm : harms)
    for (int number = 1 + (first + kind++ * stride / kinds) % stride; number <= expected.messages;
         number += stride)
      at_message(deed, expected, harm, number);
}

}  // namespace kdb::test
