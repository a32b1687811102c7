#include "pg/canonical.hpp"

#include <algorithm>
#include <map>
#include <set>
#include <string_view>
#include <tuple>
#include <utility>
#include <vector>

#include <fmt/format.h>

#include "base/text.hpp"
#include "pg/canonical_kinds.hpp"
#include "pg/canonical_round.hpp"
#include "pg/canonical_views.hpp"
#include "pg/catalog.hpp"
#include "pg/event_triggers.hpp"

namespace kdb::pg {

namespace {

// Every copy takes about six locks until its transaction ends, every index one; a server with 20 connections
// has room for 1280. -- PG docs 20.12, max_locks_per_transaction
constexpr size_t most_copies = 100;
constexpr size_t most_objects = 300;

/// Deals the questions out, those of a table together as far as there is room.
class Rounds {
 public:
  template <class T>
  void add(const Question<T>& question) {
    const ObjectName& table = question.declared->value.table;
    size_t& next = next_[table.name];
    size_t& at = places_.try_emplace(table, next).first->second;
    while (at < rounds_.size() && !has_room(rounds_[at], table)) ++at;
    if (at == rounds_.size()) rounds_.emplace_back();
    rounds_[at].tables.emplace(table.name, table);
    rounds_[at].questions.template of<T>().push_back(question);
    next = std::max(next, at + 1);
  }

  std::vector<Round>& list() { return rounds_; }

 private:
  static bool has_room(const Round& round, const ObjectName& table) {
    if (round.questions.of<Index>().size() + round.questions.of<Statistics>().size() >= most_objects)
      return false;
    const auto found = round.tables.find(table.name);
    return found == round.tables.end() ? round.tables.size() < most_copies : found->second == table;
  }

  std::vector<Round> rounds_;
  std::map<ObjectName, size_t> places_;  // the first round that may have room for a table
  std::map<std::string, size_t> next_;   // the rounds from here on have no table called so
};

Obstacle no_right_to_read(const ObjectName& table) {
  return {.why = fmt::format("the role may not read {}: grant it SELECT on the table and USAGE on its schema",
                             to_sql(table))};
}

/// What must be known before anything is made, in one row for each table. Event triggers would run on behalf
/// of the copies.
std::string obstacles_sql(const std::set<ObjectName>& tables) {
  std::string values;
  for (const ObjectName& table : tables)
    values += fmt::format("{}({}, {})", values.empty() ? "" : ", ", quote_literal(table.schema),
                          quote_literal(table.name));
  return fmt::format(R"(
SELECT w.schema, w.name, c.oid IS NOT NULL AS exists, c.relkind AS kind,
       pg_catalog.has_schema_privilege(n.oid, 'USAGE')
         AND pg_catalog.has_table_privilege(c.oid, 'SELECT') AS readable,
       pg_catalog.pg_is_in_recovery() AS standby,
       pg_catalog.has_database_privilege(pg_catalog.current_database(), 'TEMP') AS temporary,
       {} AS triggers
FROM (VALUES {}) AS w (schema, name)
LEFT JOIN (pg_catalog.pg_namespace n JOIN pg_catalog.pg_class c ON c.relnamespace = n.oid)
  ON n.nspname = w.schema AND c.relname = w.name
ORDER BY w.schema, w.name)",
                     event_triggers_sql("'CREATE TABLE', 'CREATE INDEX', 'CREATE STATISTICS'"), values);
}

/// Why the server cannot be asked about any object, or about those of one table.
struct Obstacles {
  std::optional<Obstacle> all;
  std::map<ObjectName, Obstacle> tables;
  std::map<ObjectName, std::string> kinds;  // of what there is by these names: pg_class.relkind

