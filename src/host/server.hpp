#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include <sys/types.h>

#include "host/configuration.hpp"
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
    Settings settings;
    std::uint64_t wal_segment_mb =
        1;               // initdb writes the first one in full: at 16 that is a fifth of a start
    bool plain = false;  // neither kdb's own settings nor initdb's: what is not set is as PostgreSQL has it
    std::vector<std::string> arguments = {};  // of `postgres`, after -D
  };

  Server(const SandboxFolder& folder, ServerUser user, Options options);
  ~Server();
  Server(const Server&) = delete;
  Server& operator=(const Server&) = delete;

  /// Runs initdb, or takes what it made before, and starts the server; returns when it accepts connections.
  /// Throws Error(failed) with the end of its log, or what `pause` throws.
  void start(const Pause& pause);

  /// The parts of start(): the data directory alone;
  void prepare(const Pause& pause);
  /// then what `postgres -C NAME` says with other settings than the options', some of which
  /// (shared_memory_size) it cannot tell of a server that runs;
  ProcessResult ask(const std::string& name, const Settings& settings, const Pause& pause);
  /// then the server, with other settings: false if it ended before it was ready. log() says why.
  bool run(const Settings& settings, const Pause& pause);

  /// The end of it.
  std::string log() const;
  /// Whom it runs as.
  const ServerUser& user() const { return user_; }

  std::string url() const;
  std::string tcp_url() const;
  pid_t pid() const { return pid_; }

 private:
  void check_programs() const;
  void initialise(const Pause& pause);
  std::vector<std::string> initdb_command() const;
  void run_initdb(const std::string& data, const std::string& password_file, const Pause& pause) const;
  void configure(const Settings& settings) const;
  bool try_to_start(const Pause& pause);
  std::vector<std::string> postgres_command() const;
  pid_t launch(const std::vector<std::string>& command, int death_signal) const;
  pid_t launch(const std::vector<std::string>& command, int death_signal, int out, int error) const;
  int wait_for(pid_t pid, const Pause& pause) const;
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
