#pragma once

#include <cstdint>
#include <functional>
#include <string>
#include <vector>

#include "core/pending.hpp"
#include "flow/session.hpp"
#include "model/step.hpp"

namespace kdb::pg {
class Executor;
}  // namespace kdb::pg

namespace kdb::flow {

/// One plan and whether an earlier run left it half done.
struct Work {
  MigrationPlan plan;
  bool resume = false;
  bool decide_again = false;  // what follows can be decided only when it has run
};

/// One migration, or change of an object, that has run.
struct Ran {
  Version version;   // of a migration
  std::string name;  // its name, or the object's
  std::int64_t milliseconds = 0;
};

/// Runs migrations and changes of objects under the deployers' lock, on one session after another: when a
/// connection is lost it connects again, takes the lock again (which waits for the lost session's end), and
/// lets the history or the catalog say what is left. So a lost COMMIT, a restarted server and a killed
/// backend need no code of their own.
class Deployment {
 public:
  /// Decides under the lock, from a fresh look, what runs; called again after every reconnect, and where the
  /// last of the work asks for it.
  using Decide = std::function<std::vector<Work>(Session&)>;

  Deployment(const Context& context, Decide decide);

  /// Consumes the session. Returns what ran, in order. Throws Error.
  std::vector<Ran> run(Session session);

 private:
  void run_on(Session& session);
  void run_one(pg::Executor& executor, const Work& work);
  void end_lost_session(Session& session);

  const Context& context_;
  Decide decide_;
  std::int64_t run_id_ = 0;
  std::vector<Ran> ran_;
  std::string doing_;         // "applying 0007 add_index"
  bool progressed_ = false;   // since the last lost connection
  std::string last_session_;  // "pid, backend_start" of the one before, as SQL values
};

}  // namespace kdb::flow
