#pragma once

#include <cstdint>
#include <optional>
#include <string>

#include <sys/types.h>

namespace kdb::host {

/// The process that serves a data directory, and whether it accepts connections.
struct Postmaster {
  pid_t pid = 0;
  bool ready = false;
  std::int64_t started = 0;  // seconds since the epoch
};

/// What `postmaster.pid` of the data directory says; nothing if the process that it names does not run or is
/// another program by now.
std::optional<Postmaster> find_postmaster(const std::string& data);

/// The process of the server that says of itself that it has this data directory and began at `started`
/// (pg_postmaster_start_time() in seconds since the epoch); nothing unless it is seen to run on this machine.
std::optional<pid_t> find_server(const std::string& data, std::int64_t started);

/// The folder of the programs that a running server was started from, as it would be again; empty where that
/// cannot be told: it is another user's, or in another container, or its program is gone.
std::string server_programs(pid_t postmaster);

/// The user that a process runs as; nothing if it is gone.
std::optional<uid_t> user_of(pid_t process);

/// Whether a file that the server's process names is its user's, or we are not root, who could be led
/// anywhere.
bool may_trust_with(const std::string& file, pid_t server);

enum class StopHow {
  in_order,  // fast shutdown first
  at_once,   // immediate shutdown: nothing in a sandbox is worth a checkpoint
};

/// Stops the server of a data directory, harder with time; false if it runs still. `child` is a server that
/// we started and that may not have written its `postmaster.pid` yet.
bool stop_postmaster(const std::string& data, StopHow how, pid_t child = 0);

}  // namespace kdb::host
