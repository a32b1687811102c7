#include "host/server_disk.hpp"

#include <cstdlib>

#include <sys/stat.h>
#include <sys/statvfs.h>

#include "host/postmaster.hpp"

namespace kdb::host {

std::optional<Disk> find_disk(const std::string& folder, const std::string& data, std::int64_t started) {
  constexpr std::int64_t same_start = 5;  // the file is written a moment before
  const std::optional<Postmaster> server = find_postmaster(data);
  if (!server || std::llabs(server->started - started) > same_start) return std::nullopt;
  struct statvfs disk {};
  struct stat file {};
  if (statvfs(folder.c_str(), &disk) != 0 || stat(folder.c_str(), &file) != 0) return std::nullopt;
  return Disk{.device = file.st_dev, .free = static_cast<std::uint64_t>(disk.f_bavail) * disk.f_frsize};
}

}  // namespace kdb::host
