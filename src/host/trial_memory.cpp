#include "host/trial_memory.hpp"

#include <algorithm>
#include <charconv>
#include <string_view>

#include <fmt/format.h>

#include "base/text.hpp"

namespace kdb::host {
namespace {

std::optional<std::uint64_t> leading_number(std::string_view text) {
  std::uint64_t number = 0;
  text = trim(text);
  if (std::from_chars(text.data(), text.data() + text.size(), number).ec != std::errc()) return std::nullopt;
  return number;
}

std::uint64_t saturated_product(std::uint64_t a, std::uint64_t b) {
  std::uint64_t product = 0;
  return __builtin_mul_overflow(a, b, &product) ? UINT64_MAX : product;
}

std::string many_huge_pages(std::uint64_t count, std::uint64_t bytes) {
  return fmt::format("{} huge page{} of {}", count, count == 1 ? "" : "s", human_bytes(bytes));
}

// The pool of the default size has a parameter of sysctl, those of other sizes only a file.
std::string how_to_reserve(std::uint64_t count, const MemoryNeed& need) {
  if (need.huge_page_bytes == 0)
    return fmt::format(
        "run sysctl vm.nr_hugepages={} (and keep it in /etc/sysctl.d), or set huge_pages to try", count);
  return fmt::format(
      "write {} to /sys/kernel/mm/hugepages/hugepages-{}kB/nr_hugepages, or set huge_pages to try", count,
      need.huge_page_bytes / 1024);
}

void judge_huge_pages(const MemoryNeed& need, const MemoryRoom& room, MemoryVerdict& verdict) {
  if (room.huge_page_bytes == 0) {
    // As mmap() of PostgreSQL would fail; its own message says less.
    verdict.refused =
        Problem{.message = "huge_pages is on; the machine's kernel has no huge pages of that size",
                .hint = "set huge_pages to try",
                .details = ""};
    return;
  }
  const std::uint64_t count =
      need.huge_page_count > 0 ? need.huge_page_count
                               : need.bytes / room.huge_page_bytes + (need.bytes % room.huge_page_bytes != 0);
  if (count > room.huge_pages) {
    verdict.refused =
        Problem{.message = fmt::format("huge_pages is on, and the server needs {}; the machine has {}",
                                       many_huge_pages(count, room.huge_page_bytes), room.huge_pages),
                .hint = how_to_reserve(count, need),
                .details = ""};
  } else if (count > room.huge_pages_free) {
    verdict.huge_pages_off = true;
    verdict.left_out = fmt::format(
        "huge_pages: tried without, for {} of the machine's {} are free and the server needs {}: those that "
        "the running one has come free when it stops",
        room.huge_pages_free, many_huge_pages(room.huge_pages, room.huge_page_bytes), count);
  }
}

std::optional<std::string> line_of(const FileReader& file, const std::string& path) {
  const std::optional<std::string> text = file(path);
  if (!text) return std::nullopt;
  return std::string(trim(*text));
}

std::uint64_t number_in(const FileReader& file, const std::string& path) {
  const std::optional<std::string> line = line_of(file, path);
  return line ? leading_number(*line).value_or(0) : 0;
}

void read_huge_pages(MemoryRoom& room, const std::string& meminfo, std::uint64_t bytes,
                     const FileReader& file) {
  const auto of = [&](std::string_view key) { return meminfo_number(meminfo, key).value_or(0); };
  const std::uint64_t standard = of("Hugepagesize");
  std::uint64_t promised = 0;
  if (bytes == 0 || bytes == standard) {
    room.huge_page_bytes = standard;
    room.huge_pages = of("HugePages_Total") - std::min(of("HugePages_Total"), of("HugePages_Surp"));
    room.huge_pages_free = of("HugePages_Free");
    promised = of("HugePages_Rsvd");
    room.huge_pages += number_in(file, "/proc/sys/vm/nr_overcommit_hugepages");
  } else {
    const std::string pool = fmt::format("/sys/kernel/mm/hugepages/hugepages-{}kB", bytes / 1024);
    if (!line_of(file, pool + "/nr_hugepages")) return;
    room.huge_page_bytes = bytes;
    const std::uint64_t pages = number_in(file, pool + "/nr_hugepages");
    room.huge_pages = pages - std::min(pages, number_in(file, pool + "/surplus_hugepages"));
    room.huge_pages_free = number_in(file, pool + "/free_hugepages");
    promised = number_in(file, pool + "/resv_hugepages");
    room.huge_pages += number_in(file, pool + "/nr_overcommit_hugepages");
  }
  room.huge_pages_free -= std::min(room.huge_pages_free, promised);
}

}  // namespace

MemoryVerdict judge_memory(const MemoryNeed& need, const MemoryRoom& room) {
  MemoryVerdict verdict;
  if (room.all > 0 && need.bytes > room.all) {
    verdict.refused =
        Problem{.message = fmt::format("the server needs {} of shared memory; the machine has {}",
                                       human_bytes(need.bytes), human_bytes(room.all)),
                .hint = "lower shared_buffers, max_connections or max_locks_per_transaction",
                .details = ""};
    return verdict;
  }
  // Those that are there by chance are for the server that runs, not for us.
  verdict.huge_pages_off = need.huge_pages == "try";
  if (need.huge_pages == "on") judge_huge_pages(need, room, verdict);
  const bool takes_huge_pages = need.huge_pages == "on" && !verdict.huge_pages_off;
  if (!verdict.refused && !takes_huge_pages && room.free && need.bytes > *room.free)
    verdict.not_tried = fmt::format("it needs {} of shared memory, and {} are free beside what runs ({})",
                                    human_bytes(need.bytes), human_bytes(*room.free), room.free_source);
  return verdict;
}

MemoryRoom read_memory_room(std::uint64_t memory, std::uint64_t huge_page_bytes, const FileReader& file) {
  MemoryRoom room{.all = memory, .free = std::nullopt, .free_source = {}};
  const auto limit_free = [&](std::optional<std::uint64_t> bytes, const std::string& source) {
    if (!bytes || (room.free && *bytes >= *room.free)) return;
    room.free = bytes;
    room.free_source = source;
  };
  limit_free(memory_left_in_cgroups("self", file), "what kdb's own cgroups leave");
  const std::string meminfo = file("/proc/meminfo").value_or("");
  if (const auto total = meminfo_number(meminfo, "MemTotal"); total && (memory == 0 || *total < memory))
    room.all = *total;
  limit_free(meminfo_number(meminfo, "MemAvailable"), "MemAvailable of /proc/meminfo");
  if (line_of(file, "/proc/sys/vm/overcommit_memory") == "2") {
    const std::uint64_t limit = meminfo_number(meminfo, "CommitLimit").value_or(0);
    const std::uint64_t used = meminfo_number(meminfo, "Committed_AS").value_or(0);
    limit_free(limit - std::min(limit, used), "CommitLimit less Committed_AS, as vm.overcommit_memory is 2");
  }
  read_huge_pages(room, meminfo, huge_page_bytes, file);
  return room;
}

// A buffer has its block, a descriptor of 64 bytes and some 40 in hash tables (CalculateShmemSize); a lock
// slot has a LOCK and two PROCLOCKs with their hash entries, some 360 bytes (LockShmemSize).
std::uint64_t estimate_shared_memory(const SharedMemoryParts& parts) {
  constexpr std::uint64_t beside_block = 64 + 40;
  constexpr std::uint64_t of_lock = 360;
  const std::uint64_t automatic = std::min(
      parts.shared_buffers / 32, parts.wal_segment_bytes / std::max<std::uint64_t>(parts.block_size, 1));
  const std::uint64_t wal = parts.wal_buffers < 0 ? automatic : static_cast<std::uint64_t>(parts.wal_buffers);
  std::uint64_t sum = 0;
  for (const std::uint64_t bytes :
       {saturated_product(parts.shared_buffers, parts.block_size + beside_block),
        saturated_product(wal, parts.block_size), saturated_product(parts.locks, of_lock),
        saturated_product(parts.min_dynamic_shared_memory, std::uint64_t{1} << 20)})
    if (__builtin_add_overflow(sum, bytes, &sum)) return UINT64_MAX;
  return sum;
}

std::optional<std::uint64_t> shared_memory_not_got(const std::string& log) {
  if (log.find("could not map anonymous shared memory") == std::string::npos &&
      log.find("could not create shared memory segment") == std::string::npos)
    return std::nullopt;
  constexpr std::string_view before = "(currently ";
  const std::size_t begin = log.find(before);
  return begin == std::string::npos ? std::nullopt
                                    : leading_number(std::string_view(log).substr(begin + before.size()));
}

}  // namespace kdb::host
