#include "pg/canonical_views.hpp"

#include <algorithm>
#include <map>
#include <optional>
#include <string>

#include <fmt/format.h>

#include "base/text.hpp"
#include "pg/event_triggers.hpp"
#include "pg/failure.hpp"
#include "pg/rehearsal.hpp"

namespace kdb::pg {

namespace {

using Aggregate = ContinuousAggregate;

/// Why no view can be made; empty where one can.
std::string obstacle(Connection& connection) {
  const Result row = connection.exec(
      fmt::format("SELECT pg_catalog.pg_is_in_recovery(), "
                  "pg_catalog.has_database_privilege(pg_catalog.current_database(), 'TEMP'), {}",
                  event_triggers_sql("'CREATE VIEW'")));
  if (row.boolean(0, 0)) return "the server is a standby, and no view can be made there";
  if (!row.is_null(0, 2))
    return fmt::format("event triggers would run on a view of its query: {}", row.text(0, 2));
  if (!row.boolean(0, 1)) return "the role may not make temporary views: grant it TEMPORARY on the database";
  return {};
}

void refuse(const Declared<Aggregate>& declared, const ServerError& error, Canonical<Aggregate>& answer) {
  constexpr std::string_view insufficient_privilege = "42501";
  constexpr std::string_view undefined_table = "42P01";
  constexpr std::string_view undefined_schema = "3F000";
  if (error.sqlstate == insufficient_privilege) {
    answer.undecided = describe(error);
  } else if (error.sqlstate == undefined_table || error.sqlstate == undefined_schema) {
    answer.undecided = describe(error);
    answer.table_missing = true;
  } else {
    answer.refused = Problem{
        .message = fmt::format("[{}.{}] query: {}", Aggregate::section, declared.key, describe(error)),
        .where = declared.where_of("query"),
        .hint = error.hint,
        .details = error.detail.empty() ? "" : "detail: " + error.detail};
  }
}

/// Makes the views, and has them printed. One that others are to stand on is there by its own name too.
void ask(Connection& connection, const std::vector<Declared<Aggregate>>& desired,
         const std::vector<size_t>& numbers, std::string_view settings,
         std::vector<Canonical<Aggregate>>& answers) {
  Rehearsal rehearsal(connection, settings);
  std::vector<std::string> statements;
  std::vector<std::optional<size_t>> asked;  // of each statement: whose view it makes
  for (const size_t number : numbers) {
    const Aggregate& aggregate = desired[number].value;
    statements.push_back(fmt::format("CREATE TEMPORARY VIEW kdb_{} AS {}", number, aggregate.query.sql));
    asked.emplace_back(number);
    if (std::none_of(numbers.begin(), numbers.end(), [&](size_t other) {
          return other != number && reads(desired[other].value, aggregate.name);
        }))
      continue;
    statements.push_back(fmt::format("CREATE TEMPORARY VIEW {} AS SELECT * FROM pg_temp.kdb_{}",
                                     quote_ident(aggregate.name.name), number));
    asked.emplace_back();
  }
  rehearsal.run(statements, [&](size_t at, const ServerError& error) {
    if (asked[at]) refuse(desired[*asked[at]], error, answers[*asked[at]]);
  });
  const Result views = rehearsal.query(
      "SELECT pg_catalog.substr(c.relname, 5), pg_catalog.pg_get_viewdef(c.oid) FROM pg_catalog.pg_class c "
      "WHERE c.relnamespace = pg_catalog.pg_my_temp_schema() AND c.relkind = 'v' AND c.relname ~ "
      "'^kdb_[0-9]+$'");
  for (size_t row = 0; row < views.size(); ++row) {
    const auto number = static_cast<size_t>(views.integer(row, 0));
    answers.at(number).value = desired[number].value;
    answers[number].value->query.sql = bare_query(views.text(row, 1));
  }
  rehearsal.roll_back();
}

}  // namespace

std::vector<Canonical<Aggregate>> canonical_aggregates(Connection& connection, const ServerFacts& facts,
                                                       const std::vector<Declared<Aggregate>>& desired,
                                                       const std::vector<Live<Aggregate>>& live,
                                                       std::string_view settings) {
  std::vector<Canonical<Aggregate>> answers(desired.size());
  const bool has_aggregates = facts.timescale && facts.timescale->community;
  std::map<ObjectName, const Aggregate*> by_name;
  for (const auto& one : live) by_name[one.value.name] = &one.value;
  std::vector<size_t> numbers;
  for (const size_t number : sources_first(desired)) {
    const Aggregate& declared = desired[number].value;
    const auto there = by_name.find(declared.name);
    const bool as_live = there != by_name.end() && there->second->query == declared.query;
    if (desired[number].absent || as_live || !has_aggregates)
      answers[number].value = declared;
    else
      numbers.push_back(number);
  }
  if (numbers.empty()) return answers;
  if (const std::string why = obstacle(connection); !why.empty()) {
    for (const size_t number : numbers) answers[number].undecided = why;
    return answers;
  }
  ask(connection, desired, numbers, settings, answers);
  return answers;
}

}  // namespace kdb::pg
