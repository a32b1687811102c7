#include "core/hazards.hpp"

#include <algorithm>

#include <fmt/format.h>

#include "base/allowance.hpp"
#include "base/error.hpp"
#include "base/hazard_list.hpp"
#include "base/new_relations.hpp"
#include "core/to_report.hpp"

namespace kdb {

namespace {

bool permits_any(const std::vector<std::string>& allow, std::string_view id, std::string_view object) {
  return std::any_of(allow.begin(), allow.end(),
                     [&](const std::string& allowance) { return sql::permits(allowance, id, object); });
}

bool permitted(const sql::StatementHazard& hazard, const MigrationPlan& plan,
               const std::vector<std::string>& allow) {
  return permits_any(allow, hazard.id, hazard.object) ||
         permits_any(plan.options.allow, hazard.id, hazard.object);
}

/// Hazards that nobody allowed, and the flag that would.
class Refusals {
 public:
  void add(const std::string& id, const std::string& object, const std::string& reason, const Source& where) {
    problems_.push_back({.message = fmt::format("{}: {}", id, reason), .where = where});
    flags_.insert(object.empty() ? id : id + ":" + object);
  }
  void throw_if_any() {
    if (problems_.empty()) return;
    problems_.back().hint = fmt::format("if this is meant: --allow '{}'", fmt::join(flags_, ","));
    throw Error(Exit::refused, std::move(problems_));
  }

 private:
  std::vector<Problem> problems_;
  std::set<std::string> flags_;
};

template <typename Visit>
void for_each_statement(const std::vector<MigrationPlan>& plans, Visit visit) {
  for (const MigrationPlan& plan : plans)
    for (const Step& step : plan.steps) {
      if (step.block.empty()) visit(plan, step);
      for (const Step& inner : step.block) visit(plan, inner);
    }
}

}  // namespace

void note_hazards(std::vector<MigrationPlan>& plans, std::optional<std::set<std::string>> existing) {
  sql::NewRelations made(std::move(existing));
  for (MigrationPlan& plan : plans) {
    for (Step& step : plan.steps) {
      if (step.block.empty()) step.hazards = made.hazards_of(step.sql, step.what);
      for (Step& inner : step.block) inner.hazards = made.hazards_of(inner.sql, inner.what);
      if (!plan.one_transaction) made.end_transaction();
    }
    made.end_transaction();
  }
}

HazardScope hazard_scope(const std::vector<MigrationPlan>& plans) {
  HazardScope scope;
  for_each_statement(plans, [&](const MigrationPlan&, const Step& step) {
    for (const sql::StatementHazard& hazard : step.hazards) {
      scope.any = true;
      if (!hazard.relation.empty()) scope.relations.insert(sql::relation_name(hazard.relation));
    }
    scope.other_databases |= step.what.command == "DROP DATABASE";
  });
  return scope;
}

void refuse_hazards(const std::vector<MigrationPlan>& plans, const std::vector<std::string>& allow) {
  Refusals refusals;
  for_each_statement(plans, [&](const MigrationPlan& plan, const Step& step) {
    for (const sql::StatementHazard& hazard : step.hazards)
      if (sql::hazard::blocks(hazard.id) && !permitted(hazard, plan, allow))
        refusals.add(hazard.id, hazard.object, hazard.reason, step.where);
  });
  refusals.throw_if_any();
}

std::set<std::string> concerned_tables(const std::vector<Change>& changes) {
  std::set<std::string> tables;
  for (const Change& change : changes)
    if (!change.table.empty()) tables.insert(change.table);
  return tables;
}

void settle_hazards(std::vector<Change>& changes, const std::map<std::string, Estimate>& estimates) {
  for (Change& change : changes) {
    const auto found = estimates.find(change.table);
    if (found == estimates.end()) continue;
    change.estimate = found->second;
    if (change.estimate.bytes != 0) continue;
    for (ChangeStep& step : change.steps)
      std::erase_if(step.hazards, [](const Hazard& hazard) { return hazard.needs_rows; });
  }
}

void refuse_hazards(const std::vector<Change>& changes, const std::vector<std::string>& allow) {
  Refusals refusals;
  for (const Change& change : changes)
    for (const ChangeStep& step : change.steps)
      for (const Hazard& hazard : step.hazards)
        if (hazard.blocks && !permits_any(allow, hazard.id, hazard.object))
          refusals.add(hazard.id, hazard.object, hazard.reason, change.where);
  refusals.throw_if_any();
}

}  // namespace kdb
