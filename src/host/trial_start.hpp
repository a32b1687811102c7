#pragma once

#include <functional>
#include <optional>
#include <string>
#include <vector>

#include "base/error.hpp"
#include "host/trial.hpp"

namespace kdb::host {

/// What came of a trial. Where nothing is set the server starts.
struct TrialOutcome {
  std::optional<Problem> refused;  // the settings are at fault: what the server says is in the details
  std::string not_tried;           // why nobody knows: it would not fit beside what runs, there is no initdb
  std::vector<std::string>
      left_out;  // what could not be tried as it is, and why: `ssl: tried without, for …`
};

/// Starts a throwaway server with these settings, calls `look` with the URL of its superuser over a unix
/// socket, and stops and removes it. `look` is to open a session, for only that loads
/// session_preload_libraries: an Error of it makes the settings refused. Nothing that a setting names outside
/// of the throwaway cluster is written, run or connected to.
///
/// It does not see what belongs to the other server's place: whether its port and addresses are free, its log
/// folder can be written, its pg_hba.conf is right; nor the limits of its process (ulimit), its recovery, and
/// what a standby must have at least as much of as its primary.
///
/// Throws Error(interrupted or terminated) as Sandbox does, and any such Error of `look`.
TrialOutcome try_start(const TrialStart& trial, const std::function<void(const std::string& url)>& look);

}  // namespace kdb::host
