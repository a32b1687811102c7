#include "core/columnstore_remarks.hpp"

#include <algorithm>

#include <fmt/format.h>

namespace kdb {

namespace {

constexpr double least_rows = 100;            // in a batch, of the 1,000 that fit
constexpr std::int64_t large_store = 10'000;  // rows: of fewer nobody minds
constexpr std::int64_t many_parts = 200;
constexpr int many_functions = 100;

/// Where the profile says it of the hypertable; nowhere if it does not.
Source place_of(const QueryReportInput& input, const ObjectName& table, const std::string& field) {
  if (input.hypertables != nullptr)
    for (const Declared<Hypertable>& one : *input.hypertables)
      if (one.value.name == table && !one.absent) return one.where_of(field);
  return {};
}

/// `totals (1422 ms)`
std::string with_time(const std::string& what, std::optional<double> milliseconds) {
  return milliseconds ? fmt::format("{} ({:.0f} ms)", what, *milliseconds) : what;
}

}  // namespace

void add_columnstores(const std::map<ObjectName, ColumnstoreFacts>& columnstores, PlanFacts& facts) {
  for (const auto& [table, columnstore] : columnstores) {
    const auto root = facts.roots.find(table);
    if (root == facts.roots.end()) continue;
    root->second.columnstore = columnstore;
    root->second.rows = std::max(root->second.rows, 0.0) + static_cast<double>(columnstore.uncounted);
  }
}

int columnstore_reads(const TableUse& use) {
  const auto found = use.scans.find("columnar");
  return found == use.scans.end() ? 0 : found->second;
}

void add_thin_batches(const std::vector<JudgedQuery>& judged, const QueryReportInput& input, Report& report) {
  for (const auto& [table, root] : input.facts.roots) {
    if (!root.columnstore || root.columnstore->batches == 0 || root.columnstore->rows < large_store) continue;
    const auto batches = static_cast<double>(root.columnstore->batches);
    const double rows = static_cast<double>(root.columnstore->rows) / batches;
    if (rows >= least_rows) continue;
    std::vector<std::string> readers;
    for (const JudgedQuery& one : judged) {
      if (!one.summary) continue;
      const auto& tables = one.summary->tables;
      const auto use = std::find_if(tables.begin(), tables.end(),
                                    [&, of = &table](const TableUse& each) { return each.table == *of; });
      if (use != tables.end() && columnstore_reads(*use) > 0 &&
          static_cast<std::int64_t>(use->touched.size()) * 2 > use->parts)
        readers.push_back(one.explained->query.name);
    }
    if (readers.empty()) continue;
    std::string size;
    if (root.columnstore->bytes_before > 0)
      size = fmt::format(", takes {:.0f} % of what it did in rows",
                         100 * static_cast<double>(root.columnstore->bytes_after) /
                             static_cast<double>(root.columnstore->bytes_before));
    report.warnings.push_back(
        {.message = fmt::format("the columnstore of {} has {:.1f} rows in a batch, where up to 1,000 fit{}, "
                                "and is unpacked batch by batch for {}",
                                to_text(table, input.schema), rows, size, fmt::join(readers, ", ")),
         .where = place_of(input, table, "columnstore.segment_by"),
         .hint = "segment_by: a column of which a chunk has hundreds of rows for each value; "
                 "`kdb lint --explain few-rows-per-segment`"});
  }
}

void add_many_parts(const std::vector<JudgedQuery>& judged, const QueryReportInput& input, Report& report) {
  for (const auto& [table, root] : input.facts.roots) {
    if (root.parts < many_parts) continue;
    std::vector<std::string> queries;
    std::string_view noun = "partitions";
    for (const JudgedQuery& one : judged) {
      if (!one.summary) continue;
      for (const TableUse& use : one.summary->tables) {
        if (use.table != table || static_cast<std::int64_t>(use.planned.size()) < many_parts) continue;
        if (use.chunks) noun = "chunks";
        queries.push_back(with_time(one.explained->query.name, one.explained->plan->planning_ms));
      }
    }
    if (queries.empty()) continue;
    report.warnings.push_back(
        {.message = fmt::format("hundreds of the {} {} of {} are planned for {}", root.parts, noun,
                                to_text(table, input.schema), fmt::join(queries, ", ")),
         .where = place_of(input, table, "chunk_interval"),
         .hint = "longer ones, without partitions by hash, are fewer"});
  }
}

void add_compiled(const std::vector<JudgedQuery>& judged, Report& report) {
  std::vector<std::string> queries;
  for (const JudgedQuery& one : judged) {
    if (!one.summary || one.explained->plan->jit_functions < many_functions) continue;
    const QueryPlan& plan = *one.explained->plan;
    queries.push_back(
        with_time(fmt::format("{} functions for {}", plan.jit_functions, one.explained->query.name),
                  plan.executed ? std::optional(plan.jit_ms) : std::nullopt));
  }
  if (queries.empty()) return;
  report.warnings.push_back({.message = fmt::format("jit compiles {}", fmt::join(queries, ", ")),
                             .where = {},
                             .hint = "jit = off, for who asks these, and fewer chunks"});
}

}  // namespace kdb
