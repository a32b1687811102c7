#include "host/machine.hpp"

#include <doctest/doctest.h>

#include "support/temp_dir.hpp"

namespace kdb::machine_test {

namespace {

using host::Machine;
using host::read_machine;

constexpr std::uint64_t gigabyte = 1024ULL * 1024 * 1024;

constexpr const char* unified_mount =
    "22 1 8:1 / / rw - ext4 /dev/sda rw\n29 22 0:26 / /sys/fs/cgroup rw,nosuid shared:4 - cgroup2 cgroup2 "
    "rw,nsdelegate\n";

/// A machine of 16 GB and 16 CPUs, as files.
struct Files {
  test::TempDir folder;

  Files() {
    write("proc/meminfo", "MemTotal:       16777216 kB\nMemFree:  1 kB\n");
    write("sys/devices/system/cpu/online", "0-15\n");
    write("proc/self/status", "Name:\tkdb\nCpus_allowed:\tffff\nCpus_allowed_list:\t0-127\n");
  }
  void write(const std::string& name, const std::string& text) const { folder.write(name, text); }
  /// The process is in this cgroup of version 2.
  void in_unified(const std::string& path) const {
    write("proc/self/mountinfo", unified_mount);
    write("proc/self/cgroup", "0::" + path + "\n");
  }
  Machine machine() const { return read_machine("self", folder.path()); }
};

}  // namespace

TEST_CASE("a machine without cgroups gives all that it has") {
  const Files files;
  const Machine machine = files.machine();
  CHECK(machine.memory == 16 * gigabyte);
  CHECK(machine.memory_source == "/proc/meminfo");
  CHECK(machine.cpus == 16);  // and not the 128 that could be plugged in
  CHECK_FALSE(machine.shared_memory);
  const test::TempDir nothing;
  CHECK(read_machine("self", nothing.path()).memory == 0);
  CHECK(read_machine("self", nothing.path()).cpus == 0);
}

TEST_CASE("the least limit of all cgroups above a process holds, version 2") {
  const Files files;
  files.in_unified("/kubepods/pod1/main");
  const std::string top = "sys/fs/cgroup/";
  files.write(top + "kubepods/memory.max", "8589934592\n");
  files.write(top + "kubepods/pod1/memory.max", "4294967296\n");
  files.write(top + "kubepods/pod1/main/memory.max", "max\n");
  files.write(top + "kubepods/cpu.max", "max 100000\n");
  files.write(top + "kubepods/pod1/cpu.max", "50000 100000\n");
  files.write(top + "kubepods/pod1/main/cpu.max", "250000 100000\n");
  const Machine machine = files.machine();
  CHECK(machine.memory == 4 * gigabyte);
  CHECK(machine.memory_source == "/sys/fs/cgroup/kubepods/pod1/memory.max");
  CHECK(machine.cpus == 0.5);
  CHECK(machine.cpus_source == "/sys/fs/cgroup/kubepods/pod1/cpu.max");
}

TEST_CASE("cpusets are counted as lists") {
  struct Row {
    const char* list;
    double cpus;
  };
  for (const Row& row : {Row{"0-3,8\n", 5}, Row{"12\n", 1}, Row{"0-3,8,10-11\n", 7}, Row{"\n", 16},
                         Row{"2-\n", 16}, Row{"14-31\n", 2}}) {
    CAPTURE(row.list);
    const Files files;
    files.in_unified("/a");
    files.write("sys/fs/cgroup/a/cpuset.cpus.effective", row.list);
    CHECK(files.machine().cpus == row.cpus);
  }
  const Files bound;
  bound.write("proc/self/status", "Cpus_allowed_list:\t3,5\n");  // taskset
  CHECK(bound.machine().cpus == 2);
  CHECK(bound.machine().cpus_source == "/proc/self/status");
}

TEST_CASE("a container that sees its own cgroup at the top, with and without a limit") {
  const Files files;
  files.in_unified("/");
  CHECK(files.machine().memory == 16 * gigabyte);  // memory.max is absent: that broke others
  files.write("sys/fs/cgroup/memory.max", "1073741824\n");
  CHECK(files.machine().memory == gigabyte);
  files.in_unified("/../../system.slice");  // of a process outside of the namespace
  CHECK(files.machine().memory == gigabyte);
}

TEST_CASE("version 1, its numbers for no limit, and controllers that are mounted together") {
  const Files files;
  files.write("proc/self/mountinfo",
              "34 30 0:31 /docker/abc /sys/fs/cgroup/memory ro - cgroup cgroup rw,memory\n"
              "35 30 0:32 /docker/abc /sys/fs/cgroup/cpu,cpuacct ro shared:1 master:2 - cgroup cgroup "
              "rw,cpu,cpuacct\n"
              "36 30 0:33 / /sys/fs/cgroup/cpu\\040set ro - cgroup cgroup rw,cpuset\n");
  files.write("proc/self/cgroup",
              "4:memory:/docker/abc\n3:cpuacct,cpu:/docker/abc\n2:cpuset:/x\n1:name=systemd:/\n");
  const std::string top = "sys/fs/cgroup/";
  for (const char* unlimited : {"9223372036854771712\n", "18446744073709551615\n", "9223372036854775807\n"}) {
    files.write(top + "memory/memory.limit_in_bytes", unlimited);
    CHECK(files.machine().memory == 16 * gigabyte);
  }
  files.write(top + "memory/memory.limit_in_bytes", "2147483648\n");
  files.write(top + "cpu,cpuacct/cpu.cfs_quota_us", "-1\n");
  files.write(top + "cpu,cpuacct/cpu.cfs_period_us", "100000\n");
  files.write(top + "cpu set/x/cpuset.cpus", "0-3,8\n");
  CHECK(files.machine().memory == 2 * gigabyte);
  CHECK(files.machine().cpus == 5);
  files.write(top + "cpu,cpuacct/cpu.cfs_quota_us", "150000\n");
  CHECK(files.machine().cpus == 1.5);
  CHECK(files.machine().cpus_source == "/sys/fs/cgroup/cpu,cpuacct/cpu.cfs_quota_us");
}

TEST_CASE("both versions side by side: each limit counts where its controller is") {
  const Files files;
  files.write("proc/self/mountinfo",
              "34 30 0:31 / /sys/fs/cgroup/memory rw - cgroup cgroup rw,memory\n"
              "40 30 0:37 / /sys/fs/cgroup/unified rw - cgroup2 cgroup2 rw\n");
  files.write("proc/self/cgroup", "4:memory:/a/b\n0::/c\n");
  files.write("sys/fs/cgroup/memory/a/memory.limit_in_bytes", "3221225472\n");
  files.write("sys/fs/cgroup/unified/c/cpu.max", "100000 50000\n");
  CHECK(files.machine().memory == 3 * gigabyte);
  CHECK(files.machine().cpus == 2);
}

TEST_CASE("this machine says what it has") {
  const Machine machine = read_machine();
  CHECK(machine.memory > 64ULL * 1024 * 1024);
  CHECK(machine.cpus > 0);
}

}  // namespace kdb::machine_test
