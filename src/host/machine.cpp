#include "host/machine.hpp"

#include <algorithm>
#include <charconv>
#include <fstream>
#include <iterator>
#include <utility>
#include <vector>

#include <fmt/format.h>
#include <sys/resource.h>
#include <sys/statvfs.h>

#include "base/text.hpp"

namespace kdb::host {

namespace {

std::optional<std::string> text_of(const std::string& path) {
  std::ifstream file(path);
  std::string text((std::istreambuf_iterator<char>(file)), std::istreambuf_iterator<char>());
  if (!file.is_open() || file.bad()) return std::nullopt;
  return text;
}

template <class Number>
std::optional<Number> number_of(std::string_view text) {
  text = trim(text);
  Number number{};
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), number);
  if (error != std::errc() || end != text.data() + text.size()) return std::nullopt;
  return number;
}

std::vector<std::string_view> words(std::string_view line) {
  std::vector<std::string_view> parts = split(line, ' ');
  std::erase(parts, std::string_view());
  return parts;
}

/// The value behind `key:` in a file of /proc.
std::optional<std::string> proc_value(const std::optional<std::string>& text, std::string_view key) {
  if (!text) return std::nullopt;
  for (const std::string_view line : split(*text, '\n'))
    if (line.starts_with(key) && line.substr(key.size()).starts_with(':'))
      return std::string(trim(line.substr(key.size() + 1)));
  return std::nullopt;
}

/// `\040` and the like in mountinfo.
std::string unescaped(std::string_view text) {
  std::string result;
  for (size_t at = 0; at < text.size(); ++at) {
    int code = 0;
    const auto octal = text.substr(at + 1, 3);
    if (text[at] == '\\' && octal.size() == 3 &&
        std::from_chars(octal.data(), octal.data() + 3, code, 8).ptr == octal.data() + 3) {
      result += static_cast<char>(code);
      at += 3;
    } else {
      result += text[at];
    }
  }
  return result;
}

/// Where a hierarchy of cgroups is mounted.
struct Mount {
  std::string root;  // the cgroup that is seen there
  std::string point;
  bool unified = false;                  // version 2
  std::vector<std::string> controllers;  // of version 1
};

std::vector<Mount> cgroup_mounts(const std::string& mountinfo) {
  std::vector<Mount> mounts;
  for (const std::string_view line : split(mountinfo, '\n')) {
    // 31 30 0:28 ROOT POINT OPTIONS [FIELDS…] - TYPE SOURCE SUPER-OPTIONS
    const std::vector<std::string_view> fields = words(line);
    const auto dash = std::find(fields.begin(), fields.end(), "-");
    if (fields.size() < 6 || fields.end() - dash < 4) continue;
    const std::string_view type = dash[1];
    if (type != "cgroup" && type != "cgroup2") continue;
    Mount mount{.root = unescaped(fields[3]),
                .point = unescaped(fields[4]),
                .unified = type == "cgroup2",
                .controllers = {}};
    for (const std::string_view option : split(dash[3], ',')) mount.controllers.emplace_back(option);
    mounts.push_back(std::move(mount));
  }
  return mounts;
}

/// The folders of a process's cgroup and of all above it, the nearest first, in each hierarchy that has a
/// controller.
class Cgroups {
 public:
  Cgroups(const std::string& process, const FileReader& file) : file_(file) {
    const auto mountinfo = file(fmt::format("/proc/{}/mountinfo", process));
    const auto memberships = file(fmt::format("/proc/{}/cgroup", process));
    if (!mountinfo || !memberships) return;
    mounts_ = cgroup_mounts(*mountinfo);
    for (const std::string_view line : split(*memberships, '\n')) {
      // ID:CONTROLLERS:PATH; version 2 is 0 and has none
      const size_t first = line.find(':');
      const size_t second = first == std::string_view::npos ? first : line.find(':', first + 1);
      if (second == std::string_view::npos) continue;
      paths_.emplace_back(line.substr(first + 1, second - first - 1), line.substr(second + 1));
    }
  }

