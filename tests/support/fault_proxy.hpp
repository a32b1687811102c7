#pragma once

#include <chrono>
#include <functional>
#include <memory>
#include <string>
#include <vector>

namespace kdb::test {

/// A TCP proxy on the loopback in front of a PostgreSQL server, which does harm at exactly one message: it
/// reads the frontend/backend protocol far enough to number a client's queries and to see their SQL. A test
/// first makes an undisturbed run to learn how many there are and then one run for each.
class FaultProxy {
 public:
  /// A query of a client: a simple one, or an extended one from Parse (or Bind) to Sync.
  struct Query {
    std::string sql = {};  // of all its Parse messages; of a simple one as it is
    int connection = 0;    // the how-manieth session of this proxy, from 1
    int backend_pid = 0;

    bool operator==(const Query&) const = default;
  };

  enum class When {
    before_forward,  // the server has not seen the query
    before_reply,    // the query is on its way to the server; the reply is not awaited
    reply_held,      // the server has done it, the client knows nothing: its whole reply is here
  };

  enum class Fault {
    none,            // only the callback and the delay
    cut,             // the client is reset, the server sees an orderly end
    black_hole,      // nothing of the session passes any more, but everything is acknowledged; until heal()
    black_hole_all,  // the same for all sessions and new connections, cancel requests too
  };

  struct Rule {
    int number = 0;             // of the query among all of this proxy, from 1; 0: any
    std::string contains = {};  // what its SQL contains; empty: any
    When when = When::before_forward;
    std::function<void(const Query&)> callback = {};  // runs in the session's thread, before the fault
    std::chrono::milliseconds delay{0};               // between the callback and the fault
    Fault fault = Fault::none;
    bool once = true;
  };

  /// In front of the server of this URL (TCP or unix socket).
  explicit FaultProxy(const std::string& server_url);
  ~FaultProxy();
  FaultProxy(const FaultProxy&) = delete;
  FaultProxy& operator=(const FaultProxy&) = delete;

  int port() const;
  /// The server's URL, user, password and database included, through this proxy.
  std::string url() const;

  void add(Rule rule);
  /// How many times a rule has fired.
  int fired() const;
  /// All queries so far, in the order of their arrival.
  std::vector<Query> queries() const;
  /// How many CancelRequests were passed on.
  int cancel_requests() const;
  /// From now on a CancelRequest takes this long to reach the server.
  void delay_cancels(std::chrono::milliseconds delay);
  /// Forgets queries, numbers and rules; sessions go on.
  void reset();
  /// Cuts all sessions as Fault::cut does; new ones work.
  void cut_all();
  /// From now on nothing passes, as Fault::black_hole_all.
  void black_hole_all();
  /// Ends black holes: their sessions are closed, new ones work.
  void heal();

 private:
  struct Impl;
  std::unique_ptr<Impl> impl_;
};

}  // namespace kdb::test
