#include "flow/tune.hpp"

#include <algorithm>
#include <functional>
#include <utility>

#include <fmt/format.h>

#include "core/setting_diff.hpp"
#include "core/to_report.hpp"
#include "core/tuning_comparison.hpp"
#include "core/tuning_report.hpp"
#include "core/wanted_setting.hpp"
#include "flow/tuning_facts.hpp"
#include "host/machine.hpp"
#include "model/known_settings.hpp"
#include "pg/settings.hpp"

namespace kdb::flow {

namespace {

/// What knows the settings: the server that is asked, or the table of a major.
struct Knowledge {
  SettingLookup lookup;
  std::vector<std::string_view> names;
  std::string version;  // "PostgreSQL 17", "this server"
};

Knowledge knowledge_of(int major) {
  Knowledge known{.lookup = [major](std::string_view name) { return find_known_setting(major, name); },
                  .names = {},
                  .version = fmt::format("PostgreSQL {}", major)};
  for (const SettingFacts& one : known_settings(major)) known.names.push_back(one.name);
  return known;
}

/// `settings` must outlive it. What a server has and does not show to this role is in the table.
Knowledge knowledge_of(const pg::ServerSettings& settings, int major) {
  return {.lookup =
              [&settings, major](std::string_view name) {
                if (const ServerSetting* found = settings.find(name)) return &found->facts;
                const bool is_extension = name.find('.') != std::string_view::npos;
                return is_extension ? nullptr : find_known_setting(major, name);
              },
          .names = settings.names(),
          .version = "this server"};
}

void refuse(std::vector<Problem> problems) {
  sort_by_position(problems);
  if (!problems.empty()) throw Error(Exit::usage, std::move(problems));
}

/// What would be rendered; all that a server would refuse ends it.
Tuned tune_or_refuse(const TuningFacts& facts, const files::Profile& profile, const Knowledge& known) {
  std::vector<Problem> problems;
  for (const WantedSetting& one : profile.server.settings)
    if (auto problem = problem_of(one, known.lookup, known.version, known.names))
      problems.push_back(std::move(*problem));
  refuse(std::move(problems));
  Tuned tuned = tune(facts, profile.server.settings, known.lookup);
  refuse(tuned.problems);
  return tuned;
}

Report render_formula(const TuningFacts& facts, const TuningTool& tool, const Knowledge& known) {
  const auto values = tool.values(facts);
  if (!values)
    throw Error(Exit::usage, "a formula needs the machine's memory and CPUs", "--memory and --cpus say them");
  Report report{.command = "tune", .fields = tuning_fields(facts)};
  if (const std::string problem = tool.problem(facts); !problem.empty())
    report.warnings.push_back(
        {.message = fmt::format("{} itself would refuse this: it {}", tool.name, problem),
         .where = {},
         .hint = {}});
  report.settings = lines_of(tool, *values, known.lookup);
  report.summary = fmt::format("{}, as {} would have them", count(values->size(), "setting"), tool.name);
  return report;
}

/// `live`: as of a server that was asked; null without one.
Report render(const TuningFacts& facts, const files::Profile& profile, const TuneOptions& options,
              const Knowledge& known, const LiveValue& live) {
  if (const TuningTool* tool = find_tuning_tool(options.formula)) return render_formula(facts, *tool, known);
  Tuned tuned = tune_or_refuse(facts, profile, known);
  if (!options.compare) return to_report(facts, std::move(tuned));
  Report report{.command = "tune",
                .fields = tuning_fields(facts),
                .tables = {comparison(facts, tuned.lines, live)},
                .findings = std::move(tuned.findings)};
  report.rules = tuning_finding_rules();
  report.summary = fmt::format("{} compared", count(report.tables.front().rows.size(), "setting"));
  return report;
}

/// A server that was asked, and the facts that settings are chosen by.
struct Asked {
  Session session;
  TuningFacts facts;
  pg::ServerSettings settings;
  ServerFiles files;
  bool same_major = true;  // nobody asked for another one's settings

