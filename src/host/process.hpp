#pragma once

#include <chrono>
#include <functional>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include <sys/types.h>

namespace kdb::host {

/// Sleeps at most that long; throws to give up.
using Pause = std::function<void(std::chrono::milliseconds)>;

struct ProcessResult {
  int exit = 0;  // exit status, or 128 + signal
  std::string out;
  std::string error;  // what it wrote to stderr
};

/// Runs a program to its end and collects what it writes. `environment` is added to ours. Throws
/// Error(failed) if it cannot be started.
ProcessResult run(const std::vector<std::string>& command,
                  const std::map<std::string, std::string>& environment = {});

/// Runs a command of the user's in a shell and returns its exit status, or 128 + signal. What it writes goes
/// to our stderr as it comes. It is waited for alone: a server that it starts may keep its stderr. Throws
/// Error(failed) if there is no shell, or what `pause` throws: the command runs on then.
int run_in_shell(const std::string& command, const Pause& pause);

/// The absolute path of a program on PATH, if there is one; a name with a slash is looked at as it is.
std::optional<std::string> find_program(const std::string& name);

/// The value of an environment variable; nothing if it is unset.
std::optional<std::string> environment(const std::string& name);

/// The absolute path of the running program.
std::string self_path();

/// Our environment as "NAME=value", with some variables left out and others set.
std::vector<std::string> environment_with(const std::map<std::string, std::string>& set,
                                          const std::vector<std::string>& left_out = {});

/// What exec wants: pointers to the strings, and a null. Valid as long as the strings are not touched.
std::vector<char*> exec_pointers(const std::vector<std::string>& strings);

/// The exit status, or 128 + signal, of what waitpid returned.
int exit_code(int wait_status);

/// "message: what errno says".
std::string with_errno(std::string_view message, int error);

}  // namespace kdb::host
