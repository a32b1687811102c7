#pragma once

#include <functional>
#include <string>

#include "flow/tune.hpp"

namespace kdb::flow {

/// How settings get to a server.
enum class SettingsMethod {
  none,          // not at all: everything up to there
  conf_d,        // a file of kdb's own, which postgresql.conf includes
  alter_system,  // postgresql.auto.conf, by the server
};

struct TuneApplyOptions {
  TuneOptions tune;
  SettingsMethod method = SettingsMethod::none;
  std::string restart_command;   // for a shell; empty: what needs a restart waits for one
  bool standbys_follow = false;  // these have already what they must have at least as much of
  /// A report's settings as a postgresql.conf.
  std::function<std::string(const Report&)> conf;
  /// Asked with what will be done, before anything is; false ends with exit 3.
  std::function<bool(const Report&)> confirm;
};

/// Makes a server as `kdb tune` renders it. Before anything is written: the server's own judgement of every
/// value, and a trial start where the server is on this machine. Then it is written, read by the server, and
/// compared again in a new session; what the server does not take is taken back. Throws Error(refused) for
/// what no file or statement changes and what no server would start with, Error(failed) where the server is
/// not as rendered afterwards.
Report apply_server_settings(const Context& context, const TuneApplyOptions& options);

}  // namespace kdb::flow
