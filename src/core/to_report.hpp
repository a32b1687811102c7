#pragma once

#include <string>
#include <vector>

#include "core/pending.hpp"
#include "model/report.hpp"
#include "model/step.hpp"

namespace kdb {

/// What runs, statement by statement, transaction boundaries included: what `--dry-run` prints and `down`
/// asks about.
std::vector<Script> to_scripts(const std::vector<MigrationPlan>& plans);

/// The table of `status` and `verify`: one row per migration.
Table to_table(const std::vector<MigrationStatus>& rows, const MigrationFolder& folder,
               const History& history);

/// "0002 create_profiles", or the name alone where there is no version.
std::string title(const Version& version, const std::string& name);

/// "1 migration", "3 migrations"
std::string count(size_t number, std::string_view noun);

}  // namespace kdb
