#include "flow/asked_server.hpp"

#include <utility>

#include <fmt/format.h>

#include "core/wanted_setting.hpp"
#include "flow/tuning_facts.hpp"
#include "model/known_settings.hpp"
#include "pg/failure.hpp"

namespace kdb::flow {

SettingKnowledge setting_knowledge(int major) {
  SettingKnowledge known{.lookup = [major](std::string_view name) { return find_known_setting(major, name); },
                         .names = {},
                         .version = fmt::format("PostgreSQL {}", major)};
  for (const SettingFacts& one : known_settings(major)) known.names.push_back(one.name);
  return known;
}

std::string AskedServer::value(std::string_view name) const {
  const ServerSetting* found = settings.find(name);
  return found == nullptr ? "" : server_wide_value(*found, files, lookup());
}

SettingKnowledge AskedServer::knowledge() const {
  if (!same_major) return setting_knowledge(facts.major);
  const auto find = [this](std::string_view name) -> const SettingFacts* {
    if (const ServerSetting* found = settings.find(name)) return &found->facts;
    const bool is_extension = name.find('.') != std::string_view::npos;
    return is_extension ? nullptr : find_known_setting(facts.major, name);
  };
  return {.lookup = find, .names = settings.names(), .version = "this server"};
}

AskedServer ask_server(const Context& context, Session& session, const TuneOptions& options) {
  pg::Connection& connection = *session.connection;
  TuningFacts facts = given_facts(context.profile, options);
  const int major = connection.server_version() / 10'000;
  const bool same_major = facts.major == major || !options.major;
  if (!options.major) {
    facts.major = major;
    facts.major_source = "the server";
  }
  pg::ServerTuning server = pg::read_tuning(connection);
  add_found_facts(context, connection, server, facts);
  pg::ServerSettings settings(connection);
  ServerFiles files = pg::read_server_files(connection);
  AskedServer asked{std::move(facts), std::move(server), std::move(settings), std::move(files), same_major};
  if (!same_major) return asked;
  for (const std::string_view name : asked.settings.names())
    asked.facts.current.emplace(name, asked.value(name));
  if (!asked.facts.connections)
    asked.facts.connections = Known<int>{std::stoi(asked.value("max_connections")), "the server"};
  return asked;
}

SettingDiff difference_of(Session& session, const AskedServer& asked, const std::vector<SettingLine>& lines,
                          std::vector<Problem>* refused) {
  const std::vector<const SettingLine*> judged = lines_to_judge(lines, asked.lookup());
  std::vector<std::pair<std::string, std::string>> values;
  for (const SettingLine* line : judged) values.emplace_back(line->name, line->value);
  const std::vector<pg::JudgedValue> answers = pg::judge_values(*session.connection, values);
  constexpr std::string_view insufficient_privilege = "42501";
  CanonicalValues canonical;
  for (size_t at = 0; at < answers.size(); ++at) {
    if (!answers[at].error)
      canonical[asked.settings.find(judged[at]->name)->facts.name] = answers[at].kept;
    else if (refused != nullptr && answers[at].error->sqlstate != insufficient_privilege)
      refused->push_back({.message = fmt::format("{} = {} ({}): {}", judged[at]->name, judged[at]->value,
                                                 judged[at]->origin, pg::describe(*answers[at].error)),
                          .where = {},
                          .hint = answers[at].error->hint});
  }
  return diff_settings(lines, asked.lookup(), asked.files, asked.settings.names(), canonical);
}

Tuned tune_declared(const TuningFacts& facts, const files::Profile& profile, const SettingKnowledge& known) {
  Tuned refused;
  for (const WantedSetting& one : profile.server.settings)
    if (auto problem = problem_of(one, known.lookup, known.version, known.names))
      refused.problems.push_back(std::move(*problem));
  Tuned tuned = refused.problems.empty() ? tune(facts, profile.server.settings, known.lookup) : refused;
  sort_by_position(tuned.problems);
  return tuned;
}

Tuned tune_or_refuse(const TuningFacts& facts, const files::Profile& profile, const SettingKnowledge& known) {
  Tuned tuned = tune_declared(facts, profile, known);
  if (!tuned.problems.empty()) throw Error(Exit::usage, std::move(tuned.problems));
  return tuned;
}

}  // namespace kdb::flow
