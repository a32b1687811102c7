#include "core/timescaledb_tune.hpp"

#include <algorithm>
#include <iterator>
#include <string_view>

#include <fmt/format.h>

namespace kdb {

namespace {

// Patroni replaces a smaller max_connections by 100, says the tool.
constexpr int least_timescaledb_connections = 25;

std::string timescaledb_size(std::uint64_t size) {
  struct Unit {
    std::uint64_t size;
    std::string_view name;
  };
  constexpr Unit units[] = {{bytes::tb, "TB"}, {bytes::gb, "GB"}, {bytes::mb, "MB"}};
  const auto* unit =
      std::find_if(std::begin(units), std::end(units), [&](const Unit& row) { return size >= row.size; });
  if (unit == std::end(units))  // nothing below has a unit, so this one is rounded
    return fmt::format("{}kB", std::max<std::uint64_t>(1, (size + bytes::kb / 2) / bytes::kb));
  const std::uint64_t fraction = size % unit->size;
  if (fraction * 1000 <= unit->size) return fmt::format("{}{}", size / unit->size, unit->name);
  const std::string_view smaller = unit == std::end(units) - 1 ? "kB" : (unit + 1)->name;
  return fmt::format("{}{}", size / (unit->size / 1024), smaller);
}

int timescaledb_connections(const FormulaInput& input) {
  if (input.connections) return *input.connections;
  if (input.memory <= 2 * bytes::gb) return least_timescaledb_connections;
  if (input.memory <= 4 * bytes::gb) return 50;
  if (input.memory <= 6 * bytes::gb) return 75;
  return 100;
}

int timescaledb_half(int cpus) { return (cpus + 1) / 2; }

/// In floating point and in this order, as the tool has it: with 2320 MB, 29 connections and 2 CPUs it loses
/// a byte of 32000 kB, and prints 31999kB.
std::uint64_t timescaledb_work_mem(const FormulaInput& input) {
  // Of each GB of memory, for all connections: 16 MB at 2 GB to a CPU and 100 connections.
  constexpr double share = 400.0 * bytes::mb;
  const double memory_gb = static_cast<double>(input.memory) / bytes::gb;
  const double size = memory_gb * (share / timescaledb_connections(input)) / timescaledb_half(input.cpus);
  return std::max(static_cast<std::uint64_t>(size), 64 * bytes::kb);  // work_mem takes no less
}

std::uint64_t timescaledb_wal_buffers(std::uint64_t memory) {
  // 3 % of the quarter that shared_buffers gets, about what the server does by itself.
  constexpr std::uint64_t per_gb = 7864 * bytes::kb;
  return memory < 2 * bytes::gb ? memory * per_gb / bytes::gb : 16 * bytes::mb;
}

std::uint64_t timescaledb_max_wal_size(const FormulaInput& input) {
  const std::uint64_t disk = input.wal_disk.value_or(0);
  if (disk == 0) return bytes::gb;
  constexpr std::uint64_t segment = 16 * bytes::mb;  // of WAL, a server's default
  return (disk * 60 / 100 + segment - 1) / segment * segment;
}

int timescaledb_locks(std::uint64_t memory) {
  if (memory < 8 * bytes::gb) return 128;
  if (memory < 16 * bytes::gb) return 256;
  return memory < 32 * bytes::gb ? 512 : 1024;
}

void add_timescaledb_memory(std::vector<FormulaValue>& values, const FormulaInput& input) {
  // 128 MB for each GB, up to what a server on Windows takes, whatever the system.
  const std::uint64_t maintenance = std::min(input.memory / 8, 2047 * bytes::mb);
  values.push_back({"shared_buffers", timescaledb_size(input.memory / 4)});
  values.push_back({"effective_cache_size", timescaledb_size(input.memory * 3 / 4)});
  values.push_back({"maintenance_work_mem", timescaledb_size(maintenance)});
  values.push_back({"work_mem", timescaledb_size(timescaledb_work_mem(input))});
}

void add_timescaledb_parallelism(std::vector<FormulaValue>& values, int cpus) {
  constexpr int timescaledb_workers = 16;  // the default of its --max-bg-workers, and the least that it takes
  constexpr int built_in = 3;              // checkpointer, WAL writer and autovacuum, as it counts
  if (cpus == 1) return;
  values.push_back({"timescaledb.max_background_workers", fmt::to_string(timescaledb_workers)});
  values.push_back({"max_worker_processes", fmt::to_string(built_in + timescaledb_workers + cpus)});
  values.push_back({"max_parallel_workers_per_gather", fmt::to_string(timescaledb_half(cpus))});
  values.push_back({"max_parallel_workers", fmt::to_string(cpus)});
}

void add_timescaledb_wal(std::vector<FormulaValue>& values, const FormulaInput& input) {
  const std::uint64_t most = timescaledb_max_wal_size(input);
  values.push_back({"wal_buffers", timescaledb_size(timescaledb_wal_buffers(input.memory))});
  values.push_back({"min_wal_size", timescaledb_size(most / 2)});
  values.push_back({"max_wal_size", timescaledb_size(most)});
}

void add_timescaledb_others(std::vector<FormulaValue>& values, const FormulaInput& input) {
  values.push_back({"default_statistics_target", "100"});
  values.push_back({"random_page_cost", "1.1"});
  values.push_back({"checkpoint_completion_target", "0.9"});
  values.push_back({"max_connections", fmt::to_string(timescaledb_connections(input))});
  values.push_back({"max_locks_per_transaction", fmt::to_string(timescaledb_locks(input.memory))});
  values.push_back({"autovacuum_max_workers", "10"});
  values.push_back({"autovacuum_naptime", "10"});  // seconds
  values.push_back({"default_toast_compression", "lz4"});
  values.push_back({"jit", "off"});
  values.push_back({"effective_io_concurrency", "256"});
}

}  // namespace

std::vector<FormulaValue> timescaledb_tune(const FormulaInput& input) {
  std::vector<FormulaValue> values;
  add_timescaledb_memory(values, input);
  add_timescaledb_parallelism(values, input.cpus);
  add_timescaledb_wal(values, input);
  add_timescaledb_others(values, input);
  return values;
}

std::string timescaledb_tune_problem(const FormulaInput& input) {
  if (!input.connections || *input.connections >= least_timescaledb_connections) return {};
  return fmt::format("takes {} connections or more, not {}", least_timescaledb_connections,
                     *input.connections);
}

}  // namespace kdb
