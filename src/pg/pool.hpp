#pragma once

#include <chrono>
#include <functional>
#include <memory>
#include <string>
#include <string_view>
#include <variant>

#include "base/event.hpp"
#include "pg/connection.hpp"
#include "pg/pool_state.hpp"

namespace kdb::pg {

/// What a pool holds: a session, and how it is asked and tidied up; neither takes much longer than the given
/// time. Destroying it closes the session.
struct PoolSession {
  std::unique_ptr<Connection> connection;  // none in tests without a server
  std::function<bool(std::chrono::milliseconds)> is_alive;
  std::function<bool(std::chrono::milliseconds)> reset;  // ready for the next user; false: of no more use
};

/// Opens one. Called by several threads at once; throws as the constructor of Connection does.
using PoolOpener = std::function<PoolSession()>;

/// Why there is no connection.
struct PoolRefusal {
  enum class Reason { timeout, closed, cannot_connect };
  Reason reason = Reason::timeout;
  std::string message;
  std::string hint;
  std::string sqlstate;  // of the last failed attempt to connect, if it matters

  bool operator==(const PoolRefusal&) const = default;
};

/// Connections for many threads. What is decided, and its promises, is PoolState's; here it is carried out:
/// connections are opened by threads of the pool, asked by who is to have them, tidied up by who had them,
/// and closed by whoever comes by, but never while the pool's mutex is held, so that a silent server holds up
/// only who needs it. Reports leaks, usage, failing and full servers to the sink, one event at a time.
class Pool {
  struct Impl;

 public:
  using Time = PoolState::Time;

  /// One connection, for one thread at a time; goes back when destroyed: a transaction is rolled back,
  /// settings are reset, and what is broken is closed. May outlive the pool.
  class Lease {
   public:
    Lease(Lease&& other) noexcept = default;
    Lease& operator=(Lease&& other) noexcept;
    ~Lease() { give_back(); }

    Connection& operator*() const { return *session_->connection; }
    Connection* operator->() const { return session_->connection.get(); }
    /// Which one of the pool's.
    MemberId id() const { return id_; }
    /// Nobody shall use it again: it will be closed.
    void discard() { broken_ = true; }
    /// What the destructor does; afterwards the lease is empty.
    void give_back() noexcept;

   private:
    friend struct Impl;
    Lease(std::shared_ptr<Impl> pool, MemberId id, PoolSession* session)
        : pool_(std::move(pool)), id_(id), session_(session) {}

    std::shared_ptr<Impl> pool_;  // empty: nothing to give back
    MemberId id_ = 0;
    PoolSession* session_ = nullptr;
    bool broken_ = false;
  };

  /// Opens `min` at once. Begins threads, so a Watchdog has to be there before. The sink must not throw.
  Pool(const PoolSettings& settings, const RetryPolicy& pauses, PoolOpener open, EventSink events);
  /// Closes it, and waits for attempts to connect that are under way.
  ~Pool();
  Pool(const Pool&) = delete;
  Pool& operator=(const Pool&) = delete;

  /// A connection that was alive just now. Waits until `deadline` at most, and for as long as asking an idle
  /// one takes (PoolSettings::check_timeout). `purpose` is what warnings call the holder.
  std::variant<Lease, PoolRefusal> acquire(Time deadline, std::string_view purpose = {});
  /// All connections of now are of no more use: idle ones are closed, others when they come back.
  void flush();
  /// Refuses who waits and who will come; connections are closed as they come back.
  void close();
  PoolStatistics statistics() const;

 private:
  std::shared_ptr<Impl> impl_;
};

/// How a pool's sessions are opened and set up.
struct PoolConnect {
  ConnectSettings connect;
  std::chrono::milliseconds connect_timeout{5'000};  // of one attempt, whatever the URL says
  std::chrono::milliseconds statement_timeout{0};    // 0: none
  std::chrono::milliseconds lock_timeout{0};         // 0: none
  std::chrono::milliseconds idle_in_transaction{0};  // 0: for ever
  std::string also;  // statements, each with its `;`: what else a session begins with
};

/// Opens real ones: set up by one batch of SET after connecting, and again when they come back, so that the
/// next user finds no transaction, setting, role, prepared statement, temporary table or advisory lock. The
/// watchdog must outlive the pool and its leases.
PoolOpener open_connections(const PoolConnect& connect, Watchdog& watchdog);

}  // namespace kdb::pg
