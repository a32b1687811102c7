#include "host/server_disk.hpp"

#include <filesystem>
#include <fstream>

#include <fmt/format.h>
#include <sys/stat.h>
#include <sys/statvfs.h>
#include <sys/sysmacros.h>

#include "host/postmaster.hpp"

namespace kdb::host {

std::optional<FileSystem> find_disk(const std::string& folder, const std::string& data,
                                    std::int64_t started) {
  if (!find_server(data, started)) return std::nullopt;
  struct statvfs disk {};
  struct stat file {};
  if (statvfs(folder.c_str(), &disk) != 0 || stat(folder.c_str(), &file) != 0) return std::nullopt;
  return FileSystem{.device = file.st_dev,
                    .free = static_cast<std::uint64_t>(disk.f_bavail) * disk.f_frsize,
                    .size = static_cast<std::uint64_t>(disk.f_blocks) * disk.f_frsize};
}

std::optional<Disk> guess_disk_kind(const std::string& folder, const std::string& root) {
  struct stat file {};
  if (stat(folder.c_str(), &file) != 0) return std::nullopt;
  std::error_code error;
  std::filesystem::path device = std::filesystem::canonical(
      fmt::format("{}/sys/dev/block/{}:{}", root, major(file.st_dev), minor(file.st_dev)), error);
  if (error) return std::nullopt;  // no block device: tmpfs, overlayfs, a network's
  if (!exists(device / "queue")) device = device.parent_path();  // of a partition
  int turns = -1;
  std::ifstream(device / "queue/rotational") >> turns;
  if (turns == 0) return device.filename().string().starts_with("nvme") ? Disk::nvme : Disk::ssd;
  const bool is_virtual = !exists(device / "device/model");
  return turns == 1 && !is_virtual ? std::optional(Disk::hdd) : std::nullopt;
}

}  // namespace kdb::host
