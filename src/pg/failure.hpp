#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "base/error.hpp"
#include "model/step.hpp"
#include "pg/connection.hpp"
#include "pg/history.hpp"

namespace kdb::pg {

/// What people call a migration, its version and name, or an object: `index events_by_day`.
std::string title(const MigrationPlan& plan);

/// The same with the word before a migration: `migration 0007 add_index`.
std::string subject(const MigrationPlan& plan);

/// Where the text of the plan's direction begins: for what concerns no single statement.
Source beginning(const MigrationPlan& plan);

/// Whether the server says that a statement needs to run outside of a transaction block: active transaction
/// (25001), a COMMIT inside of a procedure (2D000), an enum value used before it was committed (55P04).
bool needs_own_transaction(const ServerError& error);

/// The message with its SQLSTATE: `relation "a" does not exist (42P01)`.
std::string describe(const ServerError& error);

/// The statements that are done must be the ones that the file still has: throws Error(history) otherwise.
void refuse_changed_steps(const MigrationPlan& plan, const std::vector<JournalRow>& journal);

/// The file of a migration that is half done says that it runs in one transaction.
Error insists_on_one_transaction(const MigrationPlan& plan);

/// A statement of a file ended the transaction that is kdb's, although none of them says so to kdb's parser.
Error ended_transaction(const MigrationPlan& plan, const Step& step);

/// The one case that a person decides.
Error undecided(const MigrationPlan& plan, const Step& step, const JournalRow& row);

/// The server's detail and hint, and who blocked (a line each), for below the message.
std::string details_of(const ServerError& error, const std::string& blockers);

/// A statement failed for good. `blockers`: who stood in its way, a line each.
Error failed(const MigrationPlan& plan, const Step& step, const ServerError& error,
             const std::string& blockers);

}  // namespace kdb::pg
