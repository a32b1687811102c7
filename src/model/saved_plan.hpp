#pragma once

#include <string>
#include <vector>

#include "model/change.hpp"

namespace kdb {

struct FileHash {
  std::string path;  // as it was given
  std::string sha256;

  bool operator==(const FileHash&) const = default;
};

/// What a plan was made from. Where it is applied all of it must be the same.
struct PlanOrigin {
  std::string kdb_version;
  std::string system_identifier;  // of the server's data; empty where nobody may read it
  std::string database;
  std::string role;                // that logged in
  bool sandbox = false;            // of a database that is gone: for review alone
  std::vector<std::string> parts;  // "migrations", "profile"
  bool prune = false;
  std::vector<FileHash> profiles;
};

/// A plan that was written to a file, for `kdb apply` of just that.
struct SavedPlan {
  PlanOrigin origin;
  std::vector<Change> changes;  // of their members only those that tell whether another one is the same
};

}  // namespace kdb
