#include "core/query_statistics.hpp"

#include <fmt/format.h>

#include "base/text.hpp"
#include "core/counted_statements.hpp"

namespace kdb {

namespace {

/// Since when, as far as that can be said: the server does not keep when an index was made.
std::string counted_since(const QueryStatistics& statistics) {
  std::string text = "since it was made, or since ";
  if (!statistics.indexes_since.empty()) return text + statistics.indexes_since;
  text += "the server counts";
  if (!statistics.server_start.empty()) text += ", at least since its start, " + statistics.server_start;
  return text;
}

std::string advice(const QueryStatistics& statistics) {
  constexpr double week = 7 * 24 * 3600;
  const std::string weekly = "what runs once a week may not have run yet";
  if (!statistics.indexes_age) return "nobody knows how long that is: " + weekly;
  if (*statistics.indexes_age < week)
    return fmt::format("that is {}{}: {}", statistics.indexes_since.empty() ? "at least " : "",
                       human_duration(*statistics.indexes_age), weekly);
  return "every write pays for it; of a new one, " + weekly;
}

void add_unused_indexes(const QueryReportInput& input, Report& report) {
  const QueryStatistics& statistics = *input.statistics;
  if (!statistics.indexes) {
    report.warnings.push_back({.message = "scans of indexes were not looked at: " + statistics.why_no_indexes,
                               .where = {},
                               .hint = {}});
    return;
  }
  for (const Declared<Index>& declared : *input.indexes) {
    if (declared.absent || declared.value.unique) continue;  // that earns its place by what it forbids
    const auto found = statistics.indexes->find(declared.value.name);
    if (found == statistics.indexes->end() || found->second.scans > 0) continue;
    report.warnings.push_back(
        {.message = fmt::format("nothing has used the index {} {}",
                                to_text(declared.value.name, input.schema), counted_since(statistics)),
         .where = declared.where,
         .hint = advice(statistics)});
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
