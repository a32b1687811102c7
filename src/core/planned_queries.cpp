#include "core/planned_queries.hpp"

#include <algorithm>
#include <cmath>

#include <fmt/format.h>

namespace kdb {

namespace {

/// The planned indexes that a plan uses.
std::vector<std::string> planned_indexes(const JudgedQuery& judged, const PlannedDesign& design,
                                         std::string_view schema) {
  std::vector<std::string> names;
  if (!judged.summary) return names;
  for (const IndexUse& use : judged.summary->indexes)
    if (!use.columnstore && !use.going &&
        std::find(design.indexes.begin(), design.indexes.end(), use.index) != design.indexes.end())
      names.push_back(to_text(use.index, schema));
  return names;
}

Value cost_of(const JudgedQuery& judged) {
  const auto& plan = judged.explained->plan;
  return plan ? Value(std::int64_t{std::llround(plan->root.cost)}) : Value();
}

Value times_of(const JudgedQuery& now, const JudgedQuery& later) {
  const auto& before = now.explained->plan;
  const auto& after = later.explained->plan;
  if (!before || !after || before->root.cost <= 0) return {};
  return after->root.cost / before->root.cost;
}

}  // namespace

Table planned_table(const std::vector<JudgedQuery>& now, const std::vector<JudgedQuery>& later,
                    const QueryReportInput& input) {
  Table table{.key = "planned",
              .columns = {{"query", "with what is planned"},
                          {"verdict", "verdict"},
                          {"cost", "cost", true},
                          {"planned_cost", "then", true},
                          {"times", "times", true},
                          {"planned_indexes", "by"},
                          {"verdict_now", ""},
                          {"shape", ""},
                          {"planned_shape", ""}},
              .rows = {}};
  for (size_t i = 0; i < later.size() && i < now.size(); ++i)
    table.rows.push_back({now[i].explained->query.name, verdict_word(later[i]), cost_of(now[i]),
                          cost_of(later[i]), times_of(now[i], later[i]),
                          planned_indexes(later[i], input.planned->design, input.schema),
                          verdict_word(now[i]), now[i].summary ? now[i].summary->shape : "",
                          later[i].summary ? later[i].summary->shape : ""});
  return table;
}

void add_unseen(const PlannedQueries& planned, QueryReport& result) {
  for (const Problem& one : planned.design.unseen) {
    result.unchecked = true;
    result.report.warnings.push_back(one);
  }
}

}  // namespace kdb
