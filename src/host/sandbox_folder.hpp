#pragma once

#include <string>

#include "host/server_user.hpp"
#include "host/unique_fd.hpp"

namespace kdb::host {

/// The folder of one sandbox, `kdb-sandbox-<uid>-XXXXXX` in a temporary directory. Whoever holds the lock on
/// it owns it; the kernel gives the lock up when the owner ends, in whatever way.
class SandboxFolder {
 public:
  /// Makes one, locked, in TMPDIR or /tmp: the first that the server's user can enter and whose name leaves
  /// room for a socket. Throws Error(failed).
  explicit SandboxFolder(const ServerUser& user);
  /// Removes the folder with everything in it.
  ~SandboxFolder();
  SandboxFolder(const SandboxFolder&) = delete;
  SandboxFolder& operator=(const SandboxFolder&) = delete;

  const std::string& path() const { return path_; }
  std::string data() const { return path_ + "/data"; }
  std::string log() const { return path_ + "/log"; }

 private:
  std::string path_;
  UniqueFd lock_;
};

/// Removes the sandboxes of this user that nobody holds, with their servers where these still run.
void remove_leftover_sandboxes(const ServerUser& user);

}  // namespace kdb::host
