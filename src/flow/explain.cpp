#include "flow/explain.hpp"

#include <algorithm>

#include <fmt/format.h>

#include "base/text.hpp"
#include "base/units.hpp"
#include "core/columnstore_remarks.hpp"
#include "flow/explain_planned.hpp"
#include "pg/catalog.hpp"
#include "pg/explain.hpp"
#include "pg/failure.hpp"
#include "pg/query_statistics.hpp"
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

class Explainer {
 public:
  Explainer(const Context& context, Session& session, const ExplainOptions& options,
            const std::vector<DeclaredQuery>& queries)
      : context_(context),
        connection_(*session.connection),
        options_(options),
        queries_(queries),
        server_(pg::read_facts(connection_, context.profile.database.schema,
                               context.profile.database.history_schema)) {}

  std::vector<ExplainedQuery> explain(
      bool analyze, const std::vector<std::pair<std::string, std::string>>& settings) const {
    const files::Profile& profile = context_.profile;
    const pg::ExplainOptions each{.analyze = analyze,
                                  .timeout = options_.timeout,
                                  .lock_timeout = profile.connection.lock_timeout,
                                  .schema = profile.database.schema,
                                  .settings = settings};
    std::vector<ExplainedQuery> all;
    for (const DeclaredQuery& query : queries_) {
      context_.events({.kind = Event::Kind::progress, .message = fmt::format("explaining {}", query.name)});
      ExplainedQuery& explained =
          all.emplace_back(ExplainedQuery{.query = query, .plan = std::nullopt, .failure = std::nullopt});
      try {
        explained.plan = pg::explain(connection_, query, each);
      } catch (const pg::ServerError& error) {
        if (error.session_ended) throw;
        explained.failure = failure_of(query, error, options_);
      }
    }
    return all;
  }

  PlanFacts facts_of(const std::vector<ExplainedQuery>& explained) const {
    std::vector<const QueryPlan*> plans;
    for (const ExplainedQuery& one : explained)
      if (one.plan) plans.push_back(&*one.plan);
    std::vector<ObjectName> indexes = declared_indexes();
    for (const DeclaredQuery& query : queries_)
      for (const Expectation& one : query.expects)
        if (one.kind == Expectation::Kind::index) indexes.push_back(one.object);
    PlanFacts facts = pg::read_plan_facts(connection_, server_, plans, indexes);
    if (server_.timescale) add_columnstores(pg::read_columnstores(connection_), facts);
    return facts;
  }

  QueryStatistics statistics() const {
    return pg::read_query_statistics(connection_, server_, declared_indexes());
  }

 private:
  std::vector<ObjectName> declared_indexes() const {
    std::vector<ObjectName> names;
    for (const Declared<Index>& index : context_.profile.desired.of<Index>())
      names.push_back(index.value.name);
    return names;
  }

  const Context& context_;
  pg::Connection& connection_;
  const ExplainOptions& options_;
  const std::vector<DeclaredQuery>& queries_;
  ServerFacts server_;
};

QueryReportInput explain_all(const Context& context, Session& session, const ExplainOptions& options,
                             const std::vector<DeclaredQuery>& queries) {
  const Explainer explainer(context, session, options, queries);
  QueryReportInput input{.queries = {}, .facts = {}, .indexes = &context.profile.desired.of<Index>()};
  input.schema = context.profile.database.schema;
  input.hypertables = &context.profile.desired.of<Hypertable>();
  input.chosen = !options.queries.empty();
  // Before the queries run, and are counted themselves.
  if (options.statistics) input.statistics = explainer.statistics();
  input.queries = explainer.explain(options.analyze, {});
  input.facts = explainer.facts_of(input.queries);
  if (options.planned)
    input.planned = explain_planned(
        context, session, [&](const auto& settings) { return explainer.explain(false, settings); },
        [&](const auto& explained) { return explainer.facts_of(explained); });
  return input;
}

std::string counted_text(const QueryStatistics& statistics) {
  std::vector<std::string> parts;
  const auto add = [&](const char* what, bool counted, const std::string& since) {
    if (counted) parts.push_back(fmt::format("{} since {}", what, since.empty() ? "the beginning" : since));
  };
  add("scans", statistics.indexes.has_value(), statistics.indexes_since);
  add("statements", statistics.statements.has_value(), statistics.statements_since);
  return parts.empty() ? "nothing" : fmt::format("{}", fmt::join(parts, ", "));
}

std::string planned_text(const PlannedDesign& design) {
  std::vector<std::string> parts;
  if (!design.indexes.empty())
    parts.push_back(fmt::format("{} {} by {}", design.indexes.size(),
                                design.indexes.size() == 1 ? "index" : "indexes", design.how));
  for (const auto& [name, value] : design.settings) parts.push_back(fmt::format("{} = {}", name, value));
  if (parts.empty())
    return design.unseen.empty() ? "nothing that these plans would be other plans with"
                                 : "nothing that these plans can be had with";
  return fmt::format("{}", fmt::join(parts, ", "));
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
    const QueryReportInput input = explain_all(context, session, options, queries);
    QueryReport result = report_queries(input);
    result.report.fields = {
        {"database", "database", session.facts.target},
        {"analyze", "", options.analyze},
        {"", "queries",
         options.analyze ? "run, and their transactions rolled back" : "planned, not run (--analyze)"}};
    if (input.planned)
      result.report.fields.push_back({"with", "planned", planned_text(input.planned->design)});
    if (input.statistics)
      result.report.fields.push_back({"statistics_since", "counted", counted_text(*input.statistics), true});
    return result;
  });
}

}  // namespace kdb::flow
