#pragma once

#include <sys/types.h>

#include <map>
#include <optional>
#include <string>
#include <vector>

namespace kdb::host {

struct ProcessResult {
  int exit = 0;          // exit status, or 128 + signal
  std::string out;
  std::string error;     // what it wrote to stderr
};

/// Runs a program to its end and collects what it writes. `environment` is added to ours. Throws Error(failed) if it
/// cannot be started.
ProcessResult run(const std::vector<std::string>& command, const std::map<std::string, std::string>& environment = {});

/// The absolute path of a program on PATH, if there is one.
std::optional<std::string> find_program(const std::string& name);

/// The value of an environment variable; nothing if it is unset.
std::optional<std::string> environment(const std::string& name);

/// The absolute path of the running program.
std::string self_path();

}  // namespace kdb::host
