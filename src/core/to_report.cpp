#include "core/to_report.hpp"

#include <algorithm>

#include <fmt/format.h>

#include "base/text.hpp"

namespace kdb {

namespace {

ScriptStep control(std::string sql, std::string boundary) {
  return {.sql = std::move(sql), .transaction = std::move(boundary)};
}

ScriptStep statement(const Step& step, std::string boundary) {
  ScriptStep shown{.sql = step.sql, .where = step.where, .transaction = std::move(boundary)};
  for (const sql::StatementHazard& hazard : step.hazards)
    shown.notes.push_back(fmt::format("{}: {}", hazard.id, hazard.reason));
  if (step.newer_grammar) shown.notes.emplace_back("newer grammar than kdb's: the server decides");
  return shown;
}

void add_block(Script& script, const Step& block) {
  script.steps.push_back(control(block.block_begin, "begin"));
  for (const Step& inner : block.block) script.steps.push_back(statement(inner, "inside"));
  script.steps.push_back(control("COMMIT", "commit"));
}

Script to_script(const MigrationPlan& plan) {
  const MigrationFile& file = plan.migration.file;
  Script script{.subject = fmt::format("{} {}", title(file.version, file.name),
                                       plan.direction == Direction::up ? "up" : "down"),
                .note = plan.one_transaction ? "in one transaction"
                                             : "statement by statement, because " + plan.mode_reason};
  if (plan.one_transaction) {
    script.steps.push_back(control(plan.begin, "begin"));
    for (const Step& step : plan.steps) script.steps.push_back(statement(step, "inside"));
    script.steps.push_back(control("COMMIT", "commit"));
    return script;
  }
  for (const Step& step : plan.steps) {
    if (step.block.empty())
      script.steps.push_back(statement(step, "none"));
    else
      add_block(script, step);
  }
  return script;
}

/// Whether the session may be another one after the plan. kdb puts it back after every migration; who runs
/// the script with another tool has to do it too.
bool changes_session(const MigrationPlan& plan) {
  const auto changes = [](const Step& step) {
    return step.what.session_state || !step.what.session_bound.empty() || step.what.command == "DO" ||
           step.what.command == "CALL";
  };
  return std::any_of(plan.steps.begin(), plan.steps.end(), [&](const Step& step) {
    return changes(step) || std::any_of(step.block.begin(), step.block.end(), changes);
  });
}

/// ISO 8601, with the zone that `YYYY-MM-DD hh:mm:ss` leaves out.
std::string iso_time(std::string utc) {
  std::replace(utc.begin(), utc.end(), ' ', 'T');
  return utc.empty() ? utc : utc + "Z";
}

}  // namespace

std::string title(const Version& version, const std::string& name) {
  if (version.text.empty()) return name;
  return name.empty() ? version.text : version.text + " " + name;
}

std::string count(size_t number, std::string_view noun) {
  return fmt::format("{} {}{}", number, noun, number == 1 ? "" : "s");
}

std::vector<Script> to_scripts(const std::vector<MigrationPlan>& plans) {
  std::vector<Script> scripts;
  for (size_t i = 0; i < plans.size(); ++i) {
    scripts.push_back(to_script(plans[i]));
    if (i + 1 < plans.size() && changes_session(plans[i]))
      scripts.back().steps.push_back(control("DISCARD ALL", "session"));
  }
  return scripts;
}

Table to_table(const std::vector<MigrationStatus>& rows, const MigrationFolder& folder,
               const History& history) {
  Table table{.key = "migrations",
              .columns = {{.key = "state", .title = "state"},
                          {.key = "version", .title = "version"},
                          {.key = "name", .title = "name"},
                          {.key = "kind", .title = ""},
                          {.key = "applied_at", .title = ""},
                          {.key = "", .title = "applied (UTC)"},
                          {.key = "file", .title = ""}}};
  for (const MigrationStatus& row : rows) {
    const bool has_time =
        row.applied && history.migrations[*row.applied].state == AppliedMigration::State::applied;
    const std::string applied_at = has_time ? history.migrations[*row.applied].applied_at : "";
    table.rows.push_back({std::string(to_string(row.state)), row.version.text, row.name,
                          std::string(to_string(row.kind)), has_time ? Value(iso_time(applied_at)) : Value(),
                          has_time ? Value(applied_at) : Value(),
                          row.file ? Value(folder.files[*row.file].path) : Value()});
  }
  return table;
}

}  // namespace kdb
