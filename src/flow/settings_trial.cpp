#include "flow/settings_trial.hpp"

#include <cstdlib>
#include <utility>

#include <fmt/format.h>

#include "host/postmaster.hpp"
#include "host/sandbox.hpp"
#include "host/server_user.hpp"
#include "host/trial_start.hpp"
#include "pg/connect.hpp"

namespace kdb::flow {

std::optional<LocalServer> find_local_server(Session& session, const AskedServer& asked) {
  if (!pg::may_be_local(*session.connection)) return std::nullopt;
  const auto pid = host::find_server(asked.server.data_directory, asked.server.started);
  if (!pid) return std::nullopt;
  return LocalServer{.pid = *pid, .data = asked.server.data_directory, .pg_bin = host::server_programs(*pid)};
}

std::vector<std::string> try_settings(const Context& context, const AskedServer& asked,
                                      const std::optional<LocalServer>& local,
                                      const std::vector<SettingLine>& lines, const std::string& replaced) {
  if (!local) return {"not made: the server is not known to be on this machine"};
  if (local->pg_bin.empty()) return {"not made: the server's programs cannot be found"};
  // Its programs are started: nobody's who is not trusted with that.
  const host::ServerUser user = host::server_user();
  if (host::user_of(local->pid) != user.uid)
    return {fmt::format("not made: the server runs as another user than \"{}\", as whom kdb would try it",
                        user.name)};
  const auto starts = settings_at_start(asked.files, asked.lookup(), asked.settings.names(), replaced);
  if (!starts) return {"not made: this role may not see the server's files (pg_show_all_file_settings)"};
  host::TrialStart trial{
      .pg_bin = local->pg_bin, .data = local->data, .major = asked.facts.major, .settings = {}};
  if (const auto segment = std::strtoull(asked.value("wal_segment_size").c_str(), nullptr, 10); segment > 0)
    trial.wal_segment_bytes = segment;
  if (asked.facts.memory) trial.memory = asked.facts.memory->value;
  std::map<std::string, std::string> settings = *starts;
  for (const SettingLine& line : lines) {
    const ServerSetting* now = asked.settings.find(line.name);
    if (now == nullptr || now->source != "command line") settings[line.name] = line.value;
  }
  trial.settings.assign(settings.begin(), settings.end());
  const host::TrialOutcome outcome = [&] {
    const host::WithoutLibpqVariables aside;
    return host::try_start(trial, [&](const std::string& url) {
      pg::ConnectSettings connect = context.connect;
      connect.url = url;
      pg::connect_with_retry(connect, context.watchdog, context.profile.connection.retry, context.events);
    });
  }();
  if (outcome.refused) throw Error(Exit::refused, *outcome.refused);
  std::vector<std::string> said = {outcome.not_tried.empty() ? "a throwaway server starts with these settings"
                                                             : "not made: " + outcome.not_tried};
  said.insert(said.end(), outcome.left_out.begin(), outcome.left_out.end());
  return said;
}

}  // namespace kdb::flow
