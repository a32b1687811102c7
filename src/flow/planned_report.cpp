#include <algorithm>
#include <set>
#include <string_view>

#include "core/plan_report.hpp"
#include "core/setting_changes.hpp"
#include "core/to_report.hpp"
#include "core/tune.hpp"
#include "flow/plan.hpp"
#include "lint/check.hpp"

namespace kdb::flow {

namespace {

Table to_table(const std::vector<WantedSetting>& settings) {
  Table table{.key = "settings",
              .columns = {{.key = "setting", .title = "setting, left as it is"},
                          {.key = "declared", .title = "declared"}}};
  for (const WantedSetting& one : settings) table.rows.push_back({one.name, one.written});
  return table;
}

Table to_table(const Rehearsal& rehearsal) {
  Table table{.key = "rehearsed",
              .columns = {{.key = "change", .title = "rehearsed"},
                          {.key = "command", .title = "statement"},
                          {.key = "locks", .title = "locks that it took"},
                          {.key = "error", .title = ""},
                          {.key = "sql", .title = ""}}};
  for (const Rehearsal::Statement& one : rehearsal.statements)
    table.rows.push_back({one.change, one.command,
                          !one.error.empty()   ? Value("failed")
                          : !one.locks         ? Value("not seen: outside of a transaction")
                          : one.locks->empty() ? Value("no further ones")
                                               : Value(*one.locks),
                          one.error, one.sql});
  return table;
}

FindingRule rule_of(const Finding& finding) {
  if (const lint::Rule* rule = lint::find_rule(finding.rule)) return lint::describe(*rule);
  const std::vector<FindingRule> rules = tuning_finding_rules();
  return *std::find_if(rules.begin(), rules.end(),
                       [&](const FindingRule& rule) { return rule.name == finding.rule; });
}

}  // namespace

Report to_report(const Planned& planned, std::string command) {
  Report report{.command = std::move(command)};
  const PlanOrigin& origin = planned.origin;
  std::vector<std::string> profiles;
  Table hashes{.key = "profile_files", .columns = {{.key = "path"}, {.key = "sha256"}}};
  for (const FileHash& file : origin.profiles) {
    profiles.push_back(file.path);
    hashes.rows.push_back({file.path, file.sha256});
  }
  report.fields = {
      {.key = "target", .label = "target", .value = planned.target},
      {.key = "profiles", .label = profiles.empty() ? "" : "profile", .value = profiles},
      {.key = "replicas", .label = planned.replicas > 0 ? "replicas" : "", .value = planned.replicas},
      {.key = "kdb_version", .value = origin.kdb_version},
      {.key = "system_identifier", .value = origin.system_identifier},
      {.key = "database", .value = origin.database},
      {.key = "role", .value = origin.role},
      {.key = "parts", .value = origin.parts},
      {.key = "prune", .value = origin.prune}};
  if (!planned.beforehand.empty())
    report.fields.insert(report.fields.begin() + 1,
                         {.key = "beforehand", .label = "beforehand", .value = planned.beforehand});
  if (planned.rehearsal)
    report.fields.push_back({.key = "rehearsal", .label = "rehearsal", .value = planned.rehearsal->verdict});
  if (planned.standby) report.fields.push_back({.key = "standby", .value = true});
  if (origin.sandbox) report.fields.push_back({.key = "sandbox", .value = true});
  std::vector<Change> changes = planned.migrations;
  changes.insert(changes.end(), planned.objects.changes.begin(), planned.objects.changes.end());
  report.summary = summary_of(changes, planned.objects.problems.size());
  report.changes = std::move(changes);
  report.tables = {std::move(hashes), to_table(planned.objects.undeclared), to_table(planned.settings),
                   waiting_table(planned.waiting)};
  if (planned.rehearsal) report.tables.push_back(to_table(*planned.rehearsal));
  report.findings = planned.objects.findings;
  std::set<std::string_view> rules;
  for (const Finding& finding : report.findings)
    if (rules.insert(finding.rule).second) report.rules.push_back(rule_of(finding));
  report.problems = planned.objects.problems;
  for (const auto* problems : {&planned.objects.undecided, &planned.objects.skipped})
    report.warnings.insert(report.warnings.end(), problems->begin(), problems->end());
  return report;
}

}  // namespace kdb::flow
