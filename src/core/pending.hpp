#pragma once

#include <string>
#include <vector>

#include "base/error.hpp"
#include "model/history.hpp"
#include "model/migration.hpp"

namespace kdb {

/// What a folder and a history together say of one migration.
struct MigrationStatus {
  enum class State {
    applied,       // as the file says
    pending,       // the file is newer than everything applied
    partial,       // interrupted in its middle; the next run goes on
    out_of_order,  // not applied, but something newer is
    changed,   // applied with other contents; `reformatted` may take this back once the texts were compared
    missing,   // applied, no file, and files newer than it exist
    ahead,     // applied, no file, newer than every file: an older release is deployed again
    baseline,  // declared as already there
    rerun,     // a repeatable migration whose file changed
  };
  State state = State::pending;
  Version version;
  std::string name;
  MigrationKind kind = MigrationKind::versioned;
  std::optional<size_t> file;     // index into the folder's files
  std::optional<size_t> applied;  // index into the history's migrations
};

std::string_view to_string(MigrationStatus::State state);

/// Joins a folder with a history: one row per migration, in the order of versions, repeatable ones last.
/// Compares checksums only.
std::vector<MigrationStatus> compare(const MigrationFolder& folder, const History& history);

/// The rows that `up` runs, in order: partial, pending, rerun, and with `out_of_order` those too. `to` stops
/// after that version, `steps` after so many (repeatable ones are left out then). Throws Error(usage) for a
/// version that no file has.
struct UpSelection {
  std::optional<Version> to;
  std::optional<int> steps;
  bool out_of_order = false;
};
std::vector<MigrationStatus> select_up(const std::vector<MigrationStatus>& status,
                                       const UpSelection& selection);

/// What forbids `up`, each with its own message: changed, missing and out-of-order migrations. Changed ones
/// are left to the caller, who has the texts.
std::vector<Problem> history_problems(const std::vector<MigrationStatus>& status,
                                      const MigrationFolder& folder, const History& history,
                                      bool allow_out_of_order);

}  // namespace kdb
