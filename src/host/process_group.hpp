#pragma once

#include <chrono>

#include <sys/types.h>

namespace kdb::host {

/// Whether a process of the group still runs; zombies do not count.
bool group_runs(pid_t group);

/// Stops a process group: with the signal, and SIGKILL for what is left of it after `patience`.
void stop_group(pid_t group, int signal, std::chrono::milliseconds patience);

}  // namespace kdb::host