  ServerSettingLookup lookup() const {
    return [this](std::string_view name) { return settings.find(name); };
  }
  /// As of any session that nobody has given values of its own.
  std::string value(std::string_view name) const {
    const ServerSetting* found = settings.find(name);
    return found == nullptr ? "" : server_wide_value(*found, files, lookup());
  }
  Field target() const { return {.key = "target", .label = "target", .value = session.facts.target}; }
};

Asked ask_server(const Context& context, const TuneOptions& options) {
  Session session = open_session(context);
  pg::Connection& connection = *session.connection;
  TuningFacts facts = given_facts(context.profile, options);
  const int major = connection.server_version() / 10'000;
  const bool same_major = facts.major == major || !options.major;
  if (!options.major) {
    facts.major = major;
    facts.major_source = "the server";
  }
  add_found_facts(context, connection, pg::read_tuning(connection), facts);
  pg::ServerSettings settings(connection);
  ServerFiles files = pg::read_server_files(connection);
  Asked asked{std::move(session), std::move(facts), std::move(settings), std::move(files), same_major};
  if (!same_major) return asked;
  for (const std::string_view name : asked.settings.names())
    asked.facts.current.emplace(name, asked.value(name));
  if (!asked.facts.connections)
    asked.facts.connections = Known<int>{std::stoi(asked.value("max_connections")), "the server"};
  return asked;
}

}  // namespace

Report render_settings(const files::Profile& profile, const TuneOptions& options) {
  const TuningFacts facts = given_facts(profile, options);
  Report report = render(facts, profile, options, knowledge_of(facts.major), nullptr);
  const host::Machine here = host::read_machine();
  for (Finding& finding : report.findings)
    if (finding.rule == "unknown-machine" && here.memory > 0)
      finding.problem.hint += fmt::format("; this machine has {} and {:.6g} CPUs",
                                          people(static_cast<double>(here.memory)), here.cpus);
  return report;
}

Report render_settings(const Context& context, const TuneOptions& options) {
  return read_again(context, [&] {
    const Asked asked = ask_server(context, options);
    const Knowledge known =
        asked.same_major ? knowledge_of(asked.settings, asked.facts.major) : knowledge_of(asked.facts.major);
    const auto live = [&](std::string_view name) {
      const ServerSetting* found = asked.settings.find(name);
      return found == nullptr ? "" : shown_setting(asked.value(name), found->facts.type);
    };
    Report report = render(asked.facts, context.profile, options, known, live);
    report.fields.insert(report.fields.begin(), asked.target());
    if (report.settings && asked.same_major)
      for (Finding& finding : misspelt_settings(*report.settings, asked.lookup(), known.names))
        report.findings.push_back(std::move(finding));
    return report;
  });
}

SettingsDiff diff_server_settings(const Context& context, const TuneOptions& options) {
  return read_again(context, [&] {
    const Asked asked = ask_server(context, options);
    if (!asked.same_major)
      throw Error(Exit::usage,
                  fmt::format("--pg {} is not what the server is: PostgreSQL {}", asked.facts.major,
                              asked.session.facts.version),
                  "leave it out: the server is asked");
    const Knowledge known = knowledge_of(asked.settings, asked.facts.major);
    Tuned tuned = tune_or_refuse(asked.facts, context.profile, known);
    SettingDiff diff = diff_settings(tuned.lines, asked.lookup(), asked.files, known.names);
    const bool is_broken =
        std::any_of(diff.findings.begin(), diff.findings.end(),
                    [](const Finding& finding) { return finding.level == Finding::Level::error; });
    const bool waits_for_reload = std::any_of(diff.waiting.begin(), diff.waiting.end(),
                                              [](const SettingDifference& one) { return !one.restart; });
    const bool differs =
        tuned.unresolved || diff.undecided || is_broken || waits_for_reload || !diff.differences.empty();
    for (Finding& finding : tuned.findings)
      if (finding.rule == "unknown-machine" || finding.rule == "setting-from-environment")
        diff.findings.push_back(std::move(finding));
    Report report = to_report(asked.facts, std::move(diff), tuned.lines.size());
    report.fields.insert(report.fields.begin(), asked.target());
    return SettingsDiff{.report = std::move(report), .differs = differs};
  });
}

}  // namespace kdb::flow
