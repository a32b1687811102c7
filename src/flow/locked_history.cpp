#include "flow/locked_history.hpp"

#include <fmt/format.h>

#include "base/error.hpp"
#include "base/text.hpp"
#include "pg/deploy_lock.hpp"

namespace kdb::flow {

void prepare_history(Session& session) {
  // Another deployer may have made the tables while this one waited for the lock.
  session.facts.has_history =
      session.connection
          ->exec(fmt::format("SELECT pg_catalog.to_regclass({}) IS NOT NULL",
                             quote_literal(quote_ident(session.store.schema()) + ".format")))
          .boolean(0, 0);
  const int format = session.read_history().format;
  if (format < pg::history_format) session.store.upgrade(*session.connection, format);
  session.facts.has_history = true;
}

void refuse_standby(bool standby, const std::string& target) {
  if (standby)
    throw Error(Exit::refused, fmt::format("{} cannot be written to", target),
                "connect to the primary, or let libpq find it with target_session_attrs=read-write");
}

LockedHistory::LockedHistory(const Context& context, Session& session) : session_(session) {
  refuse_standby(session.facts.in_recovery, session.facts.target);
  context.events({.kind = Event::Kind::info, .message = "target: " + session.facts.target});
  refuse_transaction_pooler(context, session);
  pg::take_deploy_lock(*session.connection, context.watchdog, session.store.lock_key(),
                       context.profile.migrations.lock_wait, context.random, context.events);
  prepare_history(session);
  run_ = session.store.begin_run(*session.connection, context.command, context.who());
}

void LockedHistory::write(const std::string& sql, std::string_view kind, std::string_view subject,
                          std::string_view message) {
  session_.connection->exec("BEGIN; " + session_.store.guard_sql() + sql +
                                session_.store.event_sql(run_, kind, subject, message) + "COMMIT",
                            Phase::committing);
  session_.store.finish_run(*session_.connection, run_, "done", message);
  pg::release_deploy_lock(*session_.connection, session_.store.lock_key());
}

}  // namespace kdb::flow
