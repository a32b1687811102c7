#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "base/sql.hpp"

namespace kdb::sql {

/// What top-level transaction control a statement is, if any.
enum class TransactionControl {
  none,
  begin,   // BEGIN, START TRANSACTION
  commit,  // COMMIT, END
  commit_chain,
  rollback,  // ROLLBACK, ABORT (not TO SAVEPOINT)
  rollback_chain,
  savepoint,  // SAVEPOINT, RELEASE, ROLLBACK TO: harmless inside a transaction
  prepare,    // PREPARE TRANSACTION, COMMIT PREPARED, ROLLBACK PREPARED
};

/// How a statement that cannot run in a transaction block is decided after a crash in its middle.
enum class Recovery {
  none,              // runs in a transaction: its journal row says
  repeat,            // repeating is harmless: VACUUM, ANALYZE, REINDEX, ALTER SYSTEM, CHECKPOINT, CLUSTER …
  create_index,      // CREATE INDEX CONCURRENTLY: an index left invalid is dropped and built again
  drop_index,        // DROP INDEX CONCURRENTLY
  detach_partition,  // ALTER TABLE … DETACH PARTITION … CONCURRENTLY
  create_database,
  drop_database,
  unknown,  // CALL, DO that commits inside, subscriptions …: nobody can tell
};

/// What is known of one statement from its tokens alone, the same for every grammar.
struct Classified {
  /// The command as PostgreSQL's command tags name it: `CREATE INDEX`, `ALTER TABLE`, `SELECT`, upper case.
  std::string command;
  /// The main object's name as written, schema included, e.g. `public.events`; empty where there is none.
  std::string object;
  /// The table of an index or trigger command, as written; empty elsewhere.
  std::string table;
  TransactionControl control = TransactionControl::none;
  /// Cannot run inside of a transaction block.
  bool outside_transaction = false;
  /// Also set where only the server can tell whether the statement runs in a transaction (CALL, a DO that
  /// calls, REINDEX and CLUSTER of what may be partitioned): then `outside_transaction` is false, and a
  /// refusal with SQLSTATE 2D000 or 25001 means "outside of one".
  Recovery recovery = Recovery::none;
  /// While it waits for its lock it blocks readers or writers behind it, so it needs a lock_timeout.
  /// Plain INSERT, UPDATE, DELETE, MERGE, COPY and VALUES do not, nor do CONCURRENTLY builds and drops,
  /// VALIDATE.
  bool blocking_lock = true;
  /// Its waits block nobody and may be long (CONCURRENTLY, VACUUM …): it runs without lock_timeout.
  bool patient = false;
  /// SET, RESET, SET ROLE, SET SESSION AUTHORIZATION at session level: replayed when a file is resumed.
  bool session_state = false;
  /// Sets or resets `lock_timeout` (SET [LOCAL|SESSION] lock_timeout, RESET, set_config('lock_timeout', …)).
  bool sets_lock_timeout = false;
  /// Switches standard_conforming_strings off: then strings end elsewhere than kdb's scanner thinks.
  bool redefines_strings = false;
  /// Makes session-bound state that does not survive a resume: temporary tables, PREPARE, DECLARE … WITH
  /// HOLD, LISTEN, session advisory locks. Empty, or what it is in words.
  std::string session_bound;
};

/// Classifies one statement by its tokens; `statement` is what split() returned.
Classified classify(std::string_view statement);

/// Hazards by their ids (design: INDEX_DROPPED, DELETES_DATA, TABLE_REWRITE, ACQUIRES_ACCESS_EXCLUSIVE_LOCK,
/// ACQUIRES_SHARE_LOCK, INDEX_BUILD, IRREVERSIBLE, LONG_RUNNING …), each with the object it concerns.
struct StatementHazard {
  std::string id;
  std::string object;
  std::string reason;  // one clause for people: "drops column \"email\" of users"
  /// The table, index, view or sequence, as written, that must be older than the script for this to matter;
  /// empty where it always does.
  std::string relation;
  /// kdb cannot see what runs here.
  bool unseen = false;

  bool operator==(const StatementHazard&) const = default;
};
std::vector<StatementHazard> hazards(std::string_view statement);

/// The hazards of a whole script, without those on tables and indexes that the script itself created before:
/// nobody reads them yet, and they are empty (base/new_relations).
std::vector<StatementHazard> script_hazards(const std::vector<Statement>& statements);

}  // namespace kdb::sql
