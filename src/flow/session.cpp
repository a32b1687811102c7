#include "flow/session.hpp"

#include <fmt/format.h>

#include "base/error.hpp"
#include "base/text.hpp"
#include "pg/connect.hpp"
#include "pg/deploy_lock.hpp"
#include "pg/failure.hpp"
#include "pg/session_sql.hpp"

namespace kdb::flow {

namespace {

/// A migration that ends the server each time must not be repeated for ever.
constexpr int losses_without_progress = 3;

/// PostgreSQL's number as people write it: 150020 is 15.20.
std::string version_text(int number) { return fmt::format("{}.{}", number / 10000, number % 10000); }

void check_expectations(const files::DatabaseSection& database, const SessionFacts& facts,
                        const std::string& system_identifier) {
  const auto refuse = [&](std::string_view what, const std::string& expected, const std::string& actual) {
    if (!expected.empty() && expected != actual)
      throw Error(
          Exit::refused,
          fmt::format("the wrong database: its {} is {}, the profile expects {}", what, actual, expected),
          "check the URL, or [database] expect in the profile");
  };
  refuse("name", database.expect_name, facts.database);
  refuse("system identifier", database.expect_system_identifier, system_identifier);
}

/// The first round trip: settings, and who answers.
void introduce(const Context& context, Session& session) {
  const files::Profile& profile = context.profile;
  pg::Connection& connection = *session.connection;
  const bool asks_identifier = !profile.database.expect_system_identifier.empty();
  const pg::Result row = connection.exec(fmt::format(
      "SELECT pg_catalog.pg_backend_pid(), pg_catalog.current_database(), session_user, "
      // to_regclass() fails without the right to look into the schema, which not every command needs.
      "pg_catalog.pg_is_in_recovery(), CASE WHEN pg_catalog.has_schema_privilege("
      "pg_catalog.to_regnamespace({0}), 'USAGE') THEN pg_catalog.to_regclass({1}) IS NOT NULL "
      "ELSE pg_catalog.to_regnamespace({0}) IS NOT NULL END{2}{3}",
      quote_literal(quote_ident(session.store.schema())),
      quote_literal(quote_ident(session.store.schema()) + ".format"),
      asks_identifier ? ", (SELECT system_identifier FROM pg_catalog.pg_control_system())" : "",
      pg::own_session_columns(connection.server_version(), profile.connection.statement_timeout,
                              connection.announced_pid())));
  SessionFacts& facts = session.facts;
  facts.backend_pid = static_cast<int>(row.integer(0, 0));
  facts.database = row.text(0, 1);
  facts.user = row.text(0, 2);
  facts.in_recovery = row.boolean(0, 3);
  facts.has_history = row.boolean(0, 4);
  facts.version = version_text(connection.server_version());
  facts.target = fmt::format("{} on {} as {} (PostgreSQL {}{})", facts.database, connection.endpoint(),
                             facts.user, facts.version, facts.in_recovery ? ", standby" : "");
  check_expectations(profile.database, facts, asks_identifier ? row.text(0, 5) : "");
}

/// The server's own hint, or what to do about an error that kdb's statements meet, not a migration's.
std::string hint_for(const pg::ServerError& error) {
  if (!error.hint.empty()) return error.hint;
  if (error.sqlstate == "25006")
    return "the session is read-only: connect to the primary, and look at default_transaction_read_only";
  if (error.sqlstate == "42501")
    return "kdb keeps its history in a schema of its own: grant the role CREATE on the database, or make the "
           "schema for it "
           "with CREATE SCHEMA kdb AUTHORIZATION its_name";
  if (error.sqlstate == "42703" || error.sqlstate == "42P01" || error.sqlstate == "42P07")
    return "is the schema of kdb's history somebody else's? [database] history_schema names another one";
  return {};
}

}  // namespace

History Session::read_history(bool with_times) const {
  return facts.has_history ? store.read(*connection, with_times) : History{};
}

Session open_session(const Context& context) {
  const files::Profile& profile = context.profile;
  return read_again(context, [&] {
    Session session{.connection = pg::connect_with_retry(context.connect, context.watchdog,
                                                         profile.connection.retry, context.events),
                    .store = pg::HistoryStore(profile.database.history_schema)};
    introduce(context, session);
    return session;
  });
}

void refuse_further_loss(const Context& context, const pg::ServerError& error, int losses,
                         const std::string& doing) {
  context.watchdog.check();
  const std::string what = pg::describe(error);
  if (!error.session_ended)
    throw Error(Exit::failed, Problem{.message = what, .hint = hint_for(error), .details = error.detail});
  if (losses >= losses_without_progress)
    throw Error(Exit::failed,
                fmt::format("the connection was lost {} times in a row without progress{}{}: {}", losses,
                            doing.empty() ? "" : ", ", doing, what),
                "look into the server's log; what was done is recorded, run again to go on");
  context.events(
      {.kind = Event::Kind::retry,
       .message = fmt::format("connection lost: {}; connecting again, the history says what is left", what)});
}

void refuse_transaction_pooler(const Context& context, Session& session) {
  const files::ConnectionSection& settings = context.profile.connection;
  pg::Connection& connection = *session.connection;
  pg::refuse_transaction_pooler(connection, context.connect, context.watchdog, session.facts.backend_pid,
                                settings.pooler == "session");
  if (connection.announced_pid() != session.facts.backend_pid)
    connection.exec(pg::session_sql(connection.server_version(), settings.statement_timeout));
}

}  // namespace kdb::flow
