#pragma once

#include <chrono>
#include <cstdint>
#include <functional>
#include <optional>
#include <string>

#include "base/event.hpp"
#include "base/retry.hpp"
#include "model/step.hpp"
#include "pg/connection.hpp"
#include "pg/history.hpp"
#include "pg/observer.hpp"
#include "pg/watchdog.hpp"

namespace kdb::pg {

struct ExecuteOptions {
  std::chrono::milliseconds lock_timeout{
      3'000};                               // budget of all lock waits of one transaction together; 0: none
  std::chrono::milliseconds build_wait{0};  // of CONCURRENTLY builds and the like; 0: no limit
  std::chrono::milliseconds statement_timeout{0};
  std::string role;               // migrations run under SET ROLE; empty: as who connected
  std::string schema = "public";  // of names without one in what changes objects
  RetryPolicy lock_retry;
  Random random;
  /// The same plan step by step, where the server says that one transaction cannot do it (core's decision).
  std::function<std::optional<MigrationPlan>(const MigrationPlan&, std::string reason)> separate;
};

/// Runs plans on one session that holds the deployers' lock, and journals them. One for migrations, and later
/// for profile changes and settings alike.
class Executor {
 public:
  Executor(Connection& connection, Watchdog& watchdog, const HistoryStore& history, Observer& observer,
           ExecuteOptions options, EventSink events);

  /// Runs one plan to its end and records it. Throws Error (failed, lock, history, interrupted) with
  /// file:line of the statement, or ServerError when the session is gone: then connect again, and the history
  /// decides what is left. `resume`: an earlier run left it half done, its journal says where.
  void run(std::int64_t run, const MigrationPlan& plan, bool resume);

 private:
  void run_in_one_transaction(std::int64_t run, const MigrationPlan& plan);
  void run_step_by_step(std::int64_t run, const MigrationPlan& plan, const std::vector<JournalRow>& journal);
  void run_inside(std::int64_t run, const MigrationPlan& plan, const Step& step);
  void run_outside(std::int64_t run, const MigrationPlan& plan, const Step& step, const JournalRow* journal);

  void run_journalled(std::int64_t run, const MigrationPlan& plan, const Step& step,
                      std::optional<JournalRow>& row);
  void clean_up(const Step& step, const JournalRow& row);
  void replay(const Step& step);

  std::string begin_sql(const MigrationPlan& plan, const std::string& begin);
  void begin_attempt(const MigrationPlan& plan);
  void execute(const MigrationPlan& plan, const Step& step, Phase phase);
  void execute_inside(const MigrationPlan& plan, const Step& step);
  void record(const std::string& sql, Phase phase = Phase::outside_transaction);
  void roll_back();
  void reset_session();
  bool is_recorded(std::int64_t run, const MigrationPlan& plan);
  bool is_done_after_all(std::int64_t run, const MigrationPlan& plan);
  bool wait_and_retry(const MigrationPlan& plan, const ServerError& error, Phase phase);
  [[noreturn]] void fail(std::int64_t run, const MigrationPlan& plan, const Step& step,
                         const ServerError& error, bool journalled = true);

  Connection& connection_;
  Watchdog& watchdog_;
  const HistoryStore& history_;
  Observer& observer_;
  ExecuteOptions options_;
  EventSink events_;

  /// What one transaction, or one statement outside of any, has used up; begin_attempt() starts it anew.
  struct Attempt {
    std::chrono::milliseconds budget{0};    // what is left for lock waits
    std::chrono::milliseconds in_force{0};  // lock_timeout as the session has it
    std::string begin;                      // what opens the transaction, until the first statement is sent
    bool holds_blocking_lock = false;
    const Step* step = nullptr;  // that runs, or ran last
    std::string blockers;        // seen by the observer
  };
  Attempt attempt_;
  int failures_ = 0;      // of this plan or step so far
  std::string blockers_;  // of the last of them in which any were seen
  std::chrono::milliseconds pause_{0};
};

}  // namespace kdb::pg
