#include "core/hazards.hpp"

#include <algorithm>
#include <set>

#include <fmt/format.h>

#include "base/error.hpp"
#include "base/new_relations.hpp"
#include "base/text.hpp"
#include "core/to_report.hpp"

namespace kdb {

namespace {

/// Names as written, compared without case and without `public.`: good enough to leave out a hint, never to
/// allow one that another schema's table deserves.
std::string plain_name(std::string_view name) {
  std::string lower = to_lower(name);
  std::erase(lower, '"');
  return lower.rfind("public.", 0) == 0 ? lower.substr(7) : lower;
}

bool permits(const std::string& allowance, const sql::StatementHazard& hazard) {
  if (allowance == "all") return hazard.id != "DELETES_DATA" && hazard.id != "IRREVERSIBLE";
  const size_t colon = allowance.find(':');
  if (allowance.substr(0, colon) != hazard.id) return false;
  return colon == std::string::npos || plain_name(allowance.substr(colon + 1)) == plain_name(hazard.object);
}

bool permitted(const sql::StatementHazard& hazard, const MigrationPlan& plan,
               const std::vector<std::string>& allow) {
  const auto matches = [&](const std::string& allowance) { return permits(allowance, hazard); };
  return std::any_of(allow.begin(), allow.end(), matches) ||
         std::any_of(plan.options.allow.begin(), plan.options.allow.end(), matches);
}

template <typename Visit>
void for_each_statement(MigrationPlan& plan, Visit visit) {
  for (Step& step : plan.steps) {
    if (step.block.empty()) visit(step);
    for (Step& inner : step.block) visit(inner);
  }
}

}  // namespace

void note_hazards(std::vector<MigrationPlan>& plans) {
  sql::NewRelations made;
  for (MigrationPlan& plan : plans) {
    for (Step& step : plan.steps) {
      if (step.block.empty()) step.hazards = made.hazards_of(step.sql, step.what);
      for (Step& inner : step.block) inner.hazards = made.hazards_of(inner.sql, inner.what);
      if (!plan.one_transaction) made.end_transaction();
    }
    made.end_transaction();
  }
}

void refuse_hazards(const std::vector<MigrationPlan>& plans, const std::vector<std::string>& allow) {
  std::vector<Problem> problems;
  std::set<std::string> flags;
  for (MigrationPlan plan : plans)
    for_each_statement(plan, [&](const Step& step) {
      for (const sql::StatementHazard& hazard : step.hazards) {
        if (permitted(hazard, plan, allow)) continue;
        problems.push_back({.message = fmt::format("{}: {}", hazard.id, hazard.reason), .where = step.where});
        flags.insert(hazard.object.empty() ? hazard.id : hazard.id + ":" + hazard.object);
      }
    });
  if (problems.empty()) return;
  problems.back().hint = fmt::format("if this is meant: --allow '{}'", fmt::join(flags, ","));
  throw Error(Exit::refused, std::move(problems));
}

}  // namespace kdb
