#pragma once

#include <cstdint>
#include <optional>

#include "model/tuning.hpp"

namespace kdb {

/// What other tools' formulas are computed from. The machine is taken to run Linux.
struct FormulaInput {
  std::uint64_t memory = 0;  // bytes that the server may use; at least one
  int cpus = 1;              // at least one
  Disk disk = Disk::ssd;
  std::optional<int> connections;  // that are wanted, at least one; else each formula has its own
  Workload workload = Workload::mixed;
  int major = 18;                               // of PostgreSQL, 14 to 18
  std::optional<std::uint64_t> database_bytes;  // of all databases
  std::optional<std::uint64_t> wal_disk;        // bytes of the disk that WAL is on

  bool operator==(const FormulaInput&) const = default;
};

/// Bytes, in the units that PostgreSQL's settings have.
namespace bytes {
inline constexpr std::uint64_t kb = 1024;
inline constexpr std::uint64_t mb = 1024 * kb;
inline constexpr std::uint64_t gb = 1024 * mb;
inline constexpr std::uint64_t tb = 1024 * gb;
}  // namespace bytes

}  // namespace kdb
