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
void for_each_statement(const MigrationPlan& plan, Visit visit) {
  for (const Step& step : plan.steps) {
    if (step.block.empty()) visit(step);
    for (const Step& inner : step.block) visit(inner);
  }
}

template <typename Visit>
void for_each_statement(const std::vector<MigrationPlan>& plans, Visit visit) {
  for (const MigrationPlan& plan : plans)
    for_each_statement(plan, [&](const Step& step) { visit(plan, step); });
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

std::string line_list(const std::vector<int>& lines) {
  constexpr size_t most = 8;
  if (lines.size() == 1) return fmt::format("line {}", lines.front());
  const size_t shown = lines.size() > most ? most : lines.size() - 1;
  const auto last = lines.begin() + static_cast<std::ptrdiff_t>(shown);
  const std::string rest =
      lines.size() > most ? fmt::format("{} more", lines.size() - most) : fmt::format("{}", lines.back());
  return fmt::format("lines {} and {}", fmt::join(lines.begin(), last, ", "), rest);
}

std::string hazard_summary(const MigrationPlan& plan) {
  constexpr size_t most_reasons = 3;
  struct Reason {
    std::string text;
    std::vector<int> lines;
  };
  std::vector<std::pair<std::string, std::vector<Reason>>> all;
  const auto find_or_add = [](auto& list, const std::string& key, auto key_of) -> auto& {
    const auto found =
        std::find_if(list.begin(), list.end(), [&](const auto& one) { return key_of(one) == key; });
    if (found != list.end()) return *found;
    list.push_back({key, {}});
    return list.back();
  };
  for_each_statement(plan, [&](const Step& step) {
    for (const sql::StatementHazard& hazard : step.hazards) {
      auto& reasons = find_or_add(all, hazard.id, [](const auto& one) { return one.first; }).second;
      const std::string text = hazard.unseen ? std::string(sql::unseen_code) : hazard.reason;
      std::vector<int>& lines = find_or_add(reasons, text, [](const Reason& one) { return one.text; }).lines;
      if (lines.empty() || lines.back() != step.where.line) lines.push_back(step.where.line);
    }
  });
  std::string summary;
  for (const auto& [id, reasons] : all) {
    std::vector<std::string> parts;
    for (size_t i = 0; i < std::min(reasons.size(), most_reasons); ++i)
      parts.push_back(fmt::format("{}: {}", line_list(reasons[i].lines), reasons[i].text));
    if (reasons.size() > most_reasons)
      parts.push_back(fmt::format("{} more in --dry-run", reasons.size() - most_reasons));
    summary += fmt::format("{}{} ({})", summary.empty() ? "" : ", ", id, fmt::join(parts, "; "));
  }
  return summary;
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
