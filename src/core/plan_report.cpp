#include "core/plan_report.hpp"

#include <algorithm>
#include <array>

#include <fmt/format.h>

#include "base/hazard_list.hpp"
#include "core/to_report.hpp"

namespace kdb {

namespace {

ChangeStep to_step(const Step& step, bool in_transaction, bool begins) {
  ChangeStep shown{
      .sql = step.sql, .purpose = {}, .in_transaction = in_transaction, .begins = begins, .lock = {}};
  for (const sql::StatementHazard& hazard : step.hazards)
    shown.hazards.push_back({.id = hazard.id,
                             .object = hazard.object,
                             .reason = hazard.reason,
                             .blocks = sql::hazard::blocks(hazard.id)});
  return shown;
}

void add_steps(const MigrationPlan& plan, std::vector<ChangeStep>& steps) {
  for (const Step& step : plan.steps) {
    if (step.block.empty()) {
      steps.push_back(to_step(step, step.in_transaction, !plan.one_transaction || steps.empty()));
      continue;
    }
    bool begins = true;
    for (const Step& inner : step.block) {
      steps.push_back(to_step(inner, true, begins));
      begins = false;
    }
  }
}

}  // namespace

Change to_change(const MigrationPlan& plan) {
  const MigrationFile& file = plan.migration.file;
  Change change{.action = Action::run,
                .kind = "migration",
                .object = title(file.version, file.name),
                .table = {},
                .where = {.file = file.path},
                .reason = plan.one_transaction
                              ? ""
                              : fmt::format("statement by statement, because {}", plan.mode_reason)};
  add_steps(plan, change.steps);
  return change;
}

std::string summary_of(const std::vector<Change>& changes) {
  const auto number = [&](Action action) {
    return static_cast<size_t>(std::count_if(changes.begin(), changes.end(),
                                             [&](const Change& one) { return one.action == action; }));
  };
  std::string text;
  if (const size_t runs = number(Action::run); runs > 0) text = count(runs, "migration") + " to run";
  bool named = false;
  for (const Action action :
       {Action::create, Action::alter, Action::replace, Action::rename, Action::repair, Action::drop}) {
    const size_t some = number(action);
    if (some == 0) continue;
    text += fmt::format("{}{} to {}", text.empty() ? "" : ", ",
                        named ? fmt::format("{}", some) : count(some, "object"), to_string(action));
    named = true;
  }
  return text.empty() ? "nothing to do" : text;
}

Table to_table(const std::vector<Undeclared>& undeclared) {
  Table table{.key = "unmanaged",
              .columns = {{.key = "kind", .title = "not declared"},
                          {.key = "object", .title = "name"},
                          {.key = "table", .title = "table"},
                          {.key = "remark", .title = "remark"},
                          {.key = "drift", .title = ""}}};
  for (const Undeclared& one : undeclared) {
    std::string remark = one.remark;
    if (one.drift) remark += fmt::format("{}drift: --prune drops it", remark.empty() ? "" : "; ");
    table.rows.push_back({one.kind, one.object, one.table == one.object ? "" : one.table, remark, one.drift});
  }
  return table;
}

}  // namespace kdb
