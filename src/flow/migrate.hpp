#pragma once

#include <functional>
#include <optional>
#include <string>
#include <vector>

#include "core/pending.hpp"
#include "flow/session.hpp"
#include "model/change.hpp"
#include "model/history.hpp"
#include "model/report.hpp"
#include "model/step.hpp"

namespace kdb::flow {

struct UpOptions {
  std::optional<std::string> to;  // a version as the user wrote it
  std::optional<int> steps;
  bool dry_run = false;
  bool allow_out_of_order = false;
  bool strict = false;             // an older release is an error
  std::vector<std::string> allow;  // HAZARD[:OBJECT]
  /// What somebody saw and said yes to: Error(refused) if the folder has something else by now.
  std::optional<std::vector<Change>> shown;
};

struct DownOptions {
  std::optional<std::string> to;  // this version stays
  std::optional<int> steps;       // default: one
  bool dry_run = false;
  /// Asked with what will run, before anything does; false ends with exit 3.
  std::function<bool(const Report&)> confirm;
};

struct RepairOptions {
  std::string version;
  std::optional<int> statement;
  bool done = false;    // the statement took effect
  bool again = false;   // it did not: run it again
  bool accept = false;  // take the file as it is now for what was applied
  bool forget = false;  // take the migration out of the history
};

/// Each returns what it has to say, or throws Error with the exit code of design.md, section 2.
Report up(const Context& context, const UpOptions& options);
Report down(const Context& context, const DownOptions& options);
Report status(const Context& context);
/// What `status --exit-code` returns: history (5) if something is inconsistent, pending (2), or ok.
Exit exit_code_of(const Report& status);
Report verify(const Context& context);
Report baseline(const Context& context, const std::string& version);
Report repair(const Context& context, const RepairOptions& options);

}  // namespace kdb::flow
