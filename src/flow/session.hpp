#pragma once

#include <functional>
#include <memory>
#include <optional>
#include <string>

#include "base/event.hpp"
#include "base/retry.hpp"
#include "files/profile.hpp"
#include "pg/connection.hpp"
#include "pg/history.hpp"
#include "pg/watchdog.hpp"

namespace kdb::flow {

/// What every command that talks to a database is given.
struct Context {
  const files::Profile& profile;
  pg::ConnectSettings connect;
  pg::Watchdog& watchdog;
  EventSink events;
  Random random;
  std::string command;               // "kdb migrate up", for the history
  std::function<std::string()> who;  // "deploy@ci-7", for the history

  /// The same with another profile, which has to outlive it.
  Context with(const files::Profile& other) const {
    return {.profile = other,
            .connect = connect,
            .watchdog = watchdog,
            .events = events,
            .random = random,
            .command = command,
            .who = who};
  }
};

/// What the server said of itself in the first round trip.
struct SessionFacts {
  int backend_pid = 0;
  std::string database;
  std::string user;
  std::string version;  // "15.20"
  bool in_recovery = false;
  bool has_history = false;
  /// `klaviyo on localhost:5432 as deploy (PostgreSQL 15.20)`; of a standby `… (PostgreSQL 15.20, standby)`
  std::string target;
};

/// A connection whose session is as kdb wants it, and the history behind it.
struct Session {
  std::unique_ptr<pg::Connection> connection;
  pg::HistoryStore store;
  SessionFacts facts;

  /// The history; an empty one where its tables do not exist yet. One round trip, none without tables.
  History read_history(bool with_times = false) const;
};

/// Connects (with retry) and asks for the facts in one round trip. Throws Error(refused) if the database is
/// not the one that `[database] expect` names.
Session open_session(const Context& context);

/// Returns, after saying so, if an error is the loss of a connection which may be made again: the `losses`th
/// in a row without progress. Throws Error(failed) for any other error and for one loss too many,
/// Error(interrupted) after a signal. `doing` says in what: "applying 0007 add_index".
void refuse_further_loss(const Context& context, const pg::ServerError& error, int losses,
                         const std::string& doing = {});

/// What `read` returns, which changes nothing: it begins again where the connection is lost meanwhile.
template <class Read>
auto read_again(const Context& context, Read read) {
  for (int losses = 0;;) {
    try {
      return read();
    } catch (const pg::ServerError& error) {
      refuse_further_loss(context, error, ++losses);
    }
  }
}

/// Throws Error(refused) where a pooler may lend the session's backend to others; behind one that is declared
/// to pool by session the backend is kdb's from here on, and is set up as such.
void refuse_transaction_pooler(const Context& context, Session& session);

}  // namespace kdb::flow
