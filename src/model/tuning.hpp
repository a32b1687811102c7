#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace kdb {

enum class Workload { oltp, web, olap, mixed, timeseries };
enum class Disk { hdd, ssd, nvme, san };

/// `oltp`, `web` …; `hdd`, `ssd` …
std::string_view to_string(Workload workload);
std::string_view to_string(Disk disk);
std::optional<Workload> parse_workload(std::string_view word);
std::optional<Disk> parse_disk(std::string_view word);

/// Something about a machine, and who says so.
template <class T>
struct Known {
  T value{};
  std::string source;  // `--memory`, `profiles/default.toml:3:10`, `/sys/fs/cgroup/memory.max`, `the server`
};

/// What settings are chosen for.
struct TuningFacts {
  std::optional<Known<std::uint64_t>> memory;  // bytes that the server may use
  std::optional<Known<double>> cpus;           // less than one is possible
  std::optional<Known<Disk>> disk;
  std::optional<Known<int>> connections;  // max_connections that are wanted
  Known<Workload> workload{.value = Workload::mixed, .source = "by default"};
  int major = 18;            // of PostgreSQL
  std::string major_source;  // `--pg`, `the server`
  bool timescaledb = false;
  // Of a server that was asked:
  std::optional<std::int64_t> chunks;                       // of all hypertables
  std::optional<std::int64_t> jobs;                         // of TimescaleDB
  std::optional<std::uint64_t> database_bytes;              // of all databases
  std::optional<double> wal_rate;                           // bytes per second, since its statistics began
  std::optional<std::uint64_t> shared_memory;               // bytes of its /dev/shm
  std::optional<std::uint64_t> wal_disk;                    // bytes of the disk that WAL is on
  std::map<std::string, std::string, std::less<>> current;  // its settings, numbers in their own units
};

/// A setting as a formula has it, in the text that its tool prints.
struct FormulaValue {
  std::string name;
  std::string value;

  bool operator==(const FormulaValue&) const = default;
};

}  // namespace kdb
