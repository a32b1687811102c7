#include "flow/explain.hpp"

#include <algorithm>

#include <fmt/format.h>

#include "base/text.hpp"
#include "base/units.hpp"
#include "core/columnstore_remarks.hpp"
#include "pg/catalog.hpp"
#include "pg/explain.hpp"
#include "pg/failure.hpp"
#include "pg/table_statistics.hpp"

namespace kdb::flow {

namespace {

std::string hint_of(const pg::ServerError& error) {
  if (error.sqlstate == "25006") return "kdb explain only reads, and has the server refuse everything else";
  if (error.sqlstate == "42P18") return "say of which type it is, as in $1::timestamptz";
  if (error.sqlstate == "57014") return "--timeout is how long each query may take";
  return error.hint;
}

Problem failure_of(const DeclaredQuery& query, const pg::ServerError& error, const ExplainOptions& options) {
  std::string what = error.sqlstate == "57014"
                         ? fmt::format("it takes longer than {}", format_duration(options.timeout))
                         : pg::describe(error);
  if (error.line > 0) what += fmt::format(", line {}, column {} of its sql", error.line, error.column);
  return {.message = fmt::format("{} cannot be explained: {}", query.name, what),
          .where = query.sql_where,
          .hint = hint_of(error),
          .details = error.detail};
}

QueryReportInput explain_all(const Context& context, Session& session, const ExplainOptions& options,
                             const std::vector<DeclaredQuery>& queries) {
  const files::Profile& profile = context.profile;
  pg::Connection& connection = *session.connection;
  QueryReportInput input{.queries = {}, .facts = {}, .indexes = &profile.desired.of<Index>()};
  input.schema = profile.database.schema;
  input.hypertables = &profile.desired.of<Hypertable>();
  const pg::ExplainOptions each{.analyze = options.analyze,
                                .timeout = options.timeout,
                                .lock_timeout = profile.connection.lock_timeout,
                                .schema = profile.database.schema};
  std::vector<ObjectName> indexes;
  for (const DeclaredQuery& query : queries) {
    context.events({.kind = Event::Kind::progress, .message = fmt::format("explaining {}", query.name)});
    for (const Expectation& one : query.expects)
      if (one.kind == Expectation::Kind::index) indexes.push_back(one.object);
    ExplainedQuery explained{.query = query, .plan = std::nullopt, .failure = std::nullopt};
    try {
      explained.plan = pg::explain(connection, query, each);
    } catch (const pg::ServerError& error) {
      if (error.session_ended) throw;
      explained.failure = failure_of(query, error, options);
    }
    input.queries.push_back(std::move(explained));
  }
  for (const Declared<Index>& index : *input.indexes) indexes.push_back(index.value.name);
  std::vector<const QueryPlan*> plans;
  for (const ExplainedQuery& one : input.queries)
    if (one.plan) plans.push_back(&*one.plan);
  const ServerFacts facts =
      pg::read_facts(connection, profile.database.schema, profile.database.history_schema);
  input.facts = pg::read_plan_facts(connection, facts, plans, indexes);
  if (facts.timescale) add_columnstores(pg::read_columnstores(connection), input.facts);
  return input;
}

}  // namespace

std::vector<DeclaredQuery> chosen_queries(const std::vector<DeclaredQuery>& declared,
                                          const std::vector<std::string>& names) {
  if (names.empty()) return declared;
  std::vector<std::string_view> known;
  for (const DeclaredQuery& query : declared) known.push_back(query.name);
  std::vector<DeclaredQuery> chosen;
  std::vector<Problem> problems;
  for (const std::string& name : names) {
    const auto found = std::find_if(declared.begin(), declared.end(),
                                    [&](const DeclaredQuery& query) { return query.name == name; });
    if (found != declared.end()) {
      chosen.push_back(*found);
      continue;
    }
    const auto meant = did_you_mean(name, known);
    problems.push_back({.message = fmt::format("the profile has no query \"{}\"", name),
                        .where = {},
                        .hint = meant           ? fmt::format("did you mean \"{}\"?", *meant)
                                : known.empty() ? "[queries.NAME] declares one"
                                                : fmt::format("its queries: {}", fmt::join(known, ", "))});
  }
  if (!problems.empty()) throw Error(Exit::usage, std::move(problems));
  return chosen;
}

QueryReport explain_queries(const Context& context, const ExplainOptions& options) {
  const std::vector<DeclaredQuery> queries = chosen_queries(context.profile.queries, options.queries);
  return read_again(context, [&] {
    Session session = open_session(context);
    QueryReportInput input = explain_all(context, session, options, queries);
    input.chosen = !options.queries.empty();
    QueryReport result = report_queries(input);
    result.report.fields = {
        {"database", "database", session.facts.target},
        {"analyze", "", options.analyze},
        {"", "queries",
         options.analyze ? "run, and their transactions rolled back" : "planned, not run (--analyze)"}};
    return result;
  });
}

}  // namespace kdb::flow
