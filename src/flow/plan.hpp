#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "core/diff.hpp"
#include "core/setting_diff.hpp"
#include "flow/picture.hpp"
#include "flow/session.hpp"
#include "model/report.hpp"
#include "model/saved_plan.hpp"
#include "model/step.hpp"

namespace kdb::flow {

struct PlanOptions {
  bool migrations = true;
  bool profile = true;
  bool settings = false;  // the server's, as far as the profile declares them
  bool prune = false;     // drop what `indexes = "exclusive"` does not want
};

/// How a plan fared on a copy of the schema.
struct Rehearsal {
  struct Statement {
    std::string change;  // "index orders_kind"
    std::string sql;
    std::string command;                            // "ALTER TABLE"
    std::optional<std::vector<std::string>> locks;  // that it took; nothing where they could not be seen
    std::string error;
  };
  std::string verdict;
  std::vector<Statement> statements;  // up to the first that failed
};

/// What would be done to bring the database to the declared state.
struct Planned {
  std::vector<Change> migrations;  // pending, in their order
  Differences objects;
  std::string target;
  bool standby = false;                 // it can be looked at and not written to
  std::int64_t replicas = 0;            // that get the WAL of all that is done; counted where something is
  std::string server_version;           // "15.20"
  std::vector<std::string> beforehand;  // what a sandbox had before the replay
  std::optional<Rehearsal> rehearsal;
  std::vector<WantedSetting> settings;     // declared, and not looked at
  std::vector<SettingDifference> waiting;  // settings that are in the server's files, and not read yet
  PlanOrigin origin;
  std::vector<std::string> known;  // migrations, pending or applied, as changes name them

  /// Whether nothing is pending, no drift was found, and everything could be decided.
  bool is_empty() const;
};

/// Looks at files and database; changes nothing. Throws Error(history) where the migrations' history is
/// inconsistent.
Planned plan(const Context& context, const PlanOptions& options);

/// The pending migrations, in their order. Throws what forbids to run them.
std::vector<MigrationPlan> pending_migrations(const Context& context, const Session& session,
                                              const Picture& picture);
/// What they will have made when the rest of a plan is done.
DiffOptions options_after(const std::vector<MigrationPlan>& migrations, const files::Profile& profile);

/// The profile's objects held against those of the database, on an open session.
Differences compare_objects(const Context& context, Session& session, DiffOptions options);
/// The same on a session of its own.
Differences compare_objects(const Context& context, const DiffOptions& options);

/// What a plan is of, held against the database and its server.
struct Compared {
  Differences objects;                     // and settings
  std::vector<SettingDifference> waiting;  // settings that are in the server's files, and not read yet
};
Compared compare(const Context& context, Session& session, const PlanOptions& options,
                 DiffOptions diff_options);

/// What `kdb plan` says. `command` as in Report.
Report to_report(const Planned& planned, std::string command);

}  // namespace kdb::flow
