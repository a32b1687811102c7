#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "flow/session.hpp"

namespace kdb::flow {

/// The history under the deployers' lock and in its newest format, for the commands that change only it.
class LockedHistory {
 public:
  /// Takes the lock, creates or upgrades the tables, and begins a run. Throws as `up` does.
  LockedHistory(const Context& context, Session& session);

  /// Runs `sql` and an event in one transaction, ends the run and gives the lock back.
  void write(const std::string& sql, std::string_view kind, std::string_view subject,
             std::string_view message);

  std::int64_t run() const { return run_; }

 private:
  Session& session_;
  std::int64_t run_ = 0;
};

/// Creates the history's tables, or brings them to the newest format. Call under the lock.
void prepare_history(Session& session);

/// Throws Error(refused) for a server that cannot be written to.
void refuse_standby(bool standby, const std::string& target);

}  // namespace kdb::flow
