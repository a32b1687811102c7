#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/error.hpp"
#include "host/trial.hpp"

namespace kdb::host {

/// What cannot be tried at all: a name that postgresql.conf cannot hold, or that would include a file.
std::optional<Problem> trial_name_problem(const Settings& settings);

/// What the checks are to judge: the settings as they are, but for those that would lead the trial into the
/// other server's folder. Names of files that are only read are made absolute.
Settings declared_for_trial(const TrialStart& trial);

/// What holds in a trial whatever is declared, to stand behind that: nothing reaches out of the cluster.
/// Without what the major does not know.
Settings forced_in_trial(int major);

/// Arguments of `postgres` by which its log tells the reason of a failure, whatever is declared. What stands
/// in the file is judged nevertheless.
const std::vector<std::string>& legible_log();

/// Of files that a server with TLS reads, those that are set, or that it takes when nothing is.
std::vector<std::string> ssl_files(const TrialStart& trial);

/// The value of a setting, whose name may be in any case; nothing where it is not among them.
std::optional<std::string> setting_of(const Settings& settings, std::string_view name);

/// Of a log without prefixes the lines that say why a server did not start, without the names of the trial's
/// files; all of it if there are none. LOG lines are among them for a configuration file that was judged.
std::string telling_lines(std::string_view log, bool with_log_lines);

}  // namespace kdb::host
