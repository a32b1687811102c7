#pragma once

#include <cstdint>
#include <functional>
#include <optional>
#include <set>
#include <string>
#include <string_view>

namespace kdb::host {

/// What a machine, or the container that a process is in, gives to it.
struct Machine {
  std::uint64_t memory = 0;  // bytes: of the machine, or the least limit of the process's cgroups; 0: unknown
  std::string memory_source;  // the file that says so
  double cpus = 0;  // those that it may run on, or the least quota of them, which may be less than one
  std::string cpus_source;
  std::optional<std::uint64_t>
      shared_memory;  // bytes of /dev/shm, where parallel queries share what they have
};

/// The text of a file of a machine; nothing where it cannot be read.
using FileReader = std::function<std::optional<std::string>(const std::string& path)>;
/// Reads files with `root` put before their paths: empty for those of this machine, a folder for tests.
FileReader files_below(const std::string& root);

/// Of a process, or of the one that reads ("self"). The limits of all cgroups above it count, of version 1,
/// of 2 and of both side by side, as far as they are mounted; a container sees its own. -- cgroups(7); the
/// kernel's cgroup-v1/memory, cgroup-v1/cpusets, cgroup-v2; proc_pid_mountinfo(5). What cannot be read does
/// not count.
Machine read_machine(const std::string& process, const FileReader& file);
/// Of this machine, with /dev/shm. `root` is put before all files, for tests.
Machine read_machine(const std::string& process = "self", const std::string& root = {});

/// What this process has taken of the processors, all its threads together.
double own_cpu_seconds();

/// The bytes that the cgroups of a process leave it, the least of them; nothing where none has a limit. What
/// the kernel can drop of files that were read is as good as free.
std::optional<std::uint64_t> memory_left_in_cgroups(const std::string& process, const FileReader& file);

/// The number behind `key:` in a file as /proc/meminfo, in bytes where the file counts in kB.
std::optional<std::uint64_t> meminfo_number(const std::string& text, std::string_view key);

/// The numbers of a list such as `0-3,8`; nothing for another text.
std::optional<std::set<int>> parse_cpu_list(std::string_view list);

}  // namespace kdb::host
