#include "base/sql_outside.hpp"

#include <array>

#include "base/text.hpp"

namespace kdb::sql {

namespace {

/// Whether a boolean option says no; bare it says yes, as any other value does (defGetBoolean).
bool is_off(const Words& words, size_t option) {
  const size_t value = words.skip(option + 1, "=");
  const std::string_view text = words.text(value);
  return one_of(to_lower(words.is_literal(value) ? literal_value(text) : std::string(text)),
                {"false", "off", "0", "no"});
}

bool option_is_off(const Words& words, std::string_view option) {
  for (size_t i = 1; i < words.size(); ++i) {
    if (words.is(i, option) && (words.is(i - 1, "(") || words.is(i - 1, ","))) return is_off(words, i);
  }
  return false;
}

/// A transaction command as a statement of a PL/pgSQL body, not a column or variable of that name.
bool commits_inside(const Words& body) {
  for (size_t i = 0; i < body.size(); ++i) {
    if (!body.is(i, "commit") && !body.is(i, "rollback")) continue;
    const bool starts =
        i == 0 || one_of(to_lower(body.text(i - 1)), {";", "begin", "then", "else", "loop", ">>"});
    if (starts &&
        (body.is(i + 1, ";") || body.match(i + 1, "and chain") || body.match(i + 1, "and no chain"))) {
      return true;
    }
  }
  return false;
}

void read_do(const Words& words, Classified& result) {
  const DoBlock block = read_do_block(words);
  const Words body(block.source);
  if (commits_inside(body)) {
    result.outside_transaction = true;
    result.recovery = Recovery::unknown;
  } else if (block.language != "plpgsql" || body.find("call", 0) != npos) {
    // A procedure that is called, or another language, may commit; the server says so by SQLSTATE 2D000.
    result.recovery = Recovery::unknown;
  }
}

/// The procedures of TimescaleDB that commit inside (src and tsl, PreventInTransactionBlock).
void read_call(const Words& words, size_t object, Classified& result) {
  result.recovery = Recovery::unknown;
  if (object == npos) return;
  const std::string procedure = to_lower(words.text(words.skip_name(object) - 1));
  const size_t arguments = words.skip_name(object) + 1;
  const size_t option = words.find("concurrently", arguments);
  const bool concurrently = option != npos && !words.is(option + 2, "false");
  if (procedure == "refresh_continuous_aggregate") {
    result.outside_transaction = true;
    result.recovery = Recovery::repeat;
  } else if (one_of(procedure, {"run_job", "cagg_migrate", "merge_chunks_concurrently"})) {
    result.outside_transaction = true;
  } else if (procedure == "merge_chunks" && concurrently) {
    result.outside_transaction = true;
  } else if (one_of(procedure, {"convert_to_columnstore", "convert_to_rowstore"})) {
    result.recovery = Recovery::repeat;  // does nothing to a chunk that is already converted
  }
}

/// True if the subscription command talks to the publisher and so refuses a transaction (PG docs, CREATE
/// SUBSCRIPTION).
bool leaves_transaction(const Words& words, std::string_view tag) {
  if (tag == "CREATE SUBSCRIPTION")
    return !option_is_off(words, "connect") && !option_is_off(words, "create_slot");
  if (tag == "DROP SUBSCRIPTION") return true;
  if (tag != "ALTER SUBSCRIPTION") return false;
  if (words.find("refresh", 2) != npos) return true;
  const bool publications = words.find("set publication", 2) != npos ||
                            words.find("add publication", 2) != npos ||
                            words.find("drop publication", 2) != npos;
  return (publications && !option_is_off(words, "refresh")) || has_option(words, "failover") ||
         has_option(words, "two_phase");
}

struct OutsideRow {
  std::string_view tag;
  Recovery recovery = Recovery::none;
};

// Always refused in a transaction block.
constexpr std::array always_outside{
    OutsideRow{"VACUUM", Recovery::repeat},
    OutsideRow{"ALTER SYSTEM", Recovery::repeat},
    OutsideRow{"DISCARD ALL", Recovery::repeat},
    OutsideRow{"CREATE DATABASE", Recovery::create_database},
    OutsideRow{"DROP DATABASE", Recovery::drop_database},
    OutsideRow{"CREATE TABLESPACE", Recovery::unknown},
    OutsideRow{"DROP TABLESPACE", Recovery::unknown},
};

void read_index(const Words& words, Classified& result) {
  if (result.command == "CREATE INDEX" &&
      (is_concurrent(words, "CREATE INDEX") || has_timescaledb_option(words, "transaction_per_chunk"))) {
    result.outside_transaction = true;
    result.recovery = Recovery::create_index;
  }
  if (result.command == "DROP INDEX" && is_concurrent(words, "DROP INDEX")) {
    result.outside_transaction = true;
    result.recovery = Recovery::drop_index;
  }
  if (result.command == "REINDEX") {
    const size_t kind = words.skip_parentheses(1);
    result.outside_transaction = is_concurrent(words, "REINDEX") || words.is(kind, "schema") ||
                                 words.is(kind, "database") || words.is(kind, "system");
    result.recovery = Recovery::repeat;
  }
}

}  // namespace

DoBlock read_do_block(const Words& words) {
  DoBlock block{.source = {}, .language = "plpgsql"};
  const size_t language = words.find("language", 1);
  if (language != npos) {
    block.language = to_lower(words.text(language + 1));
    std::erase_if(block.language, [](char c) { return c == '\'' || c == '"'; });
  }
  for (size_t i = 1; i < words.size() && block.source.empty(); ++i) {
    if (words.is_literal(i) && !words.is(i - 1, "language")) block.source = literal_value(words.text(i));
  }
  return block;
}

bool has_option(const Words& words, std::string_view option) {
  for (size_t i = 1; i < words.size(); ++i) {
    if (words.is(i, option) && (words.is(i - 1, "(") || words.is(i - 1, ","))) return !is_off(words, i);
  }
  return false;
}

/// `timescaledb.OPTION`, or with the short `tsdb.` that 2.19 brought.
bool has_timescaledb_option(const Words& words, std::string_view option) {
  for (size_t i = 2; i < words.size(); ++i) {
    if (!words.is(i, option) || !words.is(i - 1, ".")) continue;
    if (words.is(i - 2, "timescaledb") || words.is(i - 2, "tsdb")) return !is_off(words, i);
  }
  return false;
}

/// CONCURRENTLY as a word right behind the command, or as an option of REINDEX.
bool is_concurrent(const Words& words, std::string_view tag) {
  if (tag == "REINDEX") {
    const size_t behind = words.skip_parentheses(1);
    return words.is(behind + 1, "concurrently") || (behind > 1 && has_option(words, "concurrently"));
  }
  if (tag == "CREATE INDEX") return words.is(words.is(1, "unique") ? 3 : 2, "concurrently");
  if (tag == "DROP INDEX") return words.is(2, "concurrently");
  if (tag == "REFRESH MATERIALIZED VIEW") return words.is(3, "concurrently");
  return false;
}

void read_outside(const Words& words, size_t object, Classified& result) {
  const std::string& tag = result.command;
  const auto row = std::find_if(always_outside.begin(), always_outside.end(),
                                [&](const OutsideRow& r) { return r.tag == tag; });
  if (row != always_outside.end()) {
    result.outside_transaction = true;
    result.recovery = row->recovery;
  }
  if (one_of(tag, {"CREATE INDEX", "DROP INDEX", "REINDEX"})) read_index(words, result);
  if (tag == "DO") read_do(words, result);
  if (tag == "CALL") read_call(words, object, result);
  if (one_of(tag, {"ANALYZE", "CHECKPOINT", "CLUSTER"})) result.recovery = Recovery::repeat;
  if (tag == "CLUSTER") result.outside_transaction = object == npos;
  if (tag == "ALTER DATABASE" && words.find("set tablespace", 3) != npos) {
    result.outside_transaction = true;
    result.recovery = Recovery::repeat;
  }
  if (leaves_transaction(words, tag) ||
      (tag == "CREATE MATERIALIZED VIEW" && has_timescaledb_option(words, "continuous") &&
       words.find("with no data", 3) == npos)) {
    result.outside_transaction = true;
    result.recovery = Recovery::unknown;
  }
  const size_t detach = tag == "ALTER TABLE" ? words.find("detach partition", 3) : npos;
  if (detach != npos && words.is(words.skip_name(detach + 2), "concurrently")) {
    result.outside_transaction = true;
    result.recovery = Recovery::detach_partition;
  }
  const bool calls = tag == "SELECT" || tag == "CALL";
  if (calls && (words.find_call("reorder_chunk", 1) != npos || words.find_call("move_chunk", 1) != npos)) {
    result.outside_transaction = true;
    result.recovery = Recovery::repeat;
  }
}

}  // namespace kdb::sql
