#pragma once

#include <csignal>
#include <string>

#include "db/project.hpp"
#include "support/cases.hpp"
#include "support/fault_proxy.hpp"

namespace kdb::test {

using Setup = void (*)(Project&);

struct Undisturbed {
  std::string state;
  int queries = 0;
};

inline Undisturbed undisturbed_run(const Project& project) {
  const Database database;
  FaultProxy proxy(database.tcp_url());
  const Run first = project.up(proxy.url());
  REQUIRE_MESSAGE(first.exit == 0, first.err);
  return {.state = database.state(), .queries = static_cast<int>(proxy.queries().size())};
}

struct Harm {
  const char* name;
  FaultProxy::When when;
  bool kills_kdb;
  FaultProxy::Fault fault;
};

inline constexpr Harm harms[] = {
    {"kill -9 of kdb before the server sees the message", FaultProxy::When::before_forward, true,
     FaultProxy::Fault::none},
    {"kill -9 of kdb while the server works", FaultProxy::When::before_reply, true, FaultProxy::Fault::none},
    {"kill -9 of kdb before it reads the answer", FaultProxy::When::reply_held, true,
     FaultProxy::Fault::none},
    {"the wire is cut before the message", FaultProxy::When::before_forward, false, FaultProxy::Fault::cut},
    {"the wire is cut after the answer was sent", FaultProxy::When::reply_held, false,
     FaultProxy::Fault::cut},
};

/// Does harm at each message in turn. After kill -9 the next run must finish the work; after everything else
/// kdb itself. Three kinds of harm share the messages out among them unless KDB_CASES asks for all: a run is
/// a third of a second.
inline void at_every_message(Setup setup, const Harm& harm) {
  const int stride = cases() > 200 ? 1 : 3;
  const int first_number = 1 + static_cast<int>(&harm - &harms[0]) % stride;
  Project project;
  setup(project);
  const Undisturbed expected = undisturbed_run(project);
  REQUIRE(expected.queries > 8);
  for (int number = first_number; number <= expected.queries; number += stride) {
    CAPTURE(std::string(harm.name));
    CAPTURE(number);
    const Database database;
    FaultProxy proxy(database.tcp_url());
    Child kdb(project.command(proxy.url(), {"migrate", "up"}));
    const pid_t pid = kdb.pid();
    std::string sql;
    proxy.add({.number = number,
               .when = harm.when,
               .callback =
                   [&](const FaultProxy::Query& query) {
                     sql = query.sql;
                     if (harm.kills_kdb) ::kill(pid, SIGKILL);
                   },
               .fault = harm.fault});
    const Run first = kdb.wait();
    CAPTURE(sql);
    CAPTURE(first.err);
    if (proxy.fired() == 0) continue;  // the run was a message shorter this time
    CHECK(first.exit == (harm.kills_kdb ? 128 + SIGKILL : 0));
    const Run second = project.up(database.url());
    CHECK_MESSAGE(second.exit == 0, second.err);
    CHECK(database.state() == expected.state);
  }
}

}  // namespace kdb::test
