#include "core/pgtune.hpp"

#include <algorithm>

#include <fmt/format.h>

namespace kdb {

namespace {

constexpr std::uint64_t pgtune_mb = bytes::mb / bytes::kb;  // it counts in whole kB, and knows no TB
constexpr std::uint64_t pgtune_gb = bytes::gb / bytes::kb;

/// What pgtune has by the kind of workload alone.
struct PgtuneKind {
  int connections = 0;
  std::uint64_t maintenance_part = 16;  // of memory, one in so many
  std::uint64_t work_mem_part = 1;      // of a connection's share, one in so many
  std::uint64_t min_wal_gb = 1;
  std::uint64_t max_wal_gb = 4;
  bool warehouse = false;  // long queries over much of the data
};

PgtuneKind pgtune_kind(Workload workload) {
  switch (workload) {
    case Workload::oltp:
      return {.connections = 300, .min_wal_gb = 2, .max_wal_gb = 8};
    case Workload::web:
      return {.connections = 200};
    case Workload::olap:
      return {.connections = 40,
              .maintenance_part = 8,
              .work_mem_part = 2,
              .min_wal_gb = 4,
              .max_wal_gb = 16,
              .warehouse = true};
    case Workload::mixed:
    case Workload::timeseries:
      break;
  }
  return {.connections = 100, .work_mem_part = 2};
}

enum class PgtuneData { less, middle, greater };

PgtuneData pgtune_data(const FormulaInput& input) {
  if (!input.database_bytes) return PgtuneData::middle;
  if (*input.database_bytes < input.memory) return PgtuneData::less;
  return *input.database_bytes > 3 * input.memory ? PgtuneData::greater : PgtuneData::middle;
}

std::string pgtune_size(std::uint64_t size_kb) {
  if (size_kb % pgtune_gb == 0) return fmt::format("{}GB", size_kb / pgtune_gb);
  if (size_kb % pgtune_mb == 0) return fmt::format("{}MB", size_kb / pgtune_mb);
  return fmt::format("{}kB", size_kb);
}

std::uint64_t pgtune_maintenance_kb(const FormulaInput& input, const PgtuneKind& kind) {
  return std::min(input.memory / kind.maintenance_part, 8 * bytes::gb) / bytes::kb;
}

/// 3 % of shared_buffers, about what a server does by itself; a whole segment of WAL where that is near.
std::uint64_t pgtune_wal_buffers_kb(std::uint64_t shared_buffers_kb) {
  const std::uint64_t part = shared_buffers_kb * 3 / 100;
  return part > 14 * pgtune_mb ? 16 * pgtune_mb
                               : std::max<std::uint64_t>(part, 32);  // a server takes no less
}

/// What shared_buffers leave of memory, for three sorts or hashes at a time of each connection and worker.
std::uint64_t pgtune_work_mem_kb(const FormulaInput& input, const PgtuneKind& kind, int connections) {
  const int workers = input.cpus >= 4 ? input.cpus : 8;  // max_worker_processes, or its default
  const auto shares = static_cast<std::uint64_t>(connections + workers) * 3 * kind.work_mem_part;
  const std::uint64_t shared_buffers = input.memory / 4 / bytes::kb * bytes::kb;
  std::uint64_t size_kb = (input.memory - shared_buffers) / bytes::kb / shares;
  const PgtuneData data = pgtune_data(input);
  if (data == PgtuneData::less) size_kb = size_kb * 13 / 10;    // the page cache has room to spare
  if (data == PgtuneData::greater) size_kb = size_kb * 9 / 10;  // it has none
  return std::max(size_kb, 4 * pgtune_mb);
}

std::string pgtune_io_concurrency(Disk disk) {
  switch (disk) {
    case Disk::hdd:
      return "2";
    case Disk::ssd:
      return "200";
    case Disk::san:
      return "300";
    case Disk::nvme:
      break;
  }
  return "1000";
}

/// The server's default, 4, where a disk has to seek, or where so much is read that an index does not help.
std::string pgtune_random_page_cost(const FormulaInput& input, const PgtuneKind& kind) {
  const bool cached = pgtune_data(input) == PgtuneData::less;
  return !cached && (input.disk == Disk::hdd || kind.warehouse) ? "4" : "1.1";
}

std::vector<FormulaValue> pgtune_first(const FormulaInput& input, const PgtuneKind& kind) {
  const int connections = input.connections.value_or(kind.connections);
  const std::uint64_t shared_kb = input.memory / 4 / bytes::kb;
  return {
      {"max_connections", fmt::to_string(connections)},
      {"shared_buffers", pgtune_size(shared_kb)},
      {"effective_cache_size", pgtune_size(input.memory * 3 / 4 / bytes::kb)},
      {"maintenance_work_mem", pgtune_size(pgtune_maintenance_kb(input, kind))},
      {"checkpoint_completion_target", "0.9"},
      {"wal_buffers", pgtune_size(pgtune_wal_buffers_kb(shared_kb))},
      {"default_statistics_target", kind.warehouse ? "500" : "100"},
      {"random_page_cost", pgtune_random_page_cost(input, kind)},
      {"effective_io_concurrency", pgtune_io_concurrency(input.disk)},
      {"work_mem", pgtune_size(pgtune_work_mem_kb(input, kind, connections))},
      {"huge_pages", shared_kb >= 2 * pgtune_gb ? "try" : "off"},
  };
}

/// What pgtune leaves out where the server's default suits it, or the server does not have it.
void add_pgtune_some(std::vector<FormulaValue>& values, const FormulaInput& input, const PgtuneKind& kind) {
  // Some workers of autovacuum have this at a time, a CREATE INDEX has maintenance_work_mem for itself.
  constexpr std::uint64_t autovacuum_kb = 2 * pgtune_gb;
  if (!kind.warehouse) values.push_back({"jit", "off"});
  values.push_back({"wal_compression", input.major >= 15 ? "lz4" : "on"});
  if (input.cpus >= 16) values.push_back({"autovacuum_max_workers", input.cpus >= 32 ? "5" : "4"});
  if (pgtune_maintenance_kb(input, kind) >= autovacuum_kb)
    values.push_back({"autovacuum_work_mem", pgtune_size(autovacuum_kb)});
  if (input.major >= 18) values.push_back({"io_method", "io_uring"});
}

void add_pgtune_parallelism(std::vector<FormulaValue>& values, int cpus, const PgtuneKind& kind) {
  if (cpus < 4) return;
  const int half = (cpus + 1) / 2;
  const int few = std::min(half, 4);  // more have not been seen to help, says pgtune
  values.push_back({"max_worker_processes", fmt::to_string(cpus)});
  values.push_back({"max_parallel_workers_per_gather", fmt::to_string(kind.warehouse ? half : few)});
  values.push_back({"max_parallel_workers", fmt::to_string(cpus)});
  values.push_back({"max_parallel_maintenance_workers", fmt::to_string(few)});
}

}  // namespace

std::vector<FormulaValue> pgtune(const FormulaInput& input) {
  const PgtuneKind kind = pgtune_kind(input.workload);
  std::vector<FormulaValue> values = pgtune_first(input, kind);
  add_pgtune_some(values, input, kind);
  values.push_back({"min_wal_size", fmt::format("{}GB", kind.min_wal_gb)});
  values.push_back({"max_wal_size", fmt::format("{}GB", kind.max_wal_gb)});
  add_pgtune_parallelism(values, input.cpus, kind);
  return values;
}

std::string pgtune_problem(const FormulaInput& input) {
  constexpr int least_connections = 20;
  if (input.memory < 512 * bytes::mb) return "takes 512MB of memory or more";
  if (!input.connections || *input.connections >= least_connections) return {};
  return fmt::format("takes {} connections or more, not {}", least_connections, *input.connections);
}

}  // namespace kdb
