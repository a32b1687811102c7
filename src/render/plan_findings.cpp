#include "render/plan_findings.hpp"

#include <fmt/format.h>

#include "render/changes.hpp"

namespace kdb::render {

namespace {

using Level = Finding::Level;

constexpr std::string_view change_rule = "change";
constexpr std::string_view hazard_rule = "hazard-not-allowed";
constexpr std::string_view problem_rule = "problem";
constexpr std::string_view remark_rule = "remark";

std::vector<FindingRule> plan_rules() {
  return {{.name = std::string(change_rule),
           .level = Level::note,
           .summary = "the database differs from what is declared here",
           .help = "kdb apply would bring it about."},
          {.name = std::string(hazard_rule),
           .level = Level::warning,
           .summary = "bringing it about destroys something, or keeps others out",
           .help = "kdb apply refuses it unless --allow names it."},
          {.name = std::string(problem_rule),
           .level = Level::error,
           .summary = "this cannot be brought about as it is declared",
           .help = "It contradicts itself, or the server cannot have it. kdb apply begins nothing before it "
                   "is mended."},
          {.name = std::string(remark_rule),
           .level = Level::warning,
           .summary = "this is left as it is",
           .help = "kdb cannot tell whether it is as declared, or the profile says to go on without it."}};
}

std::string message_of(const Change& change) {
  std::string text = fmt::format("{} {}", to_string(change.action), subject(change));
  if (!change.reason.empty()) text += ": " + change.reason;
  for (const FieldChange& field : change.fields)
    text += fmt::format("\n{}: {} → {}", field.field, field.live.empty() ? "not set" : field.live,
                        field.desired.empty() ? "not set" : field.desired);
  return text;
}

}  // namespace

Report as_findings(const Report& report) {
  if (!report.changes) return report;
  Report judged = report;
  judged.rules = plan_rules();
  judged.rules.insert(judged.rules.end(), report.rules.begin(), report.rules.end());
  for (const Change& change : *report.changes) {
    judged.findings.push_back({.rule = std::string(change_rule),
                               .level = Level::note,
                               .problem = {.message = message_of(change), .where = change.where}});
    for (const ChangeStep& step : change.steps)
      for (const Hazard& hazard : step.hazards)
        if (hazard.blocks)
          judged.findings.push_back(
              {.rule = std::string(hazard_rule),
               .level = Level::warning,
               .problem = {.message = fmt::format("{}: {}", hazard.id, hazard.reason),
                           .where = change.where,
                           .hint = fmt::format("if this is meant: --allow '{}'", allowance_of(hazard))}});
  }
  for (const Problem& problem : report.problems)
    judged.findings.push_back({.rule = std::string(problem_rule), .level = Level::error, .problem = problem});
  for (const Problem& problem : report.warnings)
    judged.findings.push_back(
        {.rule = std::string(remark_rule), .level = Level::warning, .problem = problem});
  judged.problems.clear();
  judged.warnings.clear();
  return judged;
}

}  // namespace kdb::render
