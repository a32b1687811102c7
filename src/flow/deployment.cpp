#include "flow/deployment.hpp"

#include <chrono>

#include <fmt/format.h>

#include "base/text.hpp"
#include "core/steps.hpp"
#include "core/to_report.hpp"
#include "flow/locked_history.hpp"
#include "pg/deploy_lock.hpp"
#include "pg/execute.hpp"
#include "pg/failure.hpp"
#include "pg/observer.hpp"

namespace kdb::flow {

namespace {

std::string outcome_of(Exit exit) {
  switch (exit) {
    case Exit::interrupted:
    case Exit::terminated:
      return "interrupted";
    case Exit::refused:
    case Exit::history:
      return "refused";
    case Exit::lock:
      return "lock not obtained";
    case Exit::ok:
    case Exit::pending:
    case Exit::usage:
    case Exit::failed:
      return "failed";
  }
  return "failed";
}

/// A signal's error says nothing of what it met.
Error while_running(const Error& error, const MigrationPlan* plan) {
  const bool signal = error.exit() == Exit::interrupted || error.exit() == Exit::terminated;
  if (!signal || plan == nullptr) return error;
  return {error.exit(), fmt::format("{} in {}", error.what(), pg::subject(*plan)),
          "what was done is recorded; run again to go on"};
}

}  // namespace

Deployment::Deployment(const Context& context, Decide decide)
    : context_(context), decide_(std::move(decide)) {}

namespace {

/// `applied 0002 create_profiles`, `created index events_by_day`.
std::string done_text(const MigrationPlan& plan) {
  const std::string_view done = plan.object                       ? plan.object->done
                                : plan.direction == Direction::up ? std::string_view("applied")
                                                                  : "undone";
  return fmt::format("{} {}", done, pg::title(plan));
}

}  // namespace

std::vector<Ran> Deployment::run(Session session) {
  refuse_standby(session.facts.in_recovery, session.facts.target);
  context_.events({.kind = Event::Kind::info, .message = "target: " + session.facts.target});
  int losses = 0;
  for (;;) {
    try {
      run_on(session);
      return std::move(ran_);
    } catch (const pg::ServerError& error) {
      losses = progressed_ ? 1 : losses + 1;
      progressed_ = false;
      refuse_further_loss(context_, error, losses, doing_);
    }
    session = open_session(context_);
  }
}

/// A backend whose client is gone keeps the lock until it notices, which takes hours behind a dead network.
/// Idle, it has nothing to lose; while it works it is left to finish: taking the lock waits for its end.
void Deployment::end_lost_session(Session& session) {
  pg::Connection& connection = *session.connection;
  if (!last_session_.empty())
    connection.exec(
        fmt::format("SELECT pg_catalog.pg_terminate_backend(pid) FROM pg_catalog.pg_stat_activity WHERE "
                    "(pid, backend_start) = ({}) "
                    "AND state IN ('idle', 'idle in transaction', 'idle in transaction (aborted)')",
                    last_session_));
  const pg::Result self = connection.exec(
      "SELECT pg_catalog.format('%s, timestamptz %L', pid, backend_start) FROM pg_catalog.pg_stat_activity "
      "WHERE pid = pg_catalog.pg_backend_pid()");
  last_session_ = self.empty() ? "" : self.text(0, 0);
}

namespace {

/// Strings that end elsewhere than the scanner thinks may hold statements that it never saw.
void refuse_backslash_strings(const Session& session) {
  if (session.connection->conforming_strings()) return;
  throw Error(
      Exit::refused,
      fmt::format("{} has standard_conforming_strings = off: strings end elsewhere than kdb reads them",
                  session.facts.target),
      "ALTER DATABASE … SET standard_conforming_strings TO on, or the same for the role or the server");
}

}  // namespace

void Deployment::run_one(pg::Executor& executor, const Work& work) {
  context_.watchdog.check();
  const auto begun = std::chrono::steady_clock::now();
  doing_ = (work.plan.direction == Direction::up ? "applying " : "undoing ") + pg::title(work.plan);
  executor.run(run_id_, work.plan, work.resume);
  const auto took =
      std::chrono::duration_cast<std::chrono::milliseconds>(std::chrono::steady_clock::now() - begun).count();
  progressed_ = true;
  const MigrationFile& file = work.plan.migration.file;
  ran_.push_back({.version = file.version,
                  .name = work.plan.object ? work.plan.object->name : file.name,
                  .milliseconds = took});
  context_.events({.kind = Event::Kind::info,
                   .message = fmt::format("{} ({})", done_text(work.plan),
                                          human_duration(static_cast<double>(took) / 1000.0))});
}

void Deployment::run_on(Session& session) {
  pg::Connection& connection = *session.connection;
  const files::Profile& profile = context_.profile;
  end_lost_session(session);
  refuse_transaction_pooler(context_, session);
  refuse_backslash_strings(session);
  pg::take_deploy_lock(connection, context_.watchdog, session.store.lock_key(), profile.migrations.lock_wait,
                       context_.random, context_.events);
  prepare_history(session);
  std::vector<Work> work = decide_(session);
  if (work.empty()) {
    if (run_id_ != 0) session.store.finish_run(connection, run_id_, "done", "");
    pg::release_deploy_lock(connection, session.store.lock_key());
    return;
  }
  if (run_id_ == 0) run_id_ = session.store.begin_run(connection, context_.command, context_.who());

  connection.on_notice([this](std::string_view message) {
    context_.events({.kind = Event::Kind::notice, .message = std::string(message)});
  });
  pg::Observer observer(context_.connect, context_.watchdog, session.facts.backend_pid, context_.events);
  pg::Executor executor(connection, context_.watchdog, session.store, observer,
                        {.lock_timeout = profile.connection.lock_timeout,
                         .build_wait = profile.connection.build_wait,
                         .statement_timeout = profile.connection.statement_timeout,
                         .role = profile.database.role,
                         .schema = profile.database.schema,
                         .lock_retry = profile.migrations.lock_retry,
                         .random = context_.random,
                         .separate = as_separate_steps},
                        context_.events);
  const MigrationPlan* running = nullptr;
  try {
    for (; !work.empty(); work = work.back().decide_again ? decide_(session) : std::vector<Work>{}) {
      for (const Work& item : work) {
        running = &item.plan;
        run_one(executor, item);
      }
      running = nullptr;
    }
  } catch (const Error& thrown) {
    const Error error = while_running(thrown, running);
    session.store.finish_run(connection, run_id_, outcome_of(error.exit()), error.what());
    pg::release_deploy_lock(connection, session.store.lock_key());
    throw error;
  }
  session.store.finish_run(connection, run_id_, "done", "");
  pg::release_deploy_lock(connection, session.store.lock_key());
}

}  // namespace kdb::flow
