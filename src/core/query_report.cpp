#include "core/query_report.hpp"

#include <algorithm>
#include <cmath>
#include <map>

#include <fmt/format.h>

#include "base/text.hpp"
#include "base/units.hpp"
#include "core/columnstore_remarks.hpp"
#include "core/judged_query.hpp"
#include "core/plan_tree.hpp"
#include "core/planned_queries.hpp"
#include "core/query_remarks.hpp"
#include "core/query_statistics.hpp"

namespace kdb {

namespace {

std::int64_t microseconds(double ms) { return static_cast<std::int64_t>(std::llround(ms * 1000)); }

/// How tables are read, the way that is met most often first.
std::string reads_text(const PlanSummary& summary) {
  std::map<std::string, int> counts;
  for (const TableUse& use : summary.tables)
    for (const auto& [word, count] : use.scans) counts[word] += count;
  std::vector<std::pair<int, std::string>> words;
  for (const auto& [word, count] : counts) words.emplace_back(-count, word);
  std::sort(words.begin(), words.end());
  if (words.empty()) return "nothing";
  return words.size() == 1 ? words[0].second : fmt::format("{} +{}", words[0].second, words.size() - 1);
}

std::vector<std::string> index_names(const PlanSummary& summary, std::string_view schema) {
  std::vector<std::string> names;
  for (const IndexUse& use : summary.indexes)
    if (!use.columnstore) names.push_back(to_text(use.index, schema));
  return names;
}

std::vector<std::string> table_lines(const PlanSummary& summary, std::string_view schema) {
  std::vector<std::string> lines;
  for (const TableUse& use : summary.tables) lines.push_back(describe(use, summary, schema));
  return lines;
}

std::string estimate_text(const EstimateError& worst) {
  return fmt::format("{}: {:.0f} rows estimated, {:.0f} came", worst.node, worst.estimated, worst.actual);
}

// --- the tables -----------------------------------------------------------------------------------------

std::vector<Value> query_row(const JudgedQuery& judged, const QueryReportInput& input) {
  const DeclaredQuery& query = judged.explained->query;
  std::vector<Value> row = {query.name, verdict_word(judged)};
  if (!judged.summary) {
    row.resize(21);
    return row;
  }
  const PlanSummary& summary = *judged.summary;
  const QueryPlan& plan = *judged.explained->plan;
  const bool ran = plan.executed;
  const auto of_run = [&](std::int64_t value) { return ran ? Value(value) : Value(); };
  row.insert(row.end(), {reads_text(summary), summary.touched_parts, of_run(summary.buffers),
                         ran ? Value(fmt::format("{:.1f}", total_ms(plan))) : Value(),
                         index_names(summary, input.schema), table_lines(summary, input.schema),
                         summary.planned_parts, of_run(std::llround(summary.removed_by_filter)),
                         of_run(std::llround(summary.removed_by_recheck)), of_run(summary.heap_fetches),
                         summary.sorts, of_run(summary.sorts_on_disk), of_run(summary.temp_blocks),
                         of_run(std::llround(summary.rows)), std::int64_t{plan.jit_functions},
                         summary.worst_estimate ? Value(estimate_text(*summary.worst_estimate)) : Value(),
                         summary.shape, plan.planning_ms ? Value(microseconds(*plan.planning_ms)) : Value(),
                         plan.execution_ms ? Value(microseconds(*plan.execution_ms)) : Value()});
  return row;
}

Table query_table(const std::vector<JudgedQuery>& judged, const QueryReportInput& input) {
  const auto any = [&](auto&& holds) { return std::any_of(judged.begin(), judged.end(), holds); };
  const bool ran = any([](const JudgedQuery& one) { return one.summary && one.summary->executed; });
  const bool parted =
      any([](const JudgedQuery& one) { return one.summary && one.summary->planned_parts > 0; });
  Table table{.key = "queries",
              .columns = {{"query", "query"},
                          {"verdict", "verdict"},
                          {"reads", "reads"},
                          {"parts", parted ? "parts" : "", true},
                          {"buffers", ran ? "buffers" : "", true},
                          {"", ran ? "ms" : "", true},
                          {"indexes", ""},
                          {"tables", ""},
                          {"planned_parts", ""},
                          {"rows_removed_by_filter", ""},
                          {"rows_removed_by_recheck", ""},
                          {"heap_fetches", ""},
                          {"sorts", ""},
                          {"sorts_on_disk", ""},
                          {"temp_blocks", ""},
                          {"rows", ""},
                          {"jit_functions", ""},
                          {"worst_estimate", ""},
                          {"shape", ""},
                          {"planning_us", ""},
                          {"execution_us", ""}},
              .rows = {}};
  for (const JudgedQuery& one : judged) table.rows.push_back(query_row(one, input));
  return table;
}

/// For programs: people read the reasons below the table.
Table expectation_table(const std::vector<JudgedQuery>& judged) {
  Table table{.key = "expectations",
              .columns = {{"query", ""}, {"expects", ""}, {"verdict", ""}, {"reason", ""}},
              .rows = {}};
  for (const JudgedQuery& one : judged) {
    const DeclaredQuery& query = one.explained->query;
    for (size_t i = 0; i < query.expects.size(); ++i) {
      const bool known = i < one.judgements.size();
      const JudgedExpectation judgement =
          known ? one.judgements[i] : JudgedExpectation{.reason = "the query has no plan", .hint = {}};
      table.rows.push_back(
          {query.name, query.expects[i].text, std::string(to_string(judgement.verdict)), judgement.reason});
    }
  }
  return table;
}

// --- what is not as expected ------------------------------------------------------------------------------

void add_problems(const JudgedQuery& judged, QueryReport& result) {
  const DeclaredQuery& query = judged.explained->query;
  if (judged.explained->failure) {
    result.failed = true;
    result.report.problems.push_back(*judged.explained->failure);
    return;
  }
  std::vector<std::string> unchecked;
  std::string hint;
  for (size_t i = 0; i < judged.judgements.size(); ++i) {
    const JudgedExpectation& one = judged.judgements[i];
    if (one.verdict == Verdict::unchecked) {
      unchecked.push_back(fmt::format("\"{}\": {}", query.expects[i].text, one.reason));
      hint = one.hint;
    }
    if (one.verdict != Verdict::fails) continue;
    result.fails = true;
    result.report.problems.push_back(
        {.message = fmt::format("{} expects \"{}\": {}", query.name, query.expects[i].text, one.reason),
         .where = query.expects[i].where,
         .hint = one.hint});
  }
  if (judged.too_slow) {
    result.fails = true;
    result.report.problems.push_back(
        {.message = fmt::format("{} has a max_latency of {} and took {:.1f} ms", query.name,
                                format_duration(*query.max_latency), total_ms(*judged.explained->plan)),
         .where = query.latency_where,
         .hint = {}});
  }
  if (judged.time_unknown) {
    unchecked.push_back(fmt::format("a max_latency of {}: what is planned cannot be run yet",
                                    format_duration(*query.max_latency)));
    hint = "`kdb bench compare` builds it on a sandbox, and measures it";
  }
  if (unchecked.empty()) return;
  result.unchecked = true;
  result.report.warnings.push_back(
      {.message = fmt::format("{}: not checked: {}", query.name, fmt::join(unchecked, "; ")),
       .where = query.where,
       .hint = hint});
}

// --- the rest ---------------------------------------------------------------------------------------------

std::string summary_line(const std::vector<JudgedQuery>& judged) {
  std::map<std::string, size_t> counts;
  for (const JudgedQuery& one : judged) ++counts[verdict_word(one)];
  std::vector<std::string> parts;
  const auto add = [&](const char* verdict, std::string_view words) {
    if (counts[verdict] > 0) parts.push_back(fmt::format("{} {}", counts[verdict], words));
  };
  add("ok", "as expected");
  add("fails", "not as expected");
  add("unchecked", "not checked");
  add("error", "without a plan");
  add("-", "without expectations");
  if (judged.empty()) return "no queries are declared";
  return fmt::format("{} {}: {}", judged.size(), judged.size() == 1 ? "query" : "queries",
                     fmt::join(parts, ", "));
}

/// Of the queries that were asked for by name: their plans, and what of them is worth a line.
std::string details(const std::vector<JudgedQuery>& judged, const QueryReportInput& input) {
  constexpr double notable = 10;  // times: what is less wrong seldom makes another plan
  std::string text;
  for (const JudgedQuery& one : judged) {
    if (!one.summary) continue;
    const QueryPlan& plan = *one.explained->plan;
    text += fmt::format("{}{} (shape {})\n{}", text.empty() ? "" : "\n", one.explained->query.name,
                        one.summary->shape, plan_tree(plan, input.facts, input.schema));
    for (size_t i = 0; i < one.judgements.size(); ++i)
      if (one.judgements[i].verdict == Verdict::holds)
        text += fmt::format("  \"{}\" holds: {}\n", one.explained->query.expects[i].text,
                            one.judgements[i].reason);
    if (one.summary->worst_estimate && one.summary->worst_estimate->factor >= notable)
      text += fmt::format("  furthest off: {}\n", estimate_text(*one.summary->worst_estimate));
    if (plan.jit_functions > 0)
      text += fmt::format("  jit compiles {} functions{}\n", plan.jit_functions,
                          plan.executed ? fmt::format(" in {:.1f} ms", plan.jit_ms) : "");
    for (const auto& [name, value] : plan.settings)
      text += fmt::format("  planned with {} = {}\n", name, value);
  }
  return text;
}

}  // namespace

namespace {

std::vector<JudgedQuery> judge_all(const QueryReportInput& input) {
  std::vector<JudgedQuery> judged;
  for (const ExplainedQuery& one : input.queries) judged.push_back(judge_query(one, input));
  return judged;
}

/// What is to be said of the plans as if they were the database's own.
QueryReportInput with_planned(const QueryReportInput& input) {
  QueryReportInput then{.queries = input.planned->queries, .facts = input.planned->facts};
  then.indexes = input.indexes;
  then.schema = input.schema;
  then.chosen = input.chosen;
  then.statistics = input.statistics;
  then.planned.emplace().design = input.planned->design;
  return then;
}

/// What would be planned as it is now, and was run, would run so too. Of anything else a run says nothing.
void keep_runs(const std::vector<JudgedQuery>& now, std::vector<JudgedQuery>& later) {
  for (size_t i = 0; i < now.size() && i < later.size(); ++i) {
    if (!later[i].summary) continue;
    const bool run = now[i].explained->failure || (now[i].summary && now[i].summary->executed);
    const bool same = run && now[i].summary && now[i].summary->shape == later[i].summary->shape;
    if (same && (now[i].too_slow || has(later[i], Verdict::unchecked))) later[i] = now[i];
    later[i].time_unknown = run && !same && later[i].explained->query.max_latency.has_value();
  }
}

/// Of queries that fail as they are, and have a plan with what is planned: which does not mend them.
void add_failures(const std::vector<JudgedQuery>& now, const std::vector<JudgedQuery>& later,
                  QueryReport& result) {
  for (size_t i = 0; i < now.size() && i < later.size(); ++i) {
    if (!now[i].explained->failure || later[i].explained->failure) continue;
    result.failed = true;
    result.report.problems.push_back(*now[i].explained->failure);
  }
}

}  // namespace

QueryReport report_queries(const QueryReportInput& input) {
  QueryReport result;
  Report& report = result.report;
  report.command = "explain";
  const std::vector<JudgedQuery> now = judge_all(input);
  report.tables.push_back(query_table(now, input));
  const QueryReportInput then = input.planned ? with_planned(input) : QueryReportInput{};
  std::vector<JudgedQuery> later = judge_all(then);
  keep_runs(now, later);
  if (input.planned) report.tables.push_back(planned_table(now, later, input));
  const std::vector<JudgedQuery>& judged = input.planned ? later : now;
  const QueryReportInput& judged_with = input.planned ? then : input;
  report.tables.push_back(expectation_table(judged));
  add_failures(now, later, result);
  for (const JudgedQuery& one : judged) add_problems(one, result);
  for (const JudgedQuery& one : judged) {
    if (!one.summary) continue;
    add_unserved(one, judged_with, report);
    add_lookups_everywhere(one, judged_with, report);
  }
  add_many_parts(judged, input, report);
  add_compiled(judged, report);
  add_thin_batches(judged, input, report);
  report.tables.push_back(index_table(judged, judged_with, report));
  if (input.statistics) add_statistics(judged, input, report);
  if (input.planned) add_unseen(*input.planned, result);
  if (input.chosen) report.text = details(judged, judged_with);
  report.summary = summary_line(judged);
  if (input.planned) report.summary += ", with what is planned";
  return result;
}

}  // namespace kdb
