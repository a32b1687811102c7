#include "host/initdb_cache.hpp"

#include <cerrno>
#include <chrono>
#include <filesystem>
#include <system_error>

#include <fcntl.h>
#include <fmt/format.h>
#include <fmt/ranges.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/checksum.hpp"
#include "base/error.hpp"
#include "host/process.hpp"
#include "host/unique_fd.hpp"

namespace kdb::host {
namespace {

constexpr const char* variable = "KDB_SANDBOX_CACHE";

[[noreturn]] void refuse_cache(const std::string& path, const std::string& reason) {
  throw Error(Exit::failed, fmt::format("{}=\"{}\" {}", variable, path, reason),
              "name a folder that is not there yet, or unset the variable: it only saves time");
}

UniqueFd open_cache(const std::string& path) {
  return UniqueFd(open(path.c_str(), O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC));
}

}  // namespace

std::optional<InitdbCache> InitdbCache::from_environment(const ServerUser& user) {
  const std::string given = environment(variable).value_or("");
  if (given.empty()) return std::nullopt;
  const std::string path = std::filesystem::absolute(given).lexically_normal().string();
  const int error = run_as(user, [&] { return mkdir(path.c_str(), 0700) == 0 ? 0 : errno; });
  if (error != 0 && error != EEXIST) refuse_cache(path, with_errno("cannot be made", error));
  const UniqueFd folder = open_cache(path);
  struct stat status {};
  if (!folder || fstat(folder.get(), &status) != 0) refuse_cache(path, with_errno("cannot be used", errno));
  if (status.st_uid != user.uid || (status.st_mode & 077) != 0)
    refuse_cache(path, fmt::format("has to belong to user \"{}\" and be closed to others", user.name));
  return InitdbCache(user, path);
}

std::string InitdbCache::folder(const std::string& key, const std::function<void(const std::string&)>& make,
                                const Pause& pause) const {
  const UniqueFd lock = open_cache(path_);
  while (flock(lock.get(), LOCK_EX | LOCK_NB) != 0) {
    if (errno != EWOULDBLOCK && errno != EINTR) refuse_cache(path_, with_errno("cannot be locked", errno));
    pause(std::chrono::milliseconds(20));
  }
  std::string kept = fmt::format("{}/{}", path_, key);
  if (access(kept.c_str(), F_OK) == 0) return kept;
  const std::string fresh = kept + ".new";  // what is there already was interrupted
  const auto done = [&](const std::function<int()>& work) {
    const int error = run_as(user_, work);
    if (error != 0) refuse_cache(path_, with_errno("cannot be filled", error));
  };
  done([&] {
    std::error_code error;
    std::filesystem::remove_all(fresh, error);
    return mkdir(fresh.c_str(), 0700) == 0 ? 0 : errno;
  });
  make(fresh);
  done([&] { return rename(fresh.c_str(), kept.c_str()) == 0 ? 0 : errno; });
  return kept;
}

std::string initdb_key(const std::vector<std::string>& command) {
  struct stat status {};
  stat(command.front().c_str(), &status);
  return sha256_hex(fmt::format("{} {} {} {}.{}", fmt::join(command, " "), status.st_ino, status.st_size,
                                status.st_mtim.tv_sec, status.st_mtim.tv_nsec))
      .substr(0, 16);
}

}  // namespace kdb::host
