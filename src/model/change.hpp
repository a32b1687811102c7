#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/error.hpp"
#include "model/object.hpp"

namespace kdb {

/// What happens to an object.
enum class Action {
  run,  // a migration
  create,
  alter,    // in place
  replace,  // a new one is made beside it, then takes its name
  rename,   // it is there under another name
  repair,   // it is there but does not work: an index that is invalid
  drop,
};

/// `create`, `alter` … as the json of a plan has it.
std::string_view to_string(Action action);

/// A field that differs, both sides as a profile writes them; empty where it is not set.
struct FieldChange {
  std::string field;  // "with.fillfactor"
  std::string live;
  std::string desired;

  bool operator==(const FieldChange&) const = default;
};

/// The lock modes of tables, weakest first (PG docs 13.3.1).
enum class LockMode {
  none,
  access_share,
  row_share,
  row_exclusive,
  share_update_exclusive,
  share,
  share_row_exclusive,
  exclusive,
  access_exclusive,
};

/// `SHARE UPDATE EXCLUSIVE` …
std::string_view to_string(LockMode mode);
/// What waits while the lock is held: `neither reads nor writes`, `writes`, `reads and writes`.
std::string_view blocked_by(LockMode mode);

struct Lock {
  LockMode mode = LockMode::none;
  std::string relation;  // as people read it; empty where there is no lock

  bool operator==(const Lock&) const = default;
};

/// Something that the reader of a plan should know before it runs.
struct Hazard {
  std::string id;      // one of base/hazard_list
  std::string object;  // as people read it, and as `--allow ID:OBJECT` names it
  std::string reason;  // one clause
  /// What people read instead, where several statements have the same: all of it at the first, nothing at the
  /// others.
  std::optional<std::string> in_text = {};
  bool blocks = false;      // needs an allowance
  bool needs_rows = false;  // an empty table has nothing to lose, to rewrite or to lock anybody out of

  bool operator==(const Hazard&) const = default;
};

/// One statement of a change. Consecutive ones that are `in_transaction` run in one transaction.
struct ChangeStep {
  std::string sql;      // without a semicolon
  std::string purpose;  // one clause: "builds the index beside running writes"
  bool in_transaction = true;
  bool begins = false;  // a transaction of its own, even behind a step that runs in one
  bool tidies = false;  // removes what kdb itself left unfinished
  Lock lock;            // the strongest that it takes on something that others use
  std::vector<Hazard> hazards;

  bool operator==(const ChangeStep&) const = default;
};

/// How much there is to do, by the catalog's own estimates.
struct Estimate {
  std::optional<std::int64_t> rows;   // of the table; unknown before its first VACUUM or ANALYZE
  std::optional<std::int64_t> bytes;  // of the table
  std::optional<std::int64_t> disk;   // bytes that what is built takes at most
  std::string tablespace;             // where that will be; empty: the database's own
  std::optional<double> seconds;      // that building takes, roughly

  bool operator==(const Estimate&) const = default;
};

/// What has to be done to one object.
struct Change {
  Action action = Action::create;
  std::string kind;    // "index"
  std::string object;  // as a profile writes its name
  std::string table;   // whose it is, as a profile writes it; empty where it is no table's
  Source where;        // of its declaration or file; no file where there is none
  std::string reason;  // one clause: "where differs", "not declared"
  std::vector<FieldChange> fields;
  std::string fingerprint;   // of the object as it is; empty where there is none
  bool provisional = false;  // what it needs is made by a pending migration, or an extension of the plan
  Estimate estimate;
  std::vector<ChangeStep> steps;

  bool operator==(const Change&) const = default;
};

/// Something about a file or an object that somebody should look at, with the place that it is about.
struct Finding {
  enum class Level { error, warning, note };
  std::string rule;  // "index-include-unbounded"
  Level level = Level::warning;
  Problem problem;

  bool operator==(const Finding&) const = default;
};

/// `error`, `warning`, `note`: the words of SARIF 2.1.0.
std::string_view to_string(Finding::Level level);

}  // namespace kdb
