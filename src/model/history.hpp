#pragma once

#include <optional>
#include <string>
#include <vector>

#include "model/migration.hpp"

namespace kdb {

enum class Direction { up, down };

/// What the history says of one migration.
struct AppliedMigration {
  enum class State {
    applied,
    partial,  // some of its statements are done, the rest waits for the next run
  };
  Version version;
  std::string name;
  MigrationKind kind = MigrationKind::versioned;
  State state = State::applied;
  Direction direction = Direction::up;  // of a partial one
  std::string checksum;    // SHA-256 of the file that was applied; empty after `adopt` without files
  std::string applied_at;  // YYYY-MM-DD hh:mm:ss in UTC
  bool adopted = false;    // taken over from another tool: its text is not known
};

/// The texts that `up` stored, fetched only where somebody needs them.
struct StoredMigration {
  std::string up_text;
  std::string up_options;
  std::optional<std::string> down_text;
  std::string down_options;
};

/// The history as two round trips tell it.
struct History {
  bool exists = false;
  int format = 0;                            // of the tables; 0 before they exist
  std::vector<AppliedMigration> migrations;  // in no order
};

/// `versioned`, `repeatable` or `baseline`, as the history and reports have it.
std::string_view to_string(MigrationKind kind);

/// The key of a migration in the history: the version's key, or `R:name` for a repeatable one.
std::string history_key(MigrationKind kind, const Version& version, std::string_view name);

/// A section's options as the history stores and compares them: `transaction:false lock_timeout:2000ms`.
std::string to_string(const SectionOptions& options);

}  // namespace kdb
