#pragma once

#include <algorithm>
#include <initializer_list>
#include <string_view>

#include "base/sql_words.hpp"
#include "base/statement.hpp"

namespace kdb::sql {

inline bool one_of(std::string_view text, std::initializer_list<std::string_view> set) {
  return std::find(set.begin(), set.end(), text) != set.end();
}

/// An option in a list in parentheses, or bare behind a dot, that is not switched off.
bool has_option(const Words& words, std::string_view option);

/// `timescaledb.OPTION`, or with the short `tsdb.` that 2.19 brought, not switched off.
bool has_timescaledb_option(const Words& words, std::string_view option);

/// CONCURRENTLY of the index commands and of REFRESH MATERIALIZED VIEW, as a word or as REINDEX's option.
bool is_concurrent(const Words& words, std::string_view tag);

/// The source of a DO, and its language in lower case without quotes.
struct DoBlock {
  std::string source;
  std::string language;
};
DoBlock read_do_block(const Words& words);

/// Fills `outside_transaction` and `recovery` of `result`, whose `command` is known. Sources: the callers of
/// PreventInTransactionBlock in PostgreSQL 14 to 18 and in TimescaleDB.
void read_outside(const Words& words, size_t object, Classified& result);

}  // namespace kdb::sql
