#pragma once

#include <cstdint>
#include <optional>
#include <string>

namespace kdb::host {

/// The bytes that are free to the server on the file system of its data directory. Nothing unless that is
/// seen to be on this machine: its postmaster.pid names a live process that started at `started`, which the
/// server says (pg_postmaster_start_time() in seconds since the epoch).
std::optional<std::uint64_t> free_disk(const std::string& data, std::int64_t started);

}  // namespace kdb::host
