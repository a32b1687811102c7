#pragma once

#include <csignal>
#include <future>
#include <string>

#include "db/gate.hpp"
#include "support/cases.hpp"
#include "support/fault_proxy.hpp"
#include "support/text.hpp"

namespace kdb::test {

enum class Death {
  before,  // the statement is journalled, and the server never saw it
  middle,  // the server is at work: kdb dies, and the backend too
  after,   // the statement is done, and kdb never heard of it
  none,    // kdb lives: the statement fails, or the test is about the run itself
};

struct Case {
  std::string name = {};
  std::string tables = {};     // the first migration
  std::string statement = {};  // the second, or its last statement where `settings` come first
  Death death = Death::none;
  std::string meanwhile = {};  // what somebody else does before the next run
  std::string question = {};   // asked after the next run, and
  std::string answer = {};     // what it says then
  int exit = 0;                // of the next run
  std::string says = {};       // part of its messages
  std::string settings = {};
};

/// The statement with a mark in it that its journal row does not have: there the quote is doubled.
inline std::string marked(const std::string& statement) {
  const size_t space = statement.find(' ', statement.rfind('\n') + 1);
  return statement.substr(0, space) + " /*'*/" + statement.substr(space);
}

/// `{db}` is the name of the test's database.
inline std::string filled(std::string text, const Database& database) {
  for (size_t at = text.find("{db}"); at != std::string::npos; at = text.find("{db}"))
    text.replace(at, 4, database.name());
  return text;
}

/// Ends kdb at the statement. `passes`: how often kdb sends it before, in vain, inside of a transaction.
inline void die_at_message(const Project& project, const Database& database, Death death, int passes = 0) {
  FaultProxy proxy(database.tcp_url());
  std::promise<pid_t> started;  // the rule has to be there before kdb comes to the statement
  const std::shared_future<pid_t> pid = started.get_future().share();
  proxy.add({.contains = "/*'*/",
             .when = death == Death::before ? FaultProxy::When::before_forward : FaultProxy::When::reply_held,
             .callback =
                 [&passes, pid](const FaultProxy::Query&) {
                   if (passes-- == 0) ::kill(pid.get(), SIGKILL);
                 },
             .fault = death == Death::before ? FaultProxy::Fault::cut : FaultProxy::Fault::none,
             .once = death == Death::before});
  Child kdb(project.command(proxy.url(), {"migrate", "up"}));
  started.set_value(kdb.pid());
  const Run run = kdb.wait();
  CHECK_MESSAGE(run.exit == 128 + SIGKILL, run.err);
  proxy.cut_all();
}

/// Ends kdb and its backend where the statement waits for a transaction that works on all tables.
inline void die_in_the_middle(const Project& project, const Database& database) {
  Session blocker(database.url());
  Session session(database.url());
  std::string tables = session.text(
      "SELECT coalesce(string_agg(oid::regclass::text, ', '), '') FROM pg_class WHERE relkind IN ('r', 'p') "
      "AND NOT relispartition AND relnamespace NOT IN ('pg_catalog'::regnamespace, "
      "'information_schema'::regnamespace) AND relnamespace::regnamespace::text <> 'kdb'");
  // CREATE INDEX waits for those that write and for old snapshots, the others for the locks.
  blocker.exec("BEGIN ISOLATION LEVEL REPEATABLE READ; SELECT 1");
  if (!tables.empty()) blocker.exec("LOCK TABLE " + tables + " IN ROW EXCLUSIVE MODE");
  Child kdb(project.command(database.url(), {"migrate", "up"}));
  const std::string waiting =
      "FROM pg_stat_activity WHERE datname = current_database() AND wait_event_type = 'Lock' AND query LIKE "
      "'%/*''*/%'";
  REQUIRE(eventually([&] { return session.text("SELECT count(*) " + waiting) == "1"; }));
  kdb.kill(SIGKILL);
  kdb.wait();
  session.exec("SELECT pg_terminate_backend(pid) " + waiting);
  REQUIRE(eventually([&] { return session.text("SELECT count(*) " + waiting) == "0"; }));
}

/// The migration that dies, in a database where the one before it is applied.
struct Scene {
  Project project;
  Database database;

  Scene(const std::string& tables, const std::string& file) {
    project.migration("1_tables", filled(tables, database));
    const Run first = project.up(database.url());
    REQUIRE_MESSAGE(first.exit == 0, first.err);
    project.migration("2_statement", filled(file, database));
  }
  Run up() const { return project.up(database.url()); }
};

inline void check(const Case& one) {
  CAPTURE(one.name);
  const Scene scene(one.tables, one.settings + marked(one.statement) + ";");
  const Database& database = scene.database;
  switch (one.death) {
    case Death::before:
    case Death::after:
      die_at_message(scene.project, database, one.death);
      break;
    case Death::middle:
      die_in_the_middle(scene.project, database);
      break;
    case Death::none:
      CHECK(scene.up().exit == 1);
      break;
  }
  REQUIRE(is_left_alone(database.url()));
  Session other(database.url());
  const std::string meanwhile = filled(one.meanwhile, database);
  size_t begin = 0;  // one by one: CONCURRENTLY and databases want no company
  for (size_t end = 0; end != std::string::npos && begin < meanwhile.size(); begin = end + 2) {
    end = meanwhile.find("; ", begin);
    other.exec(meanwhile.substr(begin, end == std::string::npos ? end : end - begin));
    if (end == std::string::npos) break;
  }
  const Run next = scene.up();
  CHECK_MESSAGE(next.exit == one.exit, next.err);
  CHECK_MESSAGE(has(next.err, one.says), next.err);
  CHECK(other.text(filled(one.question, database)) == one.answer);
  if (next.exit == 0) CHECK(has(scene.up().out, "nothing to do"));
}

}  // namespace kdb::test
