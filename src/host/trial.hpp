#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "host/configuration.hpp"

namespace kdb::host {

/// What is to be tried: the settings that a server would have at its next start.
struct TrialStart {
  std::string pg_bin;  // the folder of the programs of that server
  std::string data;    // its data directory, absolute: file names among its settings are relative to it
  std::uint64_t wal_segment_bytes = std::uint64_t{16} << 20;  // 1 MiB to 1 GiB, a power of two
  int major = 0;
  std::uint64_t memory = 0;  // bytes that it may have: the machine's or its cgroups' limit; 0: unknown
  Settings settings;         // each name once
};

/// As fields of a packet to the supervisor, and back. Not on its command line, which anybody on the machine
/// can read: connection strings and commands hold passwords.
std::vector<std::string> trial_fields(const TrialStart& trial);
/// Throws Error(failed) for what are no such fields.
TrialStart trial_from(const std::vector<std::string>& fields);

}  // namespace kdb::host
