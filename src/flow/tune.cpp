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
#include "flow/asked_server.hpp"
#include "flow/tuning_facts.hpp"
#include "host/machine.hpp"
#include "model/known_settings.hpp"
#include "pg/settings.hpp"

namespace kdb::flow {

namespace {

Field target_of(const Session& session) {
  return {.key = "target", .label = "target", .value = session.facts.target};
}

Report render_formula(const TuningFacts& facts, const TuningTool& tool, const SettingKnowledge& known) {
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
              const SettingKnowledge& known, const LiveValue& live) {
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

}  // namespace

Report render_settings(const files::Profile& profile, const TuneOptions& options) {
  const TuningFacts facts = given_facts(profile, options);
  Report report = render(facts, profile, options, setting_knowledge(facts.major), nullptr);
  const host::Machine here = host::read_machine();
  for (Finding& finding : report.findings)
    if (finding.rule == "unknown-machine" && here.memory > 0)
      finding.problem.hint += fmt::format("; this machine has {} and {:.6g} CPUs",
                                          people(static_cast<double>(here.memory)), here.cpus);
  return report;
}

Report render_settings(const Context& context, const TuneOptions& options) {
  return read_again(context, [&] {
    Session session = open_session(context);
    const AskedServer asked = ask_server(context, session, options);
    const SettingKnowledge known = asked.knowledge();
    const auto live = [&](std::string_view name) {
      const ServerSetting* found = asked.settings.find(name);
      return found == nullptr ? "" : shown_setting(asked.value(name), found->facts.type);
    };
    Report report = render(asked.facts, context.profile, options, known, live);
    report.fields.insert(report.fields.begin(), target_of(session));
    if (report.settings && asked.same_major)
      for (Finding& finding : misspelt_settings(*report.settings, asked.lookup(), known.names))
        report.findings.push_back(std::move(finding));
    return report;
  });
}

SettingsDiff diff_server_settings(const Context& context, const TuneOptions& options) {
  return read_again(context, [&] {
    Session session = open_session(context);
    const AskedServer asked = ask_server(context, session, options);
    if (!asked.same_major)
      throw Error(Exit::usage,
                  fmt::format("--pg {} is not what the server is: PostgreSQL {}", asked.facts.major,
                              session.facts.version),
                  "leave it out: the server is asked");
    const SettingKnowledge known = asked.knowledge();
    Tuned tuned = tune_or_refuse(asked.facts, context.profile, known);
    SettingDiff diff = difference_of(session, asked, tuned.lines);
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
    report.fields.insert(report.fields.begin(), target_of(session));
    return SettingsDiff{.report = std::move(report), .differs = differs};
  });
}

}  // namespace kdb::flow
