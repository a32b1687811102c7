#pragma once

#include <string>
#include <utility>
#include <vector>

#include <sys/types.h>

#include "host/process.hpp"
#include "host/sandbox_folder.hpp"
#include "host/server_user.hpp"
#include "host/unique_fd.hpp"

namespace kdb::host {

/// The server of a sandbox, as its supervisor sees it.
class Server {
 public:
  struct Options {
    std::string pg_bin;
    std::vector<std::pair<std::string, std::string>> settings;
  };

  Server(const SandboxFolder& folder, ServerUser user, Options options);
  ~Server();
  Server(const Server&) = delete;
  Server& operator=(const Server&) = delete;

  /// Runs initdb, or takes what it made before, and starts the server; returns when it accepts connections.
  /// Throws Error(failed) with the end of its log, or what `pause` throws.
  void start(const Pause& pause);

  std::string url() const;
  std::string tcp_url() const;
  pid_t pid() const { return pid_; }

 private:
  void check_programs() const;
  void initialise(const Pause& pause);
  std::vector<std::string> initdb_command() const;
  void run_initdb(const std::string& data, const std::string& password_file, const Pause& pause) const;
  void configure() const;
  bool try_to_start(const Pause& pause);
  pid_t launch(const std::vector<std::string>& command, int death_signal) const;
  int wait_for(pid_t pid, const Pause& pause) const;
  std::string end_of_log() const;
  [[noreturn]] void fail(const std::string& message) const;
  bool port_was_taken() const;

  const SandboxFolder& folder_;
  ServerUser user_;
  Options options_;
  UniqueFd log_;
  std::string password_;
  int port_ = 0;
  pid_t pid_ = 0;
};

}  // namespace kdb::host
