#include "core/query_remarks.hpp"

#include <algorithm>

#include <fmt/format.h>

#include "core/columnstore_remarks.hpp"

namespace kdb {

namespace {

constexpr double large_table = 10'000;  // rows: of fewer nobody minds how they are found

bool is_planned(const ObjectName& index, const QueryReportInput& input) {
  if (!input.planned) return false;
  const auto& indexes = input.planned->design.indexes;
  return std::find(indexes.begin(), indexes.end(), index) != indexes.end();
}

void add_scans(const ObjectName& index, const QueryReportInput& input, std::vector<Value>& row) {
  row.resize(6);
  if (!input.statistics || !input.statistics->indexes) return;
  const auto found = input.statistics->indexes->find(index);
  if (found == input.statistics->indexes->end()) return;
  row[4] = found->second.scans;
  if (!found->second.last.empty()) row[5] = found->second.last;
}

}  // namespace

void add_unserved(const JudgedQuery& judged, const QueryReportInput& input, Report& report) {
  const auto& indexes = judged.summary->indexes;
  for (const TableUse& use : judged.summary->tables) {
    const bool served = std::any_of(indexes.begin(), indexes.end(),
                                    [&](const IndexUse& index) { return index.table == use.table; });
    if (served || use.read_whole.empty() || use.table_rows < large_table) continue;
    report.warnings.push_back(
        {.message = fmt::format("{}: no index serves it: {}", judged.explained->query.name,
                                describe(use, *judged.summary, input.schema)),
         .where = judged.explained->query.where,
         .hint = {}});
  }
}

void add_lookups_everywhere(const JudgedQuery& judged, const QueryReportInput& input, Report& report) {
  constexpr std::int64_t few_parts = 4;  // to look into so many costs nothing
  constexpr double share = 0.01;         // of the table's rows: what returns more is no lookup
  for (const TableUse& use : judged.summary->tables) {
    const bool everywhere =
        use.parts > few_parts && static_cast<std::int64_t>(use.touched.size()) >= use.parts;
    if (!everywhere || use.table_rows < large_table || use.rows > share * use.table_rows) continue;
    const std::string_view noun = use.chunks ? "chunks" : "partitions";
    const std::string columnstore =
        columnstore_reads(use) > 0
            ? fmt::format(", in {} of them through its columnstore, where its indexes do not reach",
                          columnstore_reads(use))
            : "";
    report.warnings.push_back(
        {.message = fmt::format(
             "{}: looks into all {} {} of {} for {:.0f} {}{}", judged.explained->query.name, use.parts, noun,
             to_text(use.table, input.schema), use.rows, use.rows < 1.5 ? "row" : "rows", columnstore),
         .where = judged.explained->query.where,
         .hint = fmt::format("a condition on what the {} are made by would leave most of them out", noun)});
  }
}

Table index_table(const std::vector<JudgedQuery>& judged, const QueryReportInput& input, Report& report) {
  Table table{.key = "indexes",
              .columns = {{"index", "declared index"},
                          {"", "queries", true},
                          {"used_by", ""},
                          {"exists", ""},
                          {"scans", input.statistics ? "scans" : "", true},
                          {"last_scan", ""}},
              .rows = {}};
  if (input.indexes == nullptr || input.chosen) return table;
  for (const Declared<Index>& declared : *input.indexes) {
    if (declared.absent) continue;
    std::vector<std::string> users;
    for (const JudgedQuery& one : judged) {
      if (!one.summary) continue;
      const auto& used = one.summary->indexes;
      if (std::any_of(used.begin(), used.end(), [&](const IndexUse& use) {
            return !use.columnstore && !use.going && use.index == declared.value.name;
          }))
        users.push_back(one.explained->query.name);
    }
    const bool planned = is_planned(declared.value.name, input);
    const bool exists = planned || input.facts.declared.count(declared.value.name) > 0 || !users.empty();
    const std::string name = to_text(declared.value.name, input.schema);
    table.rows.push_back({name, exists ? Value(static_cast<std::int64_t>(users.size())) : Value("not built"),
                          users, exists && !planned});
    add_scans(declared.value.name, input, table.rows.back());
    // A unique one earns its place by what it forbids.
    if (!exists || !users.empty() || declared.value.unique) continue;
    report.warnings.push_back({.message = fmt::format("no declared query uses the index {}", name),
                               .where = declared.where,
                               .hint = "every write pays for it: is there a query that is not declared?"});
  }
  return table;
}

}  // namespace kdb
