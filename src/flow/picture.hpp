#pragma once

#include <vector>

#include "base/error.hpp"
#include "core/pending.hpp"
#include "flow/session.hpp"
#include "model/migration.hpp"
#include "model/step.hpp"

namespace kdb::flow {

/// A folder and a history held against each other, texts compared where the checksums differ.
struct Picture {
  MigrationFolder folder;
  History history;
  std::vector<MigrationStatus> rows;         // as core compares them; a reformatted file counts as applied
  std::vector<MigrationStatus> reformatted;  // other bytes, same tokens
  std::vector<Problem> changed;              // each with the difference
  std::vector<Problem> changed_down;         // only the down section is another one: never an error
};

/// One round trip, and one more for each file whose checksum differs.
Picture look(const Context& context, const Session& session, MigrationFolder folder, bool with_times = false);

/// A session and what it saw.
struct View {
  Session session;
  Picture picture;
};
/// Lists the folder while the session is being opened, and looks. A folder that is wrong is reported before a
/// server that is away; a connection lost while only reading is made again.
View open_and_look(const Context& context, bool with_times = false);

/// The key of a row in the history.
std::string key_of(const MigrationStatus& row);

/// The row of a version as a user wrote it. Throws Error(usage) if there is none.
const MigrationStatus& find_version(const Picture& picture, const std::string& version);

/// Reads and plans the rows in one direction. Throws Error(usage) with every problem of every file.
std::vector<MigrationPlan> plan_rows(const Context& context, const Picture& picture,
                                     const std::vector<MigrationStatus>& rows, Direction direction);

}  // namespace kdb::flow
