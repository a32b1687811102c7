#pragma once

#include <map>
#include <set>
#include <string>
#include <vector>

#include "kinds/declared.hpp"
#include "kinds/relation_names.hpp"
#include "model/change.hpp"
#include "model/facts.hpp"

namespace kdb {

/// An object of the database that no profile declares.
struct Undeclared {
  std::string kind;
  std::string object;  // as a profile writes its name
  std::string table;
  std::string remark;  // "INVALID"; of a table what it has that it has not by default
  bool drift = false;  // its table's indexes are exclusive: `--prune` drops it

  bool operator==(const Undeclared&) const = default;
};

/// What is to be done to make a database as declared, and what is not kdb's to do.
struct Differences {
  std::vector<Change> changes;     // in the order in which they run
  std::vector<Problem> problems;   // declared, and not to be had
  std::vector<Problem> undecided;  // nobody can tell now whether they are as declared
  std::vector<Problem> skipped;    // declared, not to be had here, and not wanted then
  std::vector<Finding> findings;   // what is declared, and hardly meant
  std::vector<Undeclared> undeclared;
  std::set<ObjectName> names;  // that the changes give, and no index of the catalog has: others may
};

struct DiffOptions {
  bool prune = false;                    // drop what `indexes = "exclusive"` does not want
  bool migrations_pending = false;       // which may make any index
  std::set<ObjectName> coming_tables;    // that pending migrations create
  std::set<ObjectName> going_tables;     // that they drop
  std::set<ObjectName> coming_roles;     // that they speak of, and may create
  std::set<ObjectName> aggregates;       // that the plan itself creates, for others and indexes to stand on
  std::vector<Extension> extensions;     // that they create, or the plan itself does
  std::set<ObjectName> unseen;           // what cannot be shown to the server before an extension is made
  std::map<ObjectName, Estimate> sizes;  // of tables that are to become hypertables
  NameHolders held;                      // what else has names that the plan might give
};

/// `desired` in the server's form, as far as it was asked. Deterministic.
Differences diff(const DesiredSchema& desired, const LiveSchema& live, const ServerFacts& facts,
                 const DiffOptions& options);

}  // namespace kdb
