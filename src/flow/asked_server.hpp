#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "core/setting_diff.hpp"
#include "core/tune.hpp"
#include "flow/session.hpp"
#include "flow/tune.hpp"
#include "model/live_setting.hpp"
#include "model/tuning.hpp"
#include "pg/settings.hpp"
#include "pg/tuning_facts.hpp"

namespace kdb::flow {

/// What knows the settings: the server that is asked, or the table of a major.
struct SettingKnowledge {
  SettingLookup lookup;
  std::vector<std::string_view> names;
  std::string version;  // "PostgreSQL 17", "this server"
};

/// The table of a major.
SettingKnowledge setting_knowledge(int major);

/// A server that was asked for its settings, and the facts that settings are chosen by.
struct AskedServer {
  TuningFacts facts;
  pg::ServerTuning server;
  pg::ServerSettings settings;
  ServerFiles files;
  bool same_major = true;  // nobody asked for another one's settings

  ServerSettingLookup lookup() const {
    return [this](std::string_view name) { return settings.find(name); };
  }
  /// As of any session that nobody has given values of its own.
  std::string value(std::string_view name) const;
  /// It must outlive that. What the server has and does not show to this role is in the table of its major.
  SettingKnowledge knowledge() const;
};

/// `session` must outlive what is returned.
AskedServer ask_server(const Context& context, Session& session, const TuneOptions& options);

/// How far the server is from these lines. Asks it again, for what it makes of some values; `refused` is
/// given those that it does not take.
SettingDiff difference_of(Session& session, const AskedServer& asked, const std::vector<SettingLine>& lines,
                          std::vector<Problem>* refused = nullptr);

/// What would be rendered, and what a server would refuse of it.
Tuned tune_declared(const TuningFacts& facts, const files::Profile& profile, const SettingKnowledge& known);
/// The same. Throws Error(usage) with all that a server would refuse.
Tuned tune_or_refuse(const TuningFacts& facts, const files::Profile& profile, const SettingKnowledge& known);

}  // namespace kdb::flow
