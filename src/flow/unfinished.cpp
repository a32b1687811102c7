#include "flow/unfinished.hpp"

#include <algorithm>

#include <fmt/format.h>

#include "core/steps.hpp"
#include "pg/failure.hpp"

namespace kdb::flow {

MigrationPlan without_finished_steps(const Session& session, const MigrationStatus& row, MigrationPlan plan) {
  const std::vector<pg::JournalRow> journal =
      session.store.journal(*session.connection, history_key(row.kind, row.version, row.name));
  if (plan.one_transaction) {
    std::optional<MigrationPlan> separate = as_separate_steps(plan, "an earlier run did a part of it");
    if (!separate) throw pg::insists_on_one_transaction(plan);
    plan = std::move(*separate);
  }
  pg::refuse_changed_steps(plan, journal);
  const auto is_done = [&](int ordinal) {
    return std::any_of(journal.begin(), journal.end(), [&](const pg::JournalRow& one) {
      return one.ordinal == ordinal && one.state == "done";
    });
  };
  std::erase_if(plan.steps,
                [&](const Step& step) { return !step.what.session_state && is_done(step.ordinal); });
  return plan;
}

}  // namespace kdb::flow
