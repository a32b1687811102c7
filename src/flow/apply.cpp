#include "flow/apply.hpp"

#include <fmt/format.h>

#include "core/change_plan.hpp"
#include "core/hazards.hpp"
#include "core/plan_report.hpp"
#include "core/to_report.hpp"
#include "flow/deployment.hpp"
#include "flow/migrate.hpp"

namespace kdb::flow {

namespace {

void refuse_problems(const Differences& found) {
  if (!found.problems.empty()) throw Error(Exit::failed, found.problems);
}

/// Everything that is not as declared after all was done.
void refuse_rest(const Differences& found) {
  std::vector<Problem> problems = found.problems;
  for (const Change& change : found.changes)
    problems.push_back(
        {.message = fmt::format("{} {} is still not as declared: {}", change.kind, change.object,
                                change.reason.empty() && !change.fields.empty()
                                    ? change.fields.front().field + " differs"
                                    : change.reason),
         .where = change.where,
         .hint = "another session may have changed it meanwhile: run `kdb plan` again"});
  problems.insert(problems.end(), found.undecided.begin(), found.undecided.end());
  if (!problems.empty()) throw Error(Exit::failed, std::move(problems));
}

/// Changes the objects, each until it is done; the catalog says what is left after a lost connection.
std::vector<Ran> change_objects(const Context& context, const ApplyOptions& options) {
  const DiffOptions diff_options{.prune = options.plan.prune};
  const auto decide = [&](Session& session) {
    const Differences found = compare_objects(context, session, diff_options);
    refuse_problems(found);
    refuse_hazards(found.changes, options.allow);
    std::vector<Work> work;
    for (const Change& change : found.changes) work.push_back({.plan = to_plan(change), .resume = false});
    return work;
  };
  return Deployment(context, decide).run(open_session(context));
}

void add_ran(Report& report, const std::vector<Ran>& ran) {
  Table table{.key = "changed", .columns = {{.key = "object"}, {.key = "milliseconds"}}};
  for (const Ran& one : ran) table.rows.push_back({one.name, one.milliseconds});
  report.tables.push_back(std::move(table));
}

}  // namespace

Report apply(const Context& context, const ApplyOptions& options) {
  const Planned planned = plan(context, options.plan);
  refuse_problems(planned.objects);
  refuse_hazards(planned.objects.changes, options.allow);
  Report report = to_report(context, planned, "apply");
  if (planned.migrations.empty() && planned.objects.changes.empty()) {
    report.summary = "nothing to do";
    return report;
  }
  if (!options.confirm(report)) throw Error(Exit::refused, "nothing was changed: the answer was no");

  report.changes.reset();
  for (Field& field : report.fields) field.label.clear();
  std::vector<Ran> ran;
  if (!planned.migrations.empty()) up(context, {.allow = options.allow});
  if (options.plan.profile) {
    ran = change_objects(context, options);
    const Differences left = compare_objects(context, {.prune = options.plan.prune});
    refuse_rest(left);
    report.tables = {to_table(left.undeclared)};
  }
  add_ran(report, ran);
  report.summary = fmt::format(
      "{}; the database is as declared",
      fmt::format(
          "{}{}{}",
          planned.migrations.empty() ? "" : count(planned.migrations.size(), "migration") + " applied",
          planned.migrations.empty() || ran.empty() ? "" : ", ",
          ran.empty() ? "" : count(ran.size(), "object") + " changed"));
  return report;
}

}  // namespace kdb::flow
