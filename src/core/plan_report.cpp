#include "core/plan_report.hpp"

#include <algorithm>
#include <array>
#include <utility>

#include <fmt/format.h>

#include "base/allowance.hpp"
#include "base/hazard_list.hpp"
#include "core/hazards.hpp"
#include "core/to_report.hpp"

namespace kdb {

namespace {

/// Shows the statements of a migration.
class Steps {
 public:
  Steps(const MigrationPlan& plan, bool refuses) : plan_(plan), refuses_(refuses) {}

  std::vector<ChangeStep> take() {
    for (const Step& step : plan_.steps) {
      if (step.block.empty()) {
        add(step, step.in_transaction, !plan_.one_transaction || steps_.empty());
        continue;
      }
      bool begins = true;
      for (const Step& inner : step.block) add(inner, true, std::exchange(begins, false));
    }
    say_unseen_once();
    return std::move(steps_);
  }

 private:
  /// Each of a file's DO blocks and calls would say the same.
  void say_unseen_once() {
    if (unseen_.size() < 2) return;
    std::vector<int> lines;
    for (const auto& [step, hazard, line] : unseen_)
      if (lines.empty() || lines.back() != line) lines.push_back(line);
    std::string words = fmt::format("{}, in {}", sql::unseen_code, line_list(lines));
    for (const auto& [step, hazard, line] : unseen_)
      steps_[step].hazards[hazard].in_text = std::exchange(words, {});
  }

  void add(const Step& step, bool in_transaction, bool begins) {
    ChangeStep& shown = steps_.emplace_back(ChangeStep{
        .sql = step.sql, .purpose = {}, .in_transaction = in_transaction, .begins = begins, .lock = {}});
    for (const sql::StatementHazard& hazard : step.hazards) {
      if (hazard.unseen) unseen_.push_back({steps_.size() - 1, shown.hazards.size(), step.where.line});
      shown.hazards.push_back({.id = hazard.id,
                               .object = hazard.object,
                               .reason = hazard.reason,
                               .blocks = refuses_ && sql::hazard::blocks(hazard.id) && !is_allowed(hazard)});
    }
  }

  /// By the file itself.
  bool is_allowed(const sql::StatementHazard& hazard) const {
    const auto& allow = plan_.options.allow;
    return std::any_of(allow.begin(), allow.end(), [&](const std::string& allowance) {
      return sql::permits(allowance, hazard.id, hazard.object);
    });
  }

  const MigrationPlan& plan_;
  bool refuses_;
  std::vector<ChangeStep> steps_;

  struct Unseen {
    size_t step = 0;
    size_t hazard = 0;  // of the step's
    int line = 0;
  };
  std::vector<Unseen> unseen_;
};

}  // namespace

Change to_change(const MigrationPlan& plan, bool refuses) {
  const MigrationFile& file = plan.migration.file;
  Change change{.action = Action::run,
                .kind = "migration",
                .object = title(file.version, file.name),
                .table = {},
                .where = {.file = file.path},
                .reason = plan.one_transaction
                              ? ""
                              : fmt::format("statement by statement, because {}", plan.mode_reason),
                .fingerprint = file.checksum + file.down_checksum};
  change.steps = Steps(plan, refuses).take();
  return change;
}

std::string summary_of(const std::vector<Change>& changes, size_t problems) {
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
  if (problems > 0) text += fmt::format("{}{}", text.empty() ? "" : ", ", count(problems, "problem"));
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
