#pragma once

#include <map>
#include <optional>
#include <set>
#include <string>
#include <vector>

#include "model/change.hpp"
#include "model/step.hpp"

namespace kdb {

/// Fills in the hazards of every step. What concerns a table that an earlier statement of these plans creates
/// is none: nobody uses it yet and it holds nothing. `existing` are the relations that the database has, of
/// all in hazard_scope(): no other holds anything.
void note_hazards(std::vector<MigrationPlan>& plans, std::optional<std::set<std::string>> existing = {});

/// What the noted hazards are about.
struct HazardScope {
  bool any = false;
  std::set<std::string> relations;  // without their schemas
  bool other_databases = false;
};
HazardScope hazard_scope(const std::vector<MigrationPlan>& plans);

/// Throws Error(refused) that lists every blocking hazard which neither `allow` nor the migration's own
/// `allow:` permits, with the exact flag. An allowance is `HAZARD`, `HAZARD:OBJECT` or `all`; `all` never
/// covers DELETES_DATA and IRREVERSIBLE.
void refuse_hazards(const std::vector<MigrationPlan>& plans, const std::vector<std::string>& allow);

/// The noted hazards of a migration for people: `DELETES_DATA (line 3: drops table users), …`. What several
/// statements have in common is said once, with their lines, and of many reasons for one hazard the first
/// ones; empty without any.
std::string hazard_summary(const MigrationPlan& plan);

/// `line 3`, `lines 3, 9 and 12`; of many the first ones.
std::string line_list(const std::vector<int>& lines);

/// The tables that changes are about, by whose size the hazards are judged.
std::set<std::string> concerned_tables(const std::vector<Change>& changes);

/// Takes out the hazards that do not apply now: an empty table loses nothing, rewrites nothing and locks
/// nobody out. `table` is as in Change::table.
void settle_hazards(std::vector<Change>& changes, const std::map<std::string, Estimate>& estimates);

/// Throws Error(refused) that lists every hazard that blocks and that `allow` does not permit, with the exact
/// flag.
void refuse_hazards(const std::vector<Change>& changes, const std::vector<std::string>& allow);

}  // namespace kdb
