#pragma once

#include <string>
#include <vector>

#include "host/server.hpp"
#include "host/trial.hpp"

namespace kdb::host {

/// How the server of a trial is made.
Server::Options trial_options(const TrialStart& trial);

/// In the supervisor: checks the settings and starts the server with them. Returns what could not be tried as
/// it is, a line for people each. Throws Error(refused), with what the server said, where it is the settings
/// for which it does not start; Error(failed) where it cannot be tried; or what `pause` throws.
std::vector<std::string> start_trial(Server& server, const TrialStart& trial, const Pause& pause);

}  // namespace kdb::host
