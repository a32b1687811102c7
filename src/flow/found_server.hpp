#pragma once

#include <optional>
#include <vector>

#include "core/setting_diff.hpp"
#include "core/tune.hpp"
#include "flow/asked_server.hpp"
#include "flow/settings_trial.hpp"
#include "flow/tune_apply.hpp"

namespace kdb::flow {

/// A server as it is found by a session of its own.
struct FoundServer {
  Session session;
  AskedServer asked;
  std::optional<LocalServer> local;

  /// As difference_of.
  SettingDiff difference(const std::vector<SettingLine>& lines, std::vector<Problem>* refused = nullptr);
};

FoundServer find_server(const Context& context, const TuneOptions& options);

/// Whether the server's files have something that it takes at its next start, or at its next reload.
bool waits_for_restart(const SettingDiff& diff);
bool waits_for_reload(const SettingDiff& diff);

/// Each line of the server's files that it refuses.
std::vector<Problem> broken_lines(const SettingDiff& diff);

/// Throws Error(refused) or Error(failed) with all for which these settings cannot be given to the server in
/// that way: what is not known, what its files have wrong, what wins over them, what other servers need
/// first.
void refuse_unfit(const FoundServer& found, const Tuned& tuned, const SettingDiff& diff,
                  const TuneApplyOptions& options);

}  // namespace kdb::flow