  /// Calls `visit` with each folder of the version.
  template <class Visit>
  void each_folder(bool unified, std::string_view controller, const Visit& visit) const {
    for (const Mount& mount : mounts_) {
      const auto& of = mount.controllers;
      if (mount.unified != unified || (!unified && std::find(of.begin(), of.end(), controller) == of.end()))
        continue;
      for (const auto& [controllers, path] : paths_) {
        const std::vector<std::string_view> names = split(controllers, ',');
        const bool same =
            unified ? controllers.empty() : std::find(names.begin(), names.end(), controller) != names.end();
        if (!same) continue;
        for (std::string inside = below(mount, path);; inside.resize(inside.rfind('/'))) {
          visit(mount.point + inside);
          if (inside.empty()) break;
        }
      }
    }
  }
  std::optional<std::string> file(const std::string& path) const { return file_(path); }

 private:
  /// What of a cgroup's path is below the mount: `/a/b`, or nothing. A container may see its own cgroup at
  /// the top and still be told the whole path.
  static std::string below(const Mount& mount, std::string_view path) {
    if (mount.root != "/" && path.starts_with(mount.root)) path.remove_prefix(mount.root.size());
    if (path.find("..") != std::string_view::npos || !path.starts_with('/')) return {};
    while (path.ends_with('/')) path.remove_suffix(1);
    return std::string(path);
  }

  const FileReader& file_;
  std::vector<Mount> mounts_;
  std::vector<std::pair<std::string, std::string>> paths_;  // behind their controllers
};

void limit_memory(Machine& machine, std::optional<std::uint64_t> bytes, const std::string& source) {
  // Version 1 has no word for "no limit": it is a number that no machine has.
  if (!bytes || *bytes == 0 || (machine.memory > 0 && *bytes >= machine.memory)) return;
  machine.memory = *bytes;
  machine.memory_source = source;
}

void limit_cpus(Machine& machine, double cpus, const std::string& source) {
  if (cpus <= 0 || (machine.cpus > 0 && cpus >= machine.cpus)) return;
  machine.cpus = cpus;
  machine.cpus_source = source;
}

void read_memory(Machine& machine, const Cgroups& cgroups) {
  const std::string meminfo = "/proc/meminfo";
  if (const auto text = cgroups.file(meminfo))
    limit_memory(machine, meminfo_number(*text, "MemTotal"), meminfo);
  const auto limit = [&](const std::string& path) {
    if (const auto text = cgroups.file(path)) limit_memory(machine, number_of<std::uint64_t>(*text), path);
  };
  cgroups.each_folder(true, "", [&](const std::string& folder) { limit(folder + "/memory.max"); });
  cgroups.each_folder(false, "memory",
                      [&](const std::string& folder) { limit(folder + "/memory.limit_in_bytes"); });
}

// `key number` in a line of memory.stat.
std::uint64_t stat_number(const std::optional<std::string>& text, std::string_view key) {
  if (text)
    for (const std::string_view line : split(*text, '\n'))
      if (const auto parts = words(line); parts.size() == 2 && parts[0] == key)
        return number_of<std::uint64_t>(parts[1]).value_or(0);
  return 0;
}

void read_cpus(Machine& machine, const Cgroups& cgroups, const std::string& process) {
  const std::string online_path = "/sys/devices/system/cpu/online";
  std::optional<std::set<int>> online;
  if (const auto text = cgroups.file(online_path)) online = parse_cpu_list(trim(*text));
  if (online) limit_cpus(machine, static_cast<double>(online->size()), online_path);
  const auto limit_list = [&](const std::optional<std::string>& text, const std::string& source) {
    auto list = text ? parse_cpu_list(trim(*text)) : std::nullopt;
    if (!list) return;
    // It may name those that could be plugged in.
    if (online) std::erase_if(*list, [&](int cpu) { return online->count(cpu) == 0; });
    limit_cpus(machine, static_cast<double>(list->size()), source);
  };
  const std::string status = fmt::format("/proc/{}/status", process);
  limit_list(proc_value(cgroups.file(status), "Cpus_allowed_list"), status);
  cgroups.each_folder(true, "", [&](const std::string& folder) {
    limit_list(cgroups.file(folder + "/cpuset.cpus.effective"), folder + "/cpuset.cpus.effective");
    const auto text = cgroups.file(folder + "/cpu.max");
    const auto parts = text ? words(trim(*text)) : std::vector<std::string_view>();
    if (parts.size() != 2) return;
    const auto quota = number_of<double>(parts[0]);  // or "max"
    const auto period = number_of<double>(parts[1]);
    if (quota && period && *period > 0) limit_cpus(machine, *quota / *period, folder + "/cpu.max");
  });
  cgroups.each_folder(false, "cpuset", [&](const std::string& folder) {
    limit_list(cgroups.file(folder + "/cpuset.cpus"), folder + "/cpuset.cpus");
  });
  cgroups.each_folder(false, "cpu", [&](const std::string& folder) {
    const auto quota_text = cgroups.file(folder + "/cpu.cfs_quota_us");
    const auto period_text = cgroups.file(folder + "/cpu.cfs_period_us");
    if (!quota_text || !period_text) return;
    const auto quota = number_of<double>(*quota_text);  // -1: none
    const auto period = number_of<double>(*period_text);
    if (quota && period && *period > 0) limit_cpus(machine, *quota / *period, folder + "/cpu.cfs_quota_us");
  });
}

}  // namespace

