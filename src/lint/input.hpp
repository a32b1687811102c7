#pragma once

#include <map>
#include <optional>
#include <string>
#include <vector>

#include "kinds/declared.hpp"
#include "model/facts.hpp"
#include "model/query.hpp"
#include "model/setting.hpp"
#include "model/source_text.hpp"
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
  const std::vector<DeclaredQuery>* queries = nullptr;
  const std::vector<WantedSetting>* settings = nullptr;  // of [server.settings]
  const std::vector<SourceText>* commented = nullptr;    // profiles whose comments keep rules quiet
  std::string profile;                                   // of these, the one that extends the others
  const LiveSchema* live = nullptr;
  const std::map<ObjectName, TableStatistics>* statistics = nullptr;  // of the tables that are asked about
  const std::map<ObjectName, ColumnstoreFacts>* columnstores =
      nullptr;  // of hypertables that have chunks there
};

}  // namespace kdb::lint
