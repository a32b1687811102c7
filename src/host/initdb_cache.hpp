#pragma once

#include <functional>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "host/process.hpp"
#include "host/server_user.hpp"

namespace kdb::host {

/// Data folders as initdb made them, kept for the sandboxes to come: a copy is there in a tenth of the time.
/// All of it belongs to the server's user and is closed to everybody else, for the superuser's password is
/// kept with each.
class InitdbCache {
 public:
  /// In the folder that KDB_SANDBOX_CACHE names, which is made if it is not there; nothing without that
  /// variable. Throws Error(failed) if the folder is somebody else's or open to others.
  static std::optional<InitdbCache> from_environment(const ServerUser& user);

  /// The folder kept under that key. `make` is given an empty one to fill if there is none yet, while others
  /// that want one wait. Throws Error(failed), or what `make` or `pause` throw.
  std::string folder(const std::string& key, const std::function<void(const std::string&)>& make,
                     const Pause& pause) const;

 private:
  InitdbCache(const ServerUser& user, std::string path) : user_(user), path_(std::move(path)) {}

  ServerUser user_;
  std::string path_;
};

/// What a folder made by that command may be kept under: another one when the program was replaced.
std::string initdb_key(const std::vector<std::string>& command);

}  // namespace kdb::host
