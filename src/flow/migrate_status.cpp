#include <fmt/format.h>

#include "base/text.hpp"
#include "core/to_report.hpp"
#include "files/migrations.hpp"
#include "flow/migrate.hpp"
#include "flow/picture.hpp"
#include "flow/unfinished.hpp"

namespace kdb::flow {

namespace {

using State = MigrationStatus::State;

size_t number_of(const Picture& picture, State state) {
  size_t number = 0;
  for (const MigrationStatus& row : picture.rows) number += row.state == state ? 1U : 0U;
  return number;
}

/// "48 applied, 2 pending": every state that occurs.
std::string tally(const Picture& picture) {
  std::string text;
  for (const State state : {State::applied, State::baseline, State::pending, State::partial, State::rerun,
                            State::out_of_order, State::changed, State::missing, State::ahead}) {
    const size_t number = number_of(picture, state);
    if (number > 0) text += fmt::format("{}{} {}", text.empty() ? "" : ", ", number, to_string(state));
  }
  return text.empty() ? "no migrations" : text;
}

Report report_of(const std::string& command, const Picture& picture, const Session& session) {
  Report report{.command = command};
  report.fields = {{.key = "target", .label = "target", .value = session.facts.target},
                   {.key = "folder",
                    .label = "folder",
                    .value = fmt::format("{} ({})", picture.folder.path, to_string(picture.folder.layout))}};
  for (const auto& [key, state] :
       {std::pair{"applied_count", State::applied}, std::pair{"pending_count", State::pending}})
    report.fields.push_back(
        {.key = key, .label = "", .value = static_cast<std::int64_t>(number_of(picture, state))});
  report.tables = {to_table(picture.rows, picture.folder, picture.history)};
  for (const std::string& warning : picture.folder.warnings) report.warnings.push_back({.message = warning});
  for (const MigrationStatus& row : picture.reformatted)
    report.warnings.push_back(
        {.message = fmt::format("{} was reformatted after it was applied: white space and comments "
                                "only, nothing to do",
                                title(row.version, row.name)),
         .where = {.file = picture.folder.files[*row.file].path}});
  report.warnings.insert(report.warnings.end(), picture.changed_down.begin(), picture.changed_down.end());
  report.summary = tally(picture);
  return report;
}

bool is_going_up(const Picture& picture, const MigrationStatus& row) {
  return picture.history.migrations[*row.applied].direction == Direction::up;
}

std::vector<Problem> problems_of(const Picture& picture) {
  std::vector<Problem> problems = history_problems(picture.rows, picture.folder, picture.history, false);
  problems.insert(problems.begin(), picture.changed.begin(), picture.changed.end());
  return problems;
}

}  // namespace

Exit exit_code_of(const Report& status) {
  Exit exit = Exit::ok;
  for (const Table& table : status.tables)
    for (const std::vector<Value>& row : table.rows) {
      const std::string& state = std::get<std::string>(row.front());
      for (const State bad : {State::changed, State::missing, State::out_of_order})
        if (state == to_string(bad)) return Exit::history;
      for (const State open : {State::pending, State::partial, State::rerun})
        if (state == to_string(open)) exit = Exit::pending;
    }
  return exit;
}

Report status(const Context& context) {
  const View view = open_and_look(context, true);
  const Picture& picture = view.picture;
  Report report = report_of("migrate status", picture, view.session);
  for (Problem& problem : problems_of(picture)) {
    problem.details.clear();  // `verify` shows the differences
    report.warnings.push_back(std::move(problem));
  }
  return report;
}

Report verify(const Context& context) {
  const View view = open_and_look(context, true);
  const Picture& picture = view.picture;
  std::vector<MigrationStatus> pending;
  for (const MigrationStatus& row : picture.rows)
    if (row.file && !row.applied && row.state != State::baseline) pending.push_back(row);
  plan_rows(context, picture, pending, Direction::up);  // throws what is malformed
  for (const MigrationStatus& row : picture.rows)
    if (row.state == State::partial && row.file && is_going_up(picture, row))
      without_finished_steps(view.session, row, plan_rows(context, picture, {row}, Direction::up).front());
  std::vector<Problem> problems = problems_of(picture);
  if (!problems.empty()) throw Error(Exit::history, std::move(problems));
  Report report = report_of("migrate verify", picture, view.session);
  report.tables.clear();
  report.summary = "verified: " + tally(picture);
  return report;
}

}  // namespace kdb::flow