std::optional<std::set<int>> parse_cpu_list(std::string_view list) {
  std::set<int> cpus;
  if (list.empty()) return cpus;
  constexpr int most = 1 << 16;  // of a range; no kernel has so many
  for (const std::string_view part : split(list, ',')) {
    const size_t dash = part.find('-');
    const auto first = number_of<int>(part.substr(0, dash));
    const auto last = dash == std::string_view::npos ? first : number_of<int>(part.substr(dash + 1));
    if (!first || !last || *first < 0 || *last < *first || *last >= most) return std::nullopt;
    for (int cpu = *first; cpu <= *last; ++cpu) cpus.insert(cpu);
  }
  return cpus;
}

std::optional<std::uint64_t> meminfo_number(const std::string& text, std::string_view key) {
  const auto value = proc_value(text, key);
  const auto parts = value ? words(*value) : std::vector<std::string_view>();
  const auto number = parts.empty() ? std::nullopt : number_of<std::uint64_t>(parts[0]);
  if (!number) return std::nullopt;
  return parts.size() > 1 ? *number * 1024 : *number;
}

std::optional<std::uint64_t> memory_left_in_cgroups(const std::string& process, const FileReader& file) {
  std::optional<std::uint64_t> least;
  const auto look = [&](const std::string& folder, const std::string& limit_name,
                        const std::string& used_name, const std::string& prefix) {
    const auto number = [&](const std::string& name) {
      const auto text = file(folder + name);
      return text ? number_of<std::uint64_t>(*text) : std::nullopt;
    };
    const auto limit = number(limit_name);
    const auto used = number(used_name);
    // Version 1 has no word for "no limit".
    if (!limit || !used || *limit >= std::uint64_t{1} << 60) return;
    const auto stat = file(folder + "/memory.stat");
    const std::uint64_t files =
        stat_number(stat, prefix + "inactive_file") + stat_number(stat, prefix + "active_file");
    const std::uint64_t kept = *used > files ? *used - files : 0;
    const std::uint64_t left = *limit > kept ? *limit - kept : 0;
    least = std::min(left, least.value_or(left));
  };
  const Cgroups cgroups(process, file);
  cgroups.each_folder(true, "",
                      [&](const std::string& folder) { look(folder, "/memory.max", "/memory.current", ""); });
  cgroups.each_folder(false, "memory", [&](const std::string& folder) {
    look(folder, "/memory.limit_in_bytes", "/memory.usage_in_bytes", "total_");
  });
  return least;
}

Machine read_machine(const std::string& process, const FileReader& file) {
  Machine machine;
  const Cgroups cgroups(process, file);
  read_memory(machine, cgroups);
  read_cpus(machine, cgroups, process);
  return machine;
}

FileReader files_below(const std::string& root) {
  return [root](const std::string& path) { return text_of(root + path); };
}

Machine read_machine(const std::string& process, const std::string& root) {
  Machine machine = read_machine(process, files_below(root));
  struct statvfs shm {};
  const std::string folder = root + "/dev/shm";
  if (statvfs(folder.c_str(), &shm) == 0)
    machine.shared_memory = static_cast<std::uint64_t>(shm.f_blocks) * shm.f_frsize;
  return machine;
}

double own_cpu_seconds() {
  rusage usage{};
  getrusage(RUSAGE_SELF, &usage);
  const auto seconds = [](const timeval& time) {
    return static_cast<double>(time.tv_sec) + static_cast<double>(time.tv_usec) * 1e-6;
  };
  return seconds(usage.ru_utime) + seconds(usage.ru_stime);
}

}  // namespace kdb::host
