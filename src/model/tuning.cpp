#include "model/tuning.hpp"

#include <array>

namespace kdb {

namespace {

constexpr std::array<std::string_view, 5> workloads{"oltp", "web", "olap", "mixed", "timeseries"};
constexpr std::array<std::string_view, 4> disks{"hdd", "ssd", "nvme", "san"};

template <class Enum, size_t N>
std::optional<Enum> parse(const std::array<std::string_view, N>& words, std::string_view word) {
  for (size_t at = 0; at < N; ++at)
    if (words[at] == word) return static_cast<Enum>(at);
  return std::nullopt;
}

}  // namespace

std::string_view to_string(Workload workload) { return workloads.at(static_cast<size_t>(workload)); }
std::string_view to_string(Disk disk) { return disks.at(static_cast<size_t>(disk)); }
std::optional<Workload> parse_workload(std::string_view word) { return parse<Workload>(workloads, word); }
std::optional<Disk> parse_disk(std::string_view word) { return parse<Disk>(disks, word); }

}  // namespace kdb
