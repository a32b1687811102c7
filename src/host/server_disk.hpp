#pragma once

#include <cstdint>
#include <optional>
#include <string>

#include "model/tuning.hpp"

namespace kdb::host {

struct FileSystem {
  std::uint64_t device = 0;  // what distinguishes it from others
  std::uint64_t free = 0;    // bytes, for the server
  std::uint64_t size = 0;    // bytes in all
};

/// The file system of a folder of the server's, where find_server() finds that one.
std::optional<FileSystem> find_disk(const std::string& folder, const std::string& data, std::int64_t started);

/// What kind of disk a folder of this machine is on, by what the kernel says of it; a guess, and none where a
/// virtual disk only claims to turn. -- sysfs-block, queue/rotational. `root` is put before all files, for
/// tests.
std::optional<Disk> guess_disk_kind(const std::string& folder, const std::string& root = {});

}  // namespace kdb::host