  const Obstacle* of(const ObjectName& table) const {
    const auto found = tables.find(table);
    // That a table is missing is more than that nobody can be asked.
    if (found != tables.end() && (!all || found->second.table_missing)) return &found->second;
    return all ? &*all : nullptr;
  }
};

Obstacles find_obstacles(Connection& connection, const std::set<ObjectName>& tables) {
  Obstacles obstacles;
  const Result result = connection.exec(obstacles_sql(tables));
  for (size_t i = 0; i < result.size(); ++i) {
    const ResultRow row(result, i);
    const ObjectName table{row.text("schema"), row.text("name")};
    if (row.boolean("exists")) obstacles.kinds.emplace(table, row.text("kind"));
    if (!row.boolean("exists"))
      obstacles.tables.emplace(table, no_table());
    else if (!row.boolean("readable"))
      obstacles.tables.emplace(table, no_right_to_read(table));
    if (row.boolean("standby"))
      obstacles.all = {.why = "the server is a standby, and tables cannot be copied there"};
    else if (row.value("triggers"))
      obstacles.all = {
          .why = fmt::format("event triggers would run on the copy of its table: {}", row.text("triggers"))};
    else if (!row.boolean("temporary"))
      obstacles.all = {.why = "the role may not make temporary tables: grant it TEMPORARY on the database"};
  }
  return obstacles;
}

/// What the catalog has as a view like any other, and TimescaleDB keeps in a hypertable that has its columns.
constexpr const char* kind_of_aggregate = "continuous aggregate";

/// Whether there are objects of the kind on a relation of that relkind.
bool may_have(const Index&, const std::string& kind) {  // table, partitioned table, materialised view
  return kind == "r" || kind == "p" || kind == "m" || kind == kind_of_aggregate;
}
bool may_have(const Statistics&, const std::string& kind) {  // foreign table
  return kind == "r" || kind == "p" || kind == "m" || kind == "f";
}

/// A copy of a view is a table, and would have what a view cannot. Whether the question is so answered.
template <class T>
bool refuse_kind(Question<T>& question, const Obstacles& obstacles) {
  const Declared<T>& declared = *question.declared;
  const auto kind = obstacles.kinds.find(declared.value.table);
  if (kind == obstacles.kinds.end() || may_have(declared.value, kind->second)) return false;
  question.answer->refused = Problem{.message = fmt::format("[{}.{}] table: {} is not a table", T::section,
                                                            declared.key, to_sql(declared.value.table)),
                                     .where = declared.where_of("table"),
                                     .hint = {}};
  return true;
}

/// What objects are called while they are made: no table that is copied has a name that begins so.
std::string free_prefix(const std::set<ObjectName>& tables) {
  std::string prefix = "kdb_";
  while (std::any_of(tables.begin(), tables.end(),
                     [&](const ObjectName& table) { return table.name.starts_with(prefix); }))
    prefix += '_';
  return prefix;
}

template <class T>
using LiveByName = ByName<const Live<T>*>;

template <class T>
LiveByName<T> by_name(const LiveSchema& live) {
  LiveByName<T> found;
  found.reserve(live.of<T>().size());
  for (const Live<T>& one : live.of<T>()) found.emplace(one.value.name, &one);
  return found;
}

/// Answers what needs no server, and lists the rest.
template <class T>
void sort_out(const DesiredSchema& desired, const LiveByName<T>& live, CanonicalSchema& canonical,
              Questions& questions) {
  std::vector<Canonical<T>>& answers = canonical.of<T>();
  answers.resize(desired.of<T>().size());
  for (size_t i = 0; i < answers.size(); ++i) {
    const Declared<T>& declared = desired.of<T>()[i];
    const auto found = live.find(declared.value.name);
    if (declared.absent || (found != live.end() && is_as_live(declared.value, found->second->value)))
      answers[i].value = declared.value;
    else
      questions.of<T>().push_back({.declared = &declared, .answer = &answers[i], .name = {}});
  }
}

template <class T>
void spell_all_as_live(const LiveByName<T>& live, CanonicalSchema& canonical) {
  for (Canonical<T>& one : canonical.of<T>()) {
    if (!one.value) continue;
    const auto found = live.find(one.value->name);
    if (found != live.end()) spell_as_live(*one.value, found->second->value);
  }
}

/// A copy hides nothing: pg_temp is where names are looked for last, or a table called "text" would give its
/// row type to every cast.
std::string settings(const ServerFacts& facts, std::chrono::milliseconds lock_timeout) {
  return fmt::format(
      "SET LOCAL lock_timeout TO {}; {} SET LOCAL search_path TO pg_catalog, {}, pg_temp; "
      "SET LOCAL default_table_access_method TO heap; SET LOCAL temp_tablespaces TO ''; "
      "SET LOCAL client_min_messages TO warning;",
      lock_timeout.count(), definition_settings_sql(facts), quote_ident(facts.schema));
}

void ask_all(Connection& connection, const ServerFacts& facts, Questions& questions, const LiveSchema& live,
             std::chrono::milliseconds lock_timeout) {
  std::set<ObjectName> tables;
  each_question(questions, [&](const auto& question) { tables.insert(question.declared->value.table); });
  if (tables.empty()) return;
  Obstacles obstacles = find_obstacles(connection, tables);
  for (const auto& aggregate : live.of<ContinuousAggregate>())
    if (const auto kind = obstacles.kinds.find(aggregate.value.name); kind != obstacles.kinds.end())
      kind->second = kind_of_aggregate;
  const std::string prefix = free_prefix(tables);
  size_t number = 0;
  Rounds rounds;
  each_question(questions, [&](auto& question) {
    if (refuse_kind(question, obstacles)) return;
    if (const Obstacle* obstacle = obstacles.of(question.declared->value.table))
      return leave_open(question, *obstacle);
    question.name = prefix + std::to_string(++number);
    rounds.add(question);
  });
  const std::string session = settings(facts, lock_timeout);
  for (Round& round : rounds.list()) ask(connection, session, round);
}

}  // namespace

CanonicalSchema canonicalise(Connection& connection, const ServerFacts& facts, const DesiredSchema& desired,
                             const LiveSchema& live, std::chrono::milliseconds lock_timeout) {
  CanonicalSchema canonical;
  Questions questions;
  const auto indexes = by_name<Index>(live);
  const auto statistics = by_name<Statistics>(live);
  sort_out(desired, indexes, canonical, questions);
  sort_out(desired, statistics, canonical, questions);
  try {
    ask_all(connection, facts, questions, live, lock_timeout);
    canonical.of<ContinuousAggregate>() =
        canonical_aggregates(connection, facts, desired.of<ContinuousAggregate>(),
                             live.of<ContinuousAggregate>(), settings(facts, lock_timeout));
  } catch (const ServerError& error) {
    if (error.sqlstate != "55P03") throw;
    throw Error(Exit::lock, "a table is locked by another session: its columns cannot be read",
                "run again when the way is free, or allow longer waits with [connection] lock_timeout");
  }
  spell_all_as_live(indexes, canonical);
  spell_all_as_live(statistics, canonical);
  return canonical;
}

}  // namespace kdb::pg
