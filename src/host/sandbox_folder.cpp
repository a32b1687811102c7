#include "host/sandbox_folder.hpp"

#include <algorithm>
#include <cerrno>
#include <filesystem>
#include <system_error>
#include <vector>

#include <dirent.h>
#include <fcntl.h>
#include <fmt/format.h>
#include <stdlib.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <time.h>
#include <unistd.h>

#include "base/error.hpp"
#include "host/postmaster.hpp"
#include "host/process.hpp"

namespace kdb::host {
namespace {

std::string folder_prefix() { return fmt::format("kdb-sandbox-{}-", geteuid()); }

// TMPDIR first, and /tmp for when it is too long, or closed to the server's user.
std::vector<std::string> base_folders() {
  std::vector<std::string> result;
  const std::string given = environment("TMPDIR").value_or("");
  if (!given.empty()) result.push_back(std::filesystem::absolute(given).lexically_normal().string());
  if (std::find(result.begin(), result.end(), "/tmp") == result.end()) result.emplace_back("/tmp");
  return result;
}

// libpq takes a comma for the beginning of another host.
bool can_hold_a_socket(const std::string& base) {
  const std::string longest = fmt::format("{}/{}XXXXXX/.s.PGSQL.65535", base, folder_prefix());
  return longest.size() < sizeof(sockaddr_un::sun_path) && base.find(',') == std::string::npos;
}

bool can_enter(const ServerUser& user, const std::string& base) {
  return run_as(user, [&] { return access(base.c_str(), X_OK) == 0 ? 0 : 1; }) == 0;
}

// The lock on a folder that is still there: one that was removed between the two calls is not ours.
UniqueFd lock_folder(const std::string& path) {
  UniqueFd fd(open(path.c_str(), O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC));
  struct stat opened {};
  struct stat named {};
  if (!fd || flock(fd.get(), LOCK_EX | LOCK_NB) != 0) return UniqueFd();
  if (fstat(fd.get(), &opened) != 0 || lstat(path.c_str(), &named) != 0) return UniqueFd();
  if (opened.st_ino != named.st_ino || opened.st_dev != named.st_dev) return UniqueFd();
  return fd;
}

// Backends that outlive their postmaster for a moment may still write: then a folder turns out not to be
// empty.
void remove_tree(const std::string& path) {
  std::error_code error;
  for (int attempt = 0; attempt < 50; ++attempt) {
    std::filesystem::remove_all(path, error);  // does not follow links
    if (!error) return;
    const timespec pause{.tv_sec = 0, .tv_nsec = 20'000'000};
    nanosleep(&pause, nullptr);
  }
}

bool is_owned_by(const UniqueFd& folder, const ServerUser& user) {
  struct stat status {};
  return fstat(folder.get(), &status) == 0 && (status.st_uid == geteuid() || status.st_uid == user.uid);
}

std::vector<std::string> sandboxes_in(const std::string& base) {
  std::vector<std::string> result;
  std::error_code ignored;
  const std::string prefix = folder_prefix();
  for (auto entry = std::filesystem::directory_iterator(base, ignored);
       !ignored && entry != std::filesystem::directory_iterator(); entry.increment(ignored))
    if (entry->path().filename().string().starts_with(prefix)) result.push_back(entry->path().string());
  return result;
}

}  // namespace

SandboxFolder::SandboxFolder(const ServerUser& user) {
  std::string looked_at;
  int error = 0;
  for (const std::string& base : base_folders()) {
    looked_at += (looked_at.empty() ? "" : ", ") + base;
    if (!can_hold_a_socket(base) || !can_enter(user, base)) continue;
    for (int attempt = 0; attempt < 100 && !lock_; ++attempt) {
      path_ = fmt::format("{}/{}XXXXXX", base, folder_prefix());
      if (mkdtemp(path_.data()) == nullptr) {
        error = errno;
        break;
      }
      lock_ = lock_folder(path_);  // else somebody took it for a leftover, and removes it
    }
    if (!lock_) continue;
    if (fchown(lock_.get(), user.uid, user.gid) == 0) return;
    error = errno;
    rmdir(path_.c_str());
    lock_.reset();
  }
  throw Error(Exit::failed, with_errno(fmt::format("no folder for a sandbox in {}", looked_at), error),
              fmt::format("set TMPDIR to a folder with a short name that user \"{}\" can enter", user.name));
}

SandboxFolder::~SandboxFolder() { remove_tree(path_); }

void remove_leftover_sandboxes(const ServerUser& user) {
  for (const std::string& base : base_folders()) {
    for (const std::string& path : sandboxes_in(base)) {
      const UniqueFd lock = lock_folder(path);
      if (!lock || !is_owned_by(lock, user)) continue;
      if (stop_postmaster(path + "/data", StopHow::at_once)) remove_tree(path);
    }
  }
}

}  // namespace kdb::host
