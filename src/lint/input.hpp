#pragma once

#include <map>
#include <optional>
#include <string>
#include <vector>

#include "kinds/declared.hpp"
#include "model/facts.hpp"
#include "model/step.hpp"

namespace kdb::lint {

/// One direction of a migration, as kdb would run it.
struct Script {
  Layout layout = Layout::native;
  MigrationPlan plan;
  std::vector<Problem> refusals;  // why kdb would not
};

/// A migration: what its file says, and what that comes to.
struct MigrationScripts {
  MigrationFile file;
  std::string head;  // what stands before the first section: comments
  std::optional<Script> up;
  std::optional<Script> down;
};

/// What there is to judge. What a caller does not have stays out, and rules that need it are not checked.
struct Input {
  std::vector<MigrationScripts> migrations;  // in the order in which they run
  const DesiredSchema* desired = nullptr;
  std::string schema = "public";  // of names without one
  const LiveSchema* live = nullptr;
  const std::map<ObjectName, TableStatistics>* statistics = nullptr;  // of the tables that are asked about
};

}  // namespace kdb::lint
