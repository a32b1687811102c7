#pragma once

#include <cstdint>
#include <optional>
#include <string>

#include "base/error.hpp"
#include "host/machine.hpp"

namespace kdb::host {

/// What a server takes when it starts.
struct MemoryNeed {
  std::uint64_t bytes = 0;            // of shared memory
  std::string huge_pages = "try";     // as the server spells it: on, off, try
  std::uint64_t huge_page_count = 0;  // that it takes if it takes any; 0: so many as `bytes` fill
  std::uint64_t huge_page_bytes = 0;  // of one page, as huge_page_size says; 0: the kernel's default
};

/// What a machine has of it.
struct MemoryRoom {
  std::uint64_t all = 0;              // bytes that the server may have; 0: unknown
  std::optional<std::uint64_t> free;  // bytes; nothing: unknown
  std::string free_source;            // what says so, for a message
  std::uint64_t huge_page_bytes = 0;  // of one page; 0: the kernel has none of that size
  std::uint64_t huge_pages = 0;       // pages that it has or may make (overcommit)
  std::uint64_t huge_pages_free = 0;  // those that nobody has or was promised
};

/// Whether a trial can be started beside the server that runs, and how.
struct MemoryVerdict {
  std::optional<Problem> refused;  // no server starts with it here
  std::string not_tried;           // it does not fit beside what runs
  bool huge_pages_off = false;     // for the trial
  std::string left_out;            // what that leaves out, for people
};

MemoryVerdict judge_memory(const MemoryNeed& need, const MemoryRoom& room);

/// Of the machine and of our own cgroups now. `memory`: of TrialStart; `huge_page_bytes`: of MemoryNeed.
MemoryRoom read_memory_room(std::uint64_t memory, std::uint64_t huge_page_bytes, const FileReader& file);

/// What a server of 14 takes, which cannot say so itself; a little less than it will.
struct SharedMemoryParts {
  std::uint64_t block_size = 8192;
  std::uint64_t shared_buffers = 0;  // blocks
  std::int64_t wal_buffers = -1;     // blocks; -1: a 32nd of shared_buffers, at most a segment
  std::uint64_t wal_segment_bytes = 0;
  std::uint64_t locks = 0;  // max_locks_per_transaction × (max_connections + max_prepared_transactions)
  std::uint64_t min_dynamic_shared_memory = 0;  // MB
};
std::uint64_t estimate_shared_memory(const SharedMemoryParts& parts);

/// The bytes of shared memory that a server said it did not get (sysv_shmem.c), out of its log.
std::optional<std::uint64_t> shared_memory_not_got(const std::string& log);

}  // namespace kdb::host
