#pragma once

#include <memory>
#include <optional>
#include <string>
#include <vector>

namespace kdb::host {

struct SandboxOptions {
  std::string pg_bin;                       // folder with initdb and postgres; empty: search
  std::vector<std::pair<std::string, std::string>> settings;  // for postgresql.conf, after kdb's own
};

/// A throwaway PostgreSQL server, owned by a supervisor process of its own: when this object or the whole of kdb ends,
/// in whatever way, the server stops and its folder is removed.
class Sandbox {
 public:
  /// Starts one; throws Error(failed) with the server's log where that says why.
  explicit Sandbox(const SandboxOptions& options);
  ~Sandbox();
  Sandbox(const Sandbox&) = delete;
  Sandbox& operator=(const Sandbox&) = delete;

  const std::string& url() const;        // over the unix socket
  const std::string& tcp_url() const;    // over the loopback port
  const std::string& folder() const;
  int server_pid() const;

 private:
  struct Impl;
  std::unique_ptr<Impl> impl_;
};

/// The folder with initdb, postgres and pg_ctl: the given one, or from PATH, pg_config, Debian's versioned folders
/// (newest first). Throws Error(usage) naming what was looked at.
std::string find_pg_bin(const std::string& given);

}  // namespace kdb::host
