#pragma once

#include <cstdint>
#include <optional>
#include <string>

namespace kdb::host {

struct Disk {
  std::uint64_t device = 0;  // what distinguishes it from others
  std::uint64_t free = 0;    // bytes, for the server
};

/// The file system of a folder of the server's. Nothing unless that is seen to be on this machine: the
/// postmaster.pid of its data directory names a live process that started at `started`, which the server says
/// (pg_postmaster_start_time() in seconds since the epoch).
std::optional<Disk> find_disk(const std::string& folder, const std::string& data, std::int64_t started);

}  // namespace kdb::host
