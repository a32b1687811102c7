#include "core/change_plan.hpp"

#include <utility>

#include <fmt/format.h>

#include "base/statement.hpp"
#include "kinds/extension.hpp"

namespace kdb {

namespace {

std::string_view done_word(Action action) {
  switch (action) {
    case Action::run:
      return "applied";
    case Action::create:
      return "created";
    case Action::alter:
      return "altered";
    case Action::replace:
      return "replaced";
    case Action::rename:
      return "renamed";
    case Action::repair:
      return "repaired";
    case Action::drop:
      return "dropped";
  }
  return {};
}

Step to_step(const Change& change, const ChangeStep& from) {
  Step step{.sql = from.sql, .where = change.where, .in_transaction = from.in_transaction};
  step.what = sql::classify(from.sql);
  return step;
}

Step begin_block(const Change& change) {
  return {.sql = "BEGIN", .where = change.where, .in_transaction = true, .block_begin = "BEGIN"};
}

}  // namespace

MigrationPlan to_plan(const Change& change) {
  MigrationPlan plan{.object = ObjectWork{.name = fmt::format("{} {}", change.kind, change.object),
                                          .done = std::string(done_word(change.action)),
                                          .in_schema = change.kind != Extension::word},
                     .one_transaction = false};
  bool open = false;
  for (const ChangeStep& from : change.steps) {
    if (from.in_transaction && (!open || from.begins)) plan.steps.push_back(begin_block(change));
    open = from.in_transaction;
    if (!open) {
      plan.steps.push_back(to_step(change, from));
      continue;
    }
    Step& block = plan.steps.back();
    block.sql += ";\n" + from.sql;
    block.block.push_back(to_step(change, from));
  }
  int ordinal = 0;
  for (Step& step : plan.steps) {
    step.ordinal = ++ordinal;
    if (!step.block.empty()) step.sql += ";\nCOMMIT";
  }
  return plan;
}

}  // namespace kdb
