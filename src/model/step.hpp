#pragma once

#include <chrono>
#include <optional>
#include <string>
#include <vector>

#include "base/error.hpp"
#include "base/statement.hpp"
#include "model/history.hpp"
#include "model/migration.hpp"

namespace kdb {

/// One thing that is sent to the server: a statement, or an explicit BEGIN … COMMIT block that is kept whole.
struct Step {
  int ordinal = 0;  // from 1, within its plan
  std::string sql;  // exactly what runs
  Source where;     // of the statement in its file
  sql::Classified what;
  /// Runs inside of a transaction that kdb begins, together with its journal row.
  bool in_transaction = true;
  /// The statements of an explicit block, BEGIN and COMMIT left out; empty for a single statement.
  std::vector<Step> block;
  std::string block_begin;  // "BEGIN ISOLATION LEVEL SERIALIZABLE"
  bool rerunnable = false;
  bool newer_grammar = false;

  std::vector<sql::StatementHazard> hazards;
};

/// What changes an object, where a plan is of no migration.
struct ObjectWork {
  std::string name;       // "index events_by_day"
  std::string done;       // what a person is told: "created"
  bool in_schema = true;  // its statements are in the server's form: names without a schema are the profile's

  bool operator==(const ObjectWork&) const = default;
};

/// How one migration will run in one direction, or one change of an object.
struct MigrationPlan {
  std::optional<ObjectWork> object;  // then there is no migration: its steps are journalled, nothing else
  Migration migration;
  Direction direction = Direction::up;
  /// All steps in one transaction with the history row; otherwise step by step with a journal.
  bool one_transaction = true;
  std::string mode_reason;  // "statement at line 3 cannot run in a transaction: CREATE INDEX CONCURRENTLY"
  std::string begin = "BEGIN";  // with the options that the file's own BEGIN had
  std::vector<Step> steps;
  SectionOptions options;
  /// The file itself sets lock_timeout: kdb leaves it alone.
  bool own_lock_timeout = false;
};

}  // namespace kdb
