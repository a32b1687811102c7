#include "base/statement.hpp"

#include <algorithm>
#include <array>

#include "base/sql_outside.hpp"
#include "base/sql_scan.hpp"
#include "base/sql_words.hpp"
#include "base/text.hpp"

namespace kdb::sql {

namespace {

TransactionControl read_control(const Words& words, std::string_view tag) {
  const bool chain = words.find("and chain", 1) != npos;
  if (tag == "BEGIN" || tag == "START TRANSACTION") return TransactionControl::begin;
  if (tag == "COMMIT") return chain ? TransactionControl::commit_chain : TransactionControl::commit;
  if (tag == "ROLLBACK") {
    const size_t to = words.is(1, "work") || words.is(1, "transaction") ? 2 : 1;
    if (words.is(to, "to")) return TransactionControl::savepoint;
    return chain ? TransactionControl::rollback_chain : TransactionControl::rollback;
  }
  if (tag == "SAVEPOINT" || tag == "RELEASE") return TransactionControl::savepoint;
  if (one_of(tag, {"PREPARE TRANSACTION", "COMMIT PREPARED", "ROLLBACK PREPARED"}))
    return TransactionControl::prepare;
  return TransactionControl::none;
}

/// The table of CREATE INDEX and of CREATE or DROP TRIGGER, POLICY and RULE.
std::string read_table(const Words& words, std::string_view tag) {
  const bool rule = tag == "CREATE RULE";
  const bool has_table =
      rule || one_of(tag, {"CREATE INDEX", "CREATE TRIGGER", "DROP TRIGGER", "ALTER TRIGGER", "CREATE POLICY",
                           "DROP POLICY", "ALTER POLICY", "DROP RULE", "ALTER RULE"});
  if (!has_table) return {};
  const size_t on = words.find(rule ? "to" : "on", 2);  // CREATE RULE name AS ON event TO table
  return on == npos ? std::string() : words.name(words.skip(on + 1, "only"));
}

// --- locks ---------------------------------------------------------------------------------

// Commands that lock nothing against readers or writers while they wait, or whose waits for rows may rightly
// be long. Anything else is taken to block: a lock_timeout where nothing waits does no harm.
constexpr std::array<std::string_view, 44> harmless{
    // clang-format off
    "ALTER DATABASE", "ALTER DEFAULT PRIVILEGES", "ALTER ROLE", "ALTER SYSTEM", "ANALYZE", "BEGIN",
    "CHECKPOINT", "CLOSE CURSOR", "COMMENT", "COMMIT", "COMMIT PREPARED", "COPY", "CREATE CAST",
    "CREATE DATABASE", "CREATE DOMAIN", "CREATE FUNCTION", "CREATE PROCEDURE", "CREATE ROLE",
    "CREATE SEQUENCE", "CREATE STATISTICS", "CREATE TYPE", "DEALLOCATE", "DECLARE CURSOR", "DELETE",
    "DISCARD", "DISCARD ALL", "EXPLAIN", "FETCH", "INSERT", "LISTEN", "MERGE", "MOVE", "NOTIFY", "PREPARE",
    "PREPARE TRANSACTION", "RELEASE", "RESET", "ROLLBACK", "ROLLBACK PREPARED", "SAVEPOINT", "SET", "SHOW",
    "START TRANSACTION", "UPDATE"
    // clang-format on
};

bool is_full_vacuum(const Words& words) { return words.is(1, "full") || has_option(words, "full"); }

/// SET (…) or RESET (…) of nothing that takes a heavier lock than SHARE UPDATE EXCLUSIVE: TimescaleDB's
/// options do work of their own, and the other one is the exception in reloptions.c.
bool sets_gently(const Words& words, std::pair<size_t, size_t> action) {
  for (const std::string_view option : {"timescaledb", "tsdb", "user_catalog_table"}) {
    for (size_t i = action.first; i < action.second; ++i) {
      if (words.is(i, option)) return false;
    }
  }
  return words.match(action.first, "set (") || words.match(action.first, "reset (");
}

/// Whether all actions of an ALTER TABLE take SHARE UPDATE EXCLUSIVE at most (PG docs, ALTER TABLE): readers
/// and writers pass a queued one.
bool alters_gently(const Words& words, size_t object) {
  const auto is_gentle = [&](std::pair<size_t, size_t> action) {
    const auto& [first, last] = action;
    if (words.match(first, "validate constraint") || words.match(first, "cluster on")) return true;
    if (words.match(first, "set without cluster") || sets_gently(words, action)) return true;
    if (words.match(first, "detach partition")) return words.find("concurrently", first) != npos;
    return words.is(first, "alter") && words.find("set statistics", first, last) != npos;
  };
  const auto actions = words.list(words.skip(words.skip_name(object), "*"));
  return !actions.empty() && std::all_of(actions.begin(), actions.end(), is_gentle);
}

/// A query that calls nothing takes ACCESS SHARE only; a call may do anything.
bool calls_something(const Words& words) {
  for (size_t i = 1; i < words.size(); ++i) {
    if (words.is(i, "(") && words.skip_name(i - 1) == i && !is_keyword(words.text(i - 1))) return true;
  }
  return false;
}

void read_locks(const Words& words, size_t object, Classified& result) {
  const std::string& tag = result.command;
  const bool concurrent = is_concurrent(words, tag);
  const bool gentle = tag == "ALTER TABLE" && alters_gently(words, object);
  result.patient = concurrent || gentle || (tag == "VACUUM" && !is_full_vacuum(words)) || tag == "ANALYZE";
  const bool quiet_query = tag == "SELECT" && !calls_something(words);
  result.blocking_lock =
      !result.patient && !quiet_query && std::find(harmless.begin(), harmless.end(), tag) == harmless.end();
}

// --- session -------------------------------------------------------------------------------

/// The setting that SET or RESET concerns; empty for SET TRANSACTION and other special forms.
std::string setting(const Words& words) {
  size_t i = 1;
  if (words.is(i, "session") || words.is(i, "local")) ++i;
  return to_lower(words.name(i));
}

/// Where `set_config('NAME', value, local)` begins; npos if there is none.
size_t set_config(const Words& words) { return words.find_call("set_config", 1); }

bool sets_lock_timeout(const Words& words, std::string_view tag) {
  if (tag == "SET" || tag == "RESET") return one_of(setting(words), {"lock_timeout", "\"lock_timeout\""});
  const size_t call = tag == "SELECT" ? set_config(words) : npos;
  return call != npos && words.is_literal(call + 2) &&
         to_lower(literal_value(words.text(call + 2))) == "lock_timeout";
}

bool redefines_strings(const Words& words, std::string_view tag) {
  if (tag != "SET" || setting(words) != "standard_conforming_strings") return false;
  return !words.is(words.size() - 1, "on") && !words.is(words.size() - 1, "true");
}

bool is_session_state(const Words& words, std::string_view tag) {
  if (tag == "RESET") return true;
  if (tag == "SET")
    return !words.is(1, "local") && !words.is(1, "transaction") && !words.is(1, "constraints");
  // pg_dump's way to set search_path; repeated as a whole, so only where the SELECT does nothing else.
  const size_t call = tag == "SELECT" ? set_config(words) : npos;
  const bool alone = call == 1 || (call == 3 && words.is(2, "."));
  if (!alone || words.skip_parentheses(call + 1) != words.size()) return false;
  return words.is(words.size() - 2, "false");
}

bool has_session_lock(const Words& words) {
  for (const std::string_view function : {"pg_advisory_lock", "pg_advisory_lock_shared",
                                          "pg_try_advisory_lock", "pg_try_advisory_lock_shared"}) {
    if (words.find_call(function, 0) != npos) return true;
  }
  return false;
}

/// Whether a call of set_config() in `words` sets more than the transaction's value.
bool sets_for_session(const Words& words) {
  for (size_t call = words.find_call("set_config", 0); call != npos;
       call = words.find_call("set_config", call + 1)) {
    const size_t end = words.skip_parentheses(call + 1);
    if (!words.is(end - 2, "true")) return true;
  }
  return false;
}

/// The body of a DO, without its quotes.
std::string body_of_do(const Words& words) {
  for (size_t i = 1; i < words.size(); ++i) {
    if (!words.is_literal(i)) continue;
    const std::string_view text = words.text(i);
    if (text.front() != '$') return literal_value(text);
    const size_t tag = text.find('$', 1) + 1;
    if (text.size() >= 2 * tag) return std::string(text.substr(tag, text.size() - 2 * tag));
  }
  return {};
}

/// Whether code in PL/pgSQL changes the session's settings: what it leaves behind cannot be repeated without
/// running it again.
bool body_sets_for_session(const std::string& body) {
  const Words words(body);
  if (sets_for_session(words)) return true;
  for (size_t i = 1; i < words.size(); ++i) {
    const bool first = words.is(i - 1, ";") || words.is(i - 1, "begin") || words.is(i - 1, "then") ||
                       words.is(i - 1, "else") || words.is(i - 1, "loop");
    if (first && words.is(i, "set") && !words.is(i + 1, "local") && !words.is(i + 1, "transaction"))
      return true;
  }
  return false;
}

std::string session_bound(const Words& words, const Command& command) {
  const std::string& tag = command.tag;
  if (tag == "DO" && body_sets_for_session(body_of_do(words))) return "a setting made inside of DO";
  if (tag != "DO" && !words.is(0, "create") && !is_session_state(words, tag) && sets_for_session(words))
    return "a setting made inside of a larger statement";
  const bool creates = words.is(0, "create") || tag == "SELECT INTO";
  if (creates && command.object != npos && is_temporary(words, command) &&
      words.find("on commit drop", command.object) == npos) {
    if (one_of(tag, {"CREATE TABLE", "CREATE TABLE AS", "SELECT INTO"})) return "a temporary table";
    if (tag == "CREATE VIEW") return "a temporary view";
    return tag == "CREATE SEQUENCE" ? "a temporary sequence" : "a temporary object";
  }
  if (tag == "PREPARE") return "a prepared statement";
  if (tag == "DECLARE CURSOR" && words.find("with hold", 1) != npos) return "a cursor WITH HOLD";
  if (tag == "LISTEN") return "LISTEN";
  if (tag == "LOAD") return "a loaded library";
  return has_session_lock(words) ? "a session advisory lock" : "";
}

}  // namespace

Classified classify(std::string_view statement) {
  const Words words(statement);
  const Command command = read_command(words);
  Classified result;
  result.command = command.tag;
  result.object = words.name(command.object);
  result.table = read_table(words, command.tag);
  result.control = read_control(words, command.tag);
  read_outside(words, command.object, result);
  read_locks(words, command.object, result);
  result.session_state = is_session_state(words, command.tag);
  result.sets_lock_timeout = sets_lock_timeout(words, command.tag);
  result.redefines_strings = redefines_strings(words, command.tag);
  result.session_bound = session_bound(words, command);
  return result;
}

}  // namespace kdb::sql
