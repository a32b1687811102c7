#include "flow/compare_settings.hpp"

#include <algorithm>
#include <utility>

#include "core/setting_changes.hpp"
#include "pg/catalog.hpp"

namespace kdb::flow {

namespace {

const WantedSetting* find_declared(const files::Profile& profile, std::string_view name) {
  const auto& settings = profile.server.settings;
  const auto found = std::find_if(settings.begin(), settings.end(),
                                  [&](const WantedSetting& one) { return one.name == name; });
  return found == settings.end() ? nullptr : &*found;
}

/// What nobody can decide without more being known of the machine.
void note_unresolved(const Tuned& tuned, Differences& found) {
  for (const Finding& finding : tuned.findings)
    if (finding.level == Finding::Level::error) found.undecided.push_back(finding.problem);
}

}  // namespace

Compared compare_lines(const Context& context, Session& session, const AskedServer& asked,
                       const std::vector<SettingLine>& lines) {
  const ServerSetting* allows = asked.settings.find("allow_alter_system");  // from 17 on
  std::vector<Problem> refused;
  SettingDiff diff = difference_of(session, asked, lines, &refused);
  const auto place = [&](std::string_view name) {
    const WantedSetting* declared = find_declared(context.profile, name);
    return declared == nullptr ? Source{} : declared->where;
  };
  const ServerFacts facts{.version = session.connection->server_version(),
                          .database = session.facts.database,
                          .schema = context.profile.database.schema};
  Compared compared{
      .objects = setting_changes(diff, facts, place, allows == nullptr || allows->value == "on"),
      .waiting = std::move(diff.waiting)};
  compared.objects.problems.insert(compared.objects.problems.end(), refused.begin(), refused.end());
  for (Finding& finding : diff.findings) {
    // With a line that it refuses the server takes no change of its files.
    if (finding.level == Finding::Level::error)
      compared.objects.problems.push_back(std::move(finding.problem));
    else if (finding.rule == "hidden-setting")
      compared.objects.undecided.push_back(std::move(finding.problem));
    else
      compared.objects.findings.push_back(std::move(finding));
  }
  return compared;
}

Compared compare_settings(const Context& context, Session& session) {
  const AskedServer asked = ask_server(context, session, {});
  Tuned tuned = tune_declared(asked.facts, context.profile, asked.knowledge());
  std::erase_if(tuned.lines, [&](const SettingLine& line) {
    return find_declared(context.profile, line.name) == nullptr;
  });
  Compared compared = compare_lines(context, session, asked, tuned.lines);
  Differences& found = compared.objects;
  found.problems.insert(found.problems.end(), tuned.problems.begin(), tuned.problems.end());
  note_unresolved(tuned, found);
  for (Finding& finding : tuned.findings)
    if (finding.rule == "setting-from-environment") found.findings.push_back(std::move(finding));
  return compared;
}

}  // namespace kdb::flow
