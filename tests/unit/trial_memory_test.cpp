#include "host/trial_memory.hpp"

#include <cstdint>
#include <string>

#include <doctest/doctest.h>

#include "support/temp_dir.hpp"
#include "support/text.hpp"

namespace kdb::trial_memory_test {

namespace {

using host::judge_memory;
using host::MemoryNeed;
using host::MemoryRoom;
using host::MemoryVerdict;
using test::has;

constexpr std::uint64_t megabyte = std::uint64_t{1} << 20;
constexpr std::uint64_t gigabyte = std::uint64_t{1} << 30;

/// 8 GB, 5 of them free, no huge pages.
MemoryRoom room() {
  return {.all = 8 * gigabyte,
          .free = 5 * gigabyte,
          .free_source = "MemAvailable of /proc/meminfo",
          .huge_page_bytes = 2 * megabyte};
}

MemoryRoom room_with_pages(std::uint64_t pages, std::uint64_t free) {
  MemoryRoom result = room();
  result.huge_pages = pages;
  result.huge_pages_free = free;
  return result;
}

/// A machine of 16 GB as files, of which 6 are available, with 100 huge pages.
struct Files {
  test::TempDir folder;

  Files() {
    write("proc/meminfo",
          "MemTotal:       16777216 kB\nMemAvailable:    6291456 kB\nCommitLimit:     4194304 kB\n"
          "Committed_AS:    1048576 kB\nHugePages_Total:     104\nHugePages_Free:       40\n"
          "HugePages_Rsvd:       10\nHugePages_Surp:        4\nHugepagesize:       2048 kB\n");
    write("proc/sys/vm/overcommit_memory", "0\n");
    write("proc/sys/vm/nr_overcommit_hugepages", "20\n");
  }
  void write(const std::string& name, const std::string& text) const { folder.write(name, text); }
  MemoryRoom read(std::uint64_t memory = 0, std::uint64_t huge_page_bytes = 0) const {
    return host::read_memory_room(memory, huge_page_bytes, host::files_below(folder.path()));
  }
};

}  // namespace

TEST_CASE("more shared memory than the machine has is refused, with both numbers") {
  for (const char* huge_pages : {"off", "try", "on"}) {
    CAPTURE(huge_pages);
    const MemoryVerdict verdict = judge_memory({.bytes = 900 * gigabyte, .huge_pages = huge_pages}, room());
    REQUIRE(verdict.refused);
    CHECK(verdict.refused->message == "the server needs 900 GB of shared memory; the machine has 8 GB");
    CHECK(has(verdict.refused->hint, "shared_buffers"));
    CHECK(verdict.not_tried == "");
  }
}

TEST_CASE("what would start, but not beside what runs, is not tried") {
  const MemoryVerdict verdict = judge_memory({.bytes = 6 * gigabyte, .huge_pages = "off"}, room());
  CHECK_FALSE(verdict.refused);
  CHECK(verdict.not_tried ==
        "it needs 6 GB of shared memory, and 5 GB are free beside what runs (MemAvailable of "
        "/proc/meminfo)");
  CHECK(judge_memory({.bytes = 5 * gigabyte, .huge_pages = "off"}, room()).not_tried == "");
}

TEST_CASE("what is unknown keeps nothing from being tried") {
  const MemoryVerdict verdict = judge_memory({.bytes = 900 * gigabyte, .huge_pages = "off"}, {});
  CHECK_FALSE(verdict.refused);
  CHECK(verdict.not_tried == "");
}

TEST_CASE("huge pages are left to the server that runs, unless they are needed and free") {
  struct Row {
    const char* name;
    MemoryNeed need;
    MemoryRoom room;
    bool refused;
    bool off;
    bool left_out;
    bool tried;
  };
  MemoryRoom full = room_with_pages(4000, 3000);
  full.free = gigabyte;  // the rest of the memory is the pages'
  MemoryRoom taken = room_with_pages(2000, 10);
  taken.free = gigabyte;
  const std::uint64_t two = 2 * gigabyte;  // 1024 pages
  const Row rows[] = {
      {"off", {.bytes = two, .huge_pages = "off"}, room(), false, false, false, true},
      {"try", {.bytes = two, .huge_pages = "try"}, room_with_pages(4000, 4000), false, true, false, true},
      {"on without pages", {.bytes = two, .huge_pages = "on"}, room(), true, false, false, true},
      {"on with just enough",
       {.bytes = two, .huge_pages = "on"},
       room_with_pages(1024, 1024),
       false,
       false,
       false,
       true},
      {"one page more, by the server's count",
       {.bytes = two, .huge_pages = "on", .huge_page_count = 1025},
       room_with_pages(1024, 1024),
       true,
       false,
       false,
       true},
      {"a part of a page is a page",
       {.bytes = two + 1, .huge_pages = "on"},
       room_with_pages(1024, 1024),
       true,
       false,
       false,
       true},
      {"on, held by the running one",
       {.bytes = two, .huge_pages = "on"},
       room_with_pages(1500, 1000),
       false,
       true,
       true,
       true},
      {"the pages are the memory", {.bytes = two, .huge_pages = "on"}, full, false, false, false, true},
      {"on, held, and no other memory", {.bytes = two, .huge_pages = "on"}, taken, false, true, true, false},
  };
  for (const Row& row : rows) {
    CAPTURE(row.name);
    const MemoryVerdict verdict = judge_memory(row.need, row.room);
    CHECK(verdict.refused.has_value() == row.refused);
    CHECK(verdict.huge_pages_off == row.off);
    CHECK(verdict.left_out.empty() == !row.left_out);
    CHECK(verdict.not_tried.empty() == row.tried);
  }
}

TEST_CASE("huge pages that are missing are named with the way to get them") {
  const MemoryVerdict verdict = judge_memory(
      {.bytes = 2 * gigabyte, .huge_pages = "on", .huge_page_count = 1025}, room_with_pages(7, 7));
  REQUIRE(verdict.refused);
  CHECK(verdict.refused->message ==
        "huge_pages is on, and the server needs 1025 huge pages of 2 MB; the machine has 7");
  CHECK(has(verdict.refused->hint, "sysctl vm.nr_hugepages=1025"));
  MemoryRoom large = room_with_pages(1, 1);
  large.huge_page_bytes = gigabyte;
  const MemoryVerdict other = judge_memory(
      {.bytes = 2 * gigabyte, .huge_pages = "on", .huge_page_count = 3, .huge_page_bytes = gigabyte}, large);
  REQUIRE(other.refused);
  CHECK(has(other.refused->hint, "write 3 to /sys/kernel/mm/hugepages/hugepages-1048576kB/nr_hugepages"));
  large.huge_page_bytes = 0;
  CHECK(has(judge_memory({.bytes = gigabyte, .huge_pages = "on", .huge_page_bytes = gigabyte}, large)
                .refused->message,
            "no huge pages of that size"));
}

TEST_CASE("the machine's room is read from its files") {
  const Files files;
  const MemoryRoom read = files.read();
  CHECK(read.all == 16 * gigabyte);
  CHECK(read.free == 6 * gigabyte);
  CHECK(read.huge_page_bytes == 2 * megabyte);
  CHECK(read.huge_pages == 120);  // 104, less the 4 that were made on demand, and the 20 that may be
  CHECK(read.huge_pages_free == 30);
  CHECK(files.read(4 * gigabyte).all == 4 * gigabyte);
  CHECK(files.read(64 * gigabyte).all == 16 * gigabyte);
  const test::TempDir nothing;
  const MemoryRoom none = host::read_memory_room(0, 0, host::files_below(nothing.path()));
  CHECK(none.all == 0);
  CHECK_FALSE(none.free);
  CHECK(none.huge_page_bytes == 0);
}

TEST_CASE("huge pages of another size have a pool of their own") {
  const Files files;
  CHECK(files.read(0, gigabyte).huge_page_bytes == 0);
  const std::string pool = "sys/kernel/mm/hugepages/hugepages-1048576kB/";
  files.write(pool + "nr_hugepages", "5\n");
  files.write(pool + "free_hugepages", "3\n");
  files.write(pool + "resv_hugepages", "1\n");
  files.write(pool + "surplus_hugepages", "0\n");
  files.write(pool + "nr_overcommit_hugepages", "2\n");
  const MemoryRoom read = files.read(0, gigabyte);
  CHECK(read.huge_page_bytes == gigabyte);
  CHECK(read.huge_pages == 7);
  CHECK(read.huge_pages_free == 2);
}

TEST_CASE("what the kernel promises no further is not free") {
  const Files files;
  files.write("proc/sys/vm/overcommit_memory", "2\n");
  const MemoryRoom read = files.read();
  CHECK(read.free == 3 * gigabyte);
  CHECK(has(read.free_source, "vm.overcommit_memory"));
}

TEST_CASE("our own cgroups limit what is free, the least of them, without what files fill") {
  const Files files;
  files.write("proc/self/mountinfo", "29 22 0:26 / /sys/fs/cgroup rw - cgroup2 cgroup2 rw\n");
  files.write("proc/self/cgroup", "0::/a/b\n");
  files.write("sys/fs/cgroup/a/memory.max", "2147483648\n");
  files.write("sys/fs/cgroup/a/memory.current", "2147483648\n");
  files.write("sys/fs/cgroup/a/memory.stat",
              "anon 1\nfile 99\ninactive_file 536870912\nactive_file 536870912\n");
  files.write("sys/fs/cgroup/a/b/memory.max", "max\n");
  files.write("sys/fs/cgroup/a/b/memory.current", "1073741824\n");
  const MemoryRoom read = files.read();
  CHECK(read.free == gigabyte);
  CHECK(has(read.free_source, "cgroups"));
  CHECK(read.all == 16 * gigabyte);  // ours are not the server's
  files.write("proc/self/mountinfo", "29 22 0:26 / /mem rw - cgroup cgroup rw,memory\n");
  files.write("proc/self/cgroup", "4:memory:/c\n");
  files.write("mem/c/memory.limit_in_bytes", "1073741824\n");
  files.write("mem/c/memory.usage_in_bytes", "536870912\n");
  files.write("mem/c/memory.stat", "total_inactive_file 268435456\n");
  files.write("mem/memory.limit_in_bytes", "9223372036854771712\n");
  files.write("mem/memory.usage_in_bytes", "1\n");
  CHECK(files.read().free == 768 * megabyte);
}

TEST_CASE("a server that cannot say what it needs has it estimated") {
  // Measured on PostgreSQL 14: shared_buffers = 128MB takes 143 MB, most of what is missing is fixed.
  const std::uint64_t usual = host::estimate_shared_memory(
      {.shared_buffers = 16384, .wal_segment_bytes = 16 * megabyte, .locks = 64 * 100});
  CHECK(usual > 133 * megabyte);
  CHECK(usual < 143 * megabyte);
  CHECK(host::estimate_shared_memory({.shared_buffers = std::uint64_t{1} << 30, .locks = 1}) >
        8192 * gigabyte);
  CHECK(host::estimate_shared_memory({.locks = 2'000'000'000ULL * 100'000}) > 60'000'000 * megabyte);
  CHECK(host::estimate_shared_memory({.shared_buffers = UINT64_MAX}) == UINT64_MAX);
  CHECK(host::estimate_shared_memory({.min_dynamic_shared_memory = 100}) == 100 * megabyte);
  CHECK(host::estimate_shared_memory({.wal_buffers = 4}) == std::uint64_t{4} * 8192);
}

TEST_CASE("how much a server did not get is read from its log") {
  CHECK(host::shared_memory_not_got(
            "FATAL:  could not map anonymous shared memory: Cannot allocate memory\n"
            "HINT:  This error usually means … To reduce the request size (currently 984226521088 bytes), "
            "reduce …\n") == 984226521088);
  CHECK_FALSE(host::shared_memory_not_got("LOG:  (currently 3 bytes)\n"));
  CHECK_FALSE(host::shared_memory_not_got("FATAL:  could not map anonymous shared memory: Bad address\n"));
}

}  // namespace kdb::trial_memory_test
