#include "core/query_statistics.hpp"

#include <fmt/format.h>

#include "base/text.hpp"
#include "core/counted_statements.hpp"

namespace kdb {

namespace {

void add_unused_indexes(const QueryReportInput& input, Report& report) {
  const QueryStatistics& statistics = *input.statistics;
  if (!statistics.indexes) {
    report.warnings.push_back({.message = "scans of indexes were not looked at: " + statistics.why_no_indexes,
                               .where = {},
                               .hint = {}});
    return;
  }
  constexpr double week = 7 * 24 * 3600;
  const bool young = statistics.indexes_age && *statistics.indexes_age < week;
  const std::string hint = young ? fmt::format("that is {}: what runs once a week may not have run yet",
                                               human_duration(*statistics.indexes_age))
                                 : std::string("every write pays for it");
  for (const Declared<Index>& declared : *input.indexes) {
    if (declared.absent || declared.value.unique) continue;  // that earns its place by what it forbids
    const auto found = statistics.indexes->find(declared.value.name);
    if (found == statistics.indexes->end() || found->second.scans > 0) continue;
    report.warnings.push_back(
        {.message = fmt::format("nothing has used the index {}{}", to_text(declared.value.name, input.schema),
                                statistics.indexes_since.empty() ? " since the server counts"
                                                                 : " since " + statistics.indexes_since),
         .where = declared.where,
         .hint = hint});
  }
}

void warn_of_replicas(const QueryStatistics& statistics, Report& report) {
  if (statistics.standby)
    report.warnings.push_back({.message = "this server is a standby: what the primary and other standbys "
                                          "count was not looked at",
                               .where = {},
                               .hint = {}});
  if (statistics.replicas == 0) return;
  const auto& names = statistics.replica_names;
  report.warnings.push_back(
      {.message = fmt::format(
           "{}{} {} for {}, and {} not looked at",
           statistics.replicas == 1 ? "a replica" : fmt::format("{} replicas", statistics.replicas),
           names.empty() ? "" : fmt::format(" ({})", fmt::join(names, ", ")),
           statistics.replicas == 1 ? "counts" : "count", statistics.replicas == 1 ? "itself" : "themselves",
           statistics.replicas == 1 ? "was" : "were"),
       .where = {},
       .hint = "an index that nothing uses here may be what its queries live on: -d names the replica"});
}

}  // namespace

void add_statistics(const std::vector<JudgedQuery>& judged, const QueryReportInput& input, Report& report) {
  if (!input.chosen && input.indexes != nullptr) add_unused_indexes(input, report);
  warn_of_replicas(*input.statistics, report);
  add_statements(judged, input, report);
}

}  // namespace kdb
