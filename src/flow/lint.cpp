#include "flow/lint.hpp"

#include <algorithm>
#include <utility>

#include <fmt/format.h>

#include "base/text.hpp"
#include "core/steps.hpp"
#include "core/to_report.hpp"
#include "files/migrations.hpp"
#include "lint/check.hpp"

namespace kdb::flow {

namespace {

lint::Script script_of(Layout layout, const Migration& migration, Direction direction,
                       std::vector<Problem>& malformed) {
  lint::Script script{.layout = layout};
  script.plan = plan_migration(migration, direction, malformed, script.refusals);
  return script;
}

/// Every file of the folder, read and split once. Throws every problem of all of them.
std::vector<lint::MigrationScripts> read_all(const files::MigrationSource& source,
                                             const MigrationFolder& folder) {
  std::vector<lint::MigrationScripts> migrations;
  migrations.reserve(folder.files.size());
  std::vector<Problem> malformed;
  for (const MigrationFile& file : folder.files) {
    try {
      const Migration migration = files::read_migration(source, folder.layout, file);
      lint::MigrationScripts scripts{.file = migration.file, .head = migration.head};
      if (migration.up) scripts.up = script_of(folder.layout, migration, Direction::up, malformed);
      if (migration.down) scripts.down = script_of(folder.layout, migration, Direction::down, malformed);
      migrations.push_back(std::move(scripts));
    } catch (const Error& error) {
      if (error.exit() != Exit::usage) throw;
      malformed.insert(malformed.end(), error.problems().begin(), error.problems().end());
    }
  }
  if (malformed.empty()) return migrations;
  sort_by_position(malformed);
  throw Error(Exit::usage, std::move(malformed));
}

size_t files_in(const MigrationFolder& folder, const files::Profile& profile) {
  const auto downs = std::count_if(folder.files.begin(), folder.files.end(),
                                   [](const MigrationFile& file) { return !file.down_path.empty(); });
  return folder.files.size() + static_cast<size_t>(downs) + profile.files.size();
}

size_t number_of(const lint::Judgement& judgement, Finding::Level level) {
  return static_cast<size_t>(std::count_if(judgement.findings.begin(), judgement.findings.end(),
                                           [&](const Finding& finding) { return finding.level == level; }));
}

/// "2 errors, 5 warnings, 3 notes in 41 files; 2 suppressed"
std::string tally(const lint::Judgement& judgement, size_t files) {
  std::string text;
  for (const Finding::Level level : {Finding::Level::error, Finding::Level::warning, Finding::Level::note}) {
    const size_t number = number_of(judgement, level);
    if (number > 0) text += (text.empty() ? "" : ", ") + count(number, to_string(level));
  }
  text = fmt::format("{} in {}", text.empty() ? "nothing found" : text, count(files, "file"));
  if (judgement.suppressed > 0) text += fmt::format("; {} suppressed", judgement.suppressed);
  return text;
}

void add_rules(Report& report, const std::vector<std::string_view>& not_checked) {
  for (const lint::Rule& rule : lint::rules())
    if (std::find(not_checked.begin(), not_checked.end(), rule.name) == not_checked.end())
      report.rules.push_back(lint::describe(rule));
}

Report report_of(lint::Judgement judgement, size_t files) {
  Report report{.command = "lint"};
  const std::pair<const char*, size_t> numbers[] = {
      {"file_count", files},
      {"error_count", number_of(judgement, Finding::Level::error)},
      {"warning_count", number_of(judgement, Finding::Level::warning)},
      {"note_count", number_of(judgement, Finding::Level::note)},
      {"suppressed_count", judgement.suppressed}};
  for (const auto& [key, number] : numbers)
    report.fields.push_back({.key = key, .label = "", .value = static_cast<std::int64_t>(number)});
  const std::vector<std::string> not_checked(judgement.not_checked.begin(), judgement.not_checked.end());
  report.fields.push_back({.key = "not_checked", .label = "", .value = not_checked});
  report.summary = tally(judgement, files);
  add_rules(report, judgement.not_checked);
  report.findings = std::move(judgement.findings);
  return report;
}

}  // namespace

Report lint(const files::Profile& profile) {
  const files::MigrationSource& source = profile.migrations.source;
  const MigrationFolder folder = files::list_migrations(source);
  Report report = report_of(lint::check({.migrations = read_all(source, folder),
                                         .desired = &profile.desired,
                                         .schema = profile.database.schema,
                                         .queries = &profile.queries,
                                         .settings = &profile.server.settings,
                                         .commented = &profile.commented,
                                         .profile = profile.files.empty() ? "" : profile.files.back().path}),
                            files_in(folder, profile));
  for (const std::string& warning : folder.warnings) report.warnings.push_back({.message = warning});
  return report;
}

Report explain(const std::string& name) {
  Report report{.command = "lint"};
  if (name == "all") {
    Table table{.key = "rules",
                .columns = {{.key = "rule", .title = "rule"},
                            {.key = "level", .title = "level"},
                            {.key = "summary", .title = "finds"}}};
    for (const lint::Rule& rule : lint::rules())
      table.rows.push_back(
          {std::string(rule.name), std::string(to_string(rule.level)), std::string(rule.summary)});
    report.tables = {std::move(table)};
    report.summary = count(lint::rules().size(), "rule");
    return report;
  }
  const lint::Rule* rule = lint::find_rule(name);
  if (rule == nullptr) {
    const auto meant = did_you_mean(name, lint::rule_names());
    throw Error(Exit::usage, fmt::format("there is no rule '{}'", name),
                meant ? fmt::format("did you mean {}?", *meant) : "`kdb lint --explain all` lists them");
  }
  for (const auto& [key, text] : {std::pair{"rule", rule->name}, std::pair{"level", to_string(rule->level)},
                                  std::pair{"finds", rule->summary}, std::pair{"why", rule->why},
                                  std::pair{"lock", rule->lock}, std::pair{"instead", rule->instead}})
    report.fields.push_back({.key = key, .label = "", .value = std::string(text)});
  report.text = lint::explanation(*rule);
  return report;
}

}  // namespace kdb::flow
