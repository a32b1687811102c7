#pragma once

#include <chrono>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "model/history.hpp"
#include "model/step.hpp"
#include "pg/connection.hpp"

namespace kdb::pg {

/// The newest format of the history's tables that this kdb writes, and the oldest reader that can still read
/// it.
inline constexpr int history_format = 1;
inline constexpr int history_min_reader = 1;

/// A row of the journal, as a resumed run reads it back.
struct JournalRow {
  int ordinal = 0;
  std::string sql;
  std::string state;     // started, done, failed, unknown
  bool outside = false;  // ran outside of a transaction: only the catalog knows what came of it
  std::string note;      // what the catalog said before such a statement started
  std::string started_at;
};

/// The tables in which kdb remembers what it did: schema `kdb` unless the profile names another. Methods that
/// return text build SQL for the caller's own transaction; the others run at once.
class HistoryStore {
 public:
  /// All tables of the history, in its schema.
  static constexpr std::string_view tables[] = {"format", "runs", "migrations", "steps", "events"};

  explicit HistoryStore(std::string schema);

  const std::string& schema() const { return schema_; }
  /// The advisory lock that deployers of this history share, derived from the history's qualified name.
  std::int64_t lock_key() const { return lock_key_; }

  /// Reads format and migrations in one round trip. Throws Error(refused) when the tables need a newer kdb.
  History read(Connection& connection, bool with_times = false) const;
  /// Creates or upgrades the tables by numbered steps, each in its own transaction. Call under the lock.
  void upgrade(Connection& connection, int from_format) const;

  std::int64_t begin_run(Connection& connection, std::string_view command, std::string_view who) const;
  /// Best effort: also after an interruption.
  void finish_run(Connection& connection, std::int64_t run, std::string_view outcome,
                  std::string_view message) const;

  /// Whether this run has recorded the migration as applied (up) or undone (down).
  bool has_completed(Connection& connection, std::int64_t run, std::string_view key,
                     Direction direction) const;
  std::optional<StoredMigration> stored(Connection& connection, std::string_view key) const;
  /// The journal of the unfinished attempt at a migration, the latest row of each ordinal; empty if there is
  /// none.
  std::vector<JournalRow> journal(Connection& connection, std::string_view key) const;

  /// Fails unless the session still holds the lock: run in the transaction whose work depends on it.
  std::string guard_sql() const;
  /// Records the whole migration as applied (up) or takes it out (down). Fails as
  /// guard_sql() does, and where something (a trigger) kept the record from being written.
  std::string complete_sql(std::int64_t run, const MigrationPlan& plan, std::chrono::milliseconds took) const;
  /// Marks a migration as begun and not finished; harmless if it is already.
  std::string partial_sql(std::int64_t run, const MigrationPlan& plan) const;
  std::string step_started_sql(std::int64_t run, const MigrationPlan& plan, const Step& step,
                               std::string_view note) const;
  /// Turns the latest "started" row of a step into `state`, or adds one where there is none.
  std::string step_finished_sql(std::int64_t run, const MigrationPlan& plan, const Step& step,
                                std::string_view state, std::string_view sqlstate,
                                std::string_view error) const;
  /// For `repair` and `baseline`: the file's text and checksum as what was applied; a person's verdict on a
  /// step; a row taken out; everything up to a version declared as there.
  std::string accept_sql(std::int64_t run, const MigrationPlan& plan) const;
  std::string decide_step_sql(std::string_view key, int ordinal, bool done) const;
  std::string forget_sql(std::string_view key) const;
  std::string baseline_sql(std::int64_t run, const Version& version) const;
  std::string event_sql(std::int64_t run, std::string_view kind, std::string_view subject,
                        std::string_view message) const;

 private:
  std::string guard_sql(const std::string& is_unrecorded) const;

  std::string schema_;  // as given
  std::string prefix_;  // quoted, with the dot
  std::int64_t lock_key_;
};

/// How the history knows what a plan is about.
std::string key_of(const MigrationPlan& plan);

/// Whether an error is that of guard_sql().
bool is_lock_lost(const ServerError& error);
/// Whether it says that complete_sql() wrote nothing.
bool is_unrecorded(const ServerError& error);

}  // namespace kdb::pg
