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

bool permitted(const sql::StatementHazard& hazard, const MigrationPlan& plan,
               const std::vector<std::string>& allow) {
  const auto matches = [&](const std::string& allowance) {
    return sql::permits(allowance, hazard.id, hazard.object);
  };
  return std::any_of(allow.begin(), allow.end(), matches) ||
         std::any_of(plan.options.allow.begin(), plan.options.allow.end(), matches);
}

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
  std::vector<Problem> problems;
  std::set<std::string> flags;
  for_each_statement(plans, [&](const MigrationPlan& plan, const Step& step) {
    for (const sql::StatementHazard& hazard : step.hazards) {
      if (!sql::hazard::blocks(hazard.id) || permitted(hazard, plan, allow)) continue;
      problems.push_back({.message = fmt::format("{}: {}", hazard.id, hazard.reason), .where = step.where});
      flags.insert(hazard.object.empty() ? hazard.id : hazard.id + ":" + hazard.object);
    }
  });
  if (problems.empty()) return;
  problems.back().hint = fmt::format("if this is meant: --allow '{}'", fmt::join(flags, ","));
  throw Error(Exit::refused, std::move(problems));
}

}  // namespace kdb
