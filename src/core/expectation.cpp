#include "core/expectation.hpp"

#include <algorithm>
#include <cmath>

#include <fmt/format.h>

namespace kdb {

namespace {

using Kind = Expectation::Kind;

std::string rows_text(double rows) {
  return fmt::format("{}", static_cast<std::int64_t>(std::llround(rows)));
}

const TableUse* find_table(const PlanSummary& summary, const ObjectName& table) {
  const auto found = std::find_if(summary.tables.begin(), summary.tables.end(),
                                  [&](const TableUse& use) { return use.table == table; });
  return found == summary.tables.end() ? nullptr : &*found;
}

bool index_exists(const PlanFacts& facts, const ObjectName& index) {
  return facts.declared.count(index) > 0 || std::any_of(facts.indexes.begin(), facts.indexes.end(),
                                                        [&](const auto& one) { return one.second == index; });
}

JudgedExpectation judge_index(const Expectation& expectation, const PlanSummary& summary,
                              const PlanFacts& facts, std::string_view schema) {
  for (const IndexUse& use : summary.indexes) {
    if (use.columnstore || use.index != expectation.object) continue;
    const TableUse* table = find_table(summary, use.table);
    const std::string parts =
        table == nullptr || use.parts.empty() ? "" : parts_text(use.parts.size(), *table);
    return {Verdict::holds, parts.empty() ? "it is used" : "it is used in " + parts, {}};
  }
  const std::string name = to_text(expectation.object, schema);
  if (!index_exists(facts, expectation.object))
    return {Verdict::fails, fmt::format("there is no index {}", name),
            "`kdb plan` says whether it is declared and still to be built"};
  const auto valid = facts.declared.find(expectation.object);
  if (valid != facts.declared.end() && !valid->second)
    return {Verdict::fails, fmt::format("the index {} is invalid: the server does not use it", name),
            "`kdb apply` builds a declared one again"};
  std::vector<std::string> instead;
  for (const TableUse& use : summary.tables) instead.push_back(describe(use, summary, schema));
  return {Verdict::fails, fmt::format("it is not used: {}", fmt::join(instead, "; ")), {}};
}

JudgedExpectation judge_seq_scan(const Expectation& expectation, const PlanSummary& summary,
                                 std::string_view schema) {
  const TableUse* use = find_table(summary, expectation.object);
  const std::string name = to_text(expectation.object, schema);
  if (use == nullptr) return {Verdict::fails, fmt::format("the query does not read {}", name), {}};
  if (use->read_whole.empty()) return {Verdict::holds, describe(*use, summary, schema), {}};
  const size_t whole = use->read_whole.size() - use->read_whole.count(use->table);
  if (whole == 0) return {Verdict::fails, fmt::format("{} is read from one end to the other", name), {}};
  return {Verdict::fails,
          fmt::format("{} is read from one end to the other in {}", name, parts_text(whole, *use)),
          {}};
}

JudgedExpectation judge_sort(const PlanSummary& summary) {
  if (summary.sorts == 0) return {Verdict::holds, "nothing is sorted", {}};
  return {Verdict::fails,
          summary.sorts == 1 ? "rows are sorted" : fmt::format("rows are sorted {} times", summary.sorts),
          {}};
}

JudgedExpectation below(const std::string& what, double value, std::int64_t limit) {
  return {value < static_cast<double>(limit) ? Verdict::holds : Verdict::fails,
          fmt::format("{} {}", rows_text(value), what),
          {}};
}

JudgedExpectation judge_chunks(const Expectation& expectation, const PlanSummary& summary) {
  if (summary.executed)
    return below("are touched", static_cast<double>(summary.touched_parts), expectation.limit);
  if (summary.planned_parts < expectation.limit)
    return {Verdict::holds, fmt::format("{} are in the plan", summary.planned_parts), {}};
  // A run may leave some out that the plan has: by a value that it learns, or because it has enough.
  return {Verdict::unchecked,
          fmt::format("{} are in the plan, and a run may touch fewer", summary.planned_parts),
          "--analyze runs the queries"};
}

}  // namespace

std::string_view to_string(Verdict verdict) {
  switch (verdict) {
    case Verdict::holds:
      return "holds";
    case Verdict::fails:
      return "fails";
    case Verdict::unchecked:
      return "not checked";
  }
  return {};
}

std::string parts_text(size_t count, const TableUse& use) {
  const std::string_view noun = use.chunks ? "chunks" : "partitions";
  const auto of = std::max(use.parts, static_cast<std::int64_t>(use.planned.size()));
  return of == 0 ? std::string() : fmt::format("{} of {} {}", count, of, noun);
}

std::string describe(const TableUse& use, const PlanSummary& summary, std::string_view schema) {
  std::vector<std::string> ways;
  for (const IndexUse& index : summary.indexes)
    if (index.table == use.table)
      ways.push_back(index.columnstore ? "its columnstore's index" : to_text(index.index, schema));
  if (!use.read_whole.empty()) ways.emplace_back("a seq scan");
  for (const auto& [word, count] : use.scans)
    if (ways.empty() && word != "seq") ways.push_back(fmt::format("a {} scan", word));
  if (ways.empty()) ways.emplace_back("its columnstore");
  const std::string parts = use.planned.empty() ? "" : parts_text(use.touched.size(), use);
  return fmt::format("{} is read by {}{}{}", to_text(use.table, schema), fmt::join(ways, " and "),
                     parts.empty() ? "" : " in ", parts);
}

JudgedExpectation judge(const Expectation& expectation, const PlanSummary& summary, const PlanFacts& facts,
                        std::string_view schema) {
  if (needs_run(expectation.kind) && !summary.executed)
    return {Verdict::unchecked, "only a run can tell", "--analyze runs the queries"};
  const bool of_relation = expectation.kind == Kind::index || expectation.kind == Kind::no_seq_scan;
  if (of_relation && summary.tables.empty())
    return {Verdict::unchecked, "no table is read: the server knows without looking that no row can be meant",
            "an empty table with chunks or partitions is planned like that"};
  switch (expectation.kind) {
    case Kind::index:
      return judge_index(expectation, summary, facts, schema);
    case Kind::no_seq_scan:
      return judge_seq_scan(expectation, summary, schema);
    case Kind::no_sort:
      return judge_sort(summary);
    case Kind::no_temp_files:
      if (summary.temp_blocks == 0 && summary.sorts_on_disk == 0)
        return {Verdict::holds, "there are none", {}};
      return {Verdict::fails,
              fmt::format("{} pages of temporary files were read and written", summary.temp_blocks),
              "work_mem is what sorts and hashes may take before they write files"};
    case Kind::max_rows_removed:
      return below("rows were read and thrown away by a filter", summary.removed_by_filter,
                   expectation.limit);
    case Kind::max_buffers:
      return below("pages were looked at", static_cast<double>(summary.buffers), expectation.limit);
    case Kind::max_chunks:
      return judge_chunks(expectation, summary);
  }
  return {};
}

}  // namespace kdb
