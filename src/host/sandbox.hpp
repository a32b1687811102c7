#pragma once

#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include <sys/types.h>

#include "host/pg_bin.hpp"
#include "host/trial.hpp"

namespace kdb::host {

struct SandboxOptions {
  /// The folder with initdb and postgres; empty: search.
  std::string pg_bin = {};
  /// For postgresql.conf, after kdb's own.
  std::vector<std::pair<std::string, std::string>> settings = {};
  /// A kdb program to run as supervisor; empty: the running program, whose main must ask is_supervisor then.
  std::string supervisor = {};
  /// Settings of another server to be tried, with nothing of kdb's own and instead of `settings`: as
  /// try_start does. Error(refused) is for those with which it does not start.
  std::optional<TrialStart> trial = {};
};

/// A throwaway PostgreSQL server, owned by a supervisor process of its own: when this object or the whole of
/// kdb ends, in whatever way, the server stops and its folder is removed.
class Sandbox {
 public:
  /// Starts one; throws Error(failed) with the server's log where that says why. Where a caller has blocked
  /// SIGINT, SIGTERM or SIGHUP, one that arrives ends the start with Error(interrupted or terminated).
  explicit Sandbox(const SandboxOptions& options);
  ~Sandbox();
  Sandbox(const Sandbox&) = delete;
  Sandbox& operator=(const Sandbox&) = delete;

  const std::string& url() const;  // over the unix socket
  /// The same for another role and database.
  std::string url_for(const std::string& role, const std::string& database) const;
  const std::string& tcp_url() const;  // over the loopback port, with its password
  const std::string& folder() const;
  const std::string& pg_bin() const;
  int server_pid() const;
  /// What a trial could not try as it is, a line each.
  const std::vector<std::string>& left_out() const;

  /// The connection to the supervisor. It can be read when the supervisor has ended; the process group whose
  /// leader's pid (a pid_t) is written to it is stopped with the sandbox.
  int link() const;

 private:
  struct Impl;
  std::unique_ptr<Impl> impl_;
};

/// What a program finds in its environment to use the sandbox: DATABASE_URL, KDB_SANDBOX_…, libpq's
/// variables.
std::vector<std::string> sandbox_environment(const Sandbox& sandbox);

/// Takes libpq's variables out of our own environment: what they say of another server (PGHOSTADDR,
/// PGSERVICE, PGOPTIONS …) would lead a session away from the sandbox, or change it. While no other thread
/// reads them.
void forget_libpq_variables();

/// The same for the life of the object; then they are as they were.
class WithoutLibpqVariables {
 public:
  WithoutLibpqVariables();
  ~WithoutLibpqVariables();
  WithoutLibpqVariables(const WithoutLibpqVariables&) = delete;
  WithoutLibpqVariables& operator=(const WithoutLibpqVariables&) = delete;

 private:
  std::map<std::string, std::string> values_;
};

/// Starts a sandbox, calls `started`, runs COMMAND with the sandbox in its environment, or without COMMAND
/// waits for SIGINT, SIGTERM, SIGHUP or the end of a pipe on stdin. Returns the exit status of COMMAND, or
/// 128 + the signal that ended it or us; by then the sandbox is gone. Throws Error(usage) if there is no such
/// COMMAND.
int run_in_sandbox(const SandboxOptions& options, const std::vector<std::string>& command,
                   const std::function<void(const Sandbox&)>& started = {});

}  // namespace kdb::host
