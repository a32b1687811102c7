#include <optional>
#include <string>
#include <vector>

#include <doctest/doctest.h>

#include "core/pgtune.hpp"
#include "core/timescaledb_tune.hpp"

namespace kdb::formulas_test {

namespace {

using bytes::gb;
using bytes::mb;

std::string value_of(const std::vector<FormulaValue>& values, const std::string& name) {
  std::string found;
  for (const FormulaValue& value : values)
    if (value.name == name) found = value.value;
  return found;
}

FormulaInput machine(std::uint64_t memory, int cpus, std::optional<int> connections = std::nullopt) {
  return {.memory = memory, .cpus = cpus, .connections = connections, .major = 17};
}

FormulaInput of(Workload workload, FormulaInput input) {
  input.workload = workload;
  return input;
}

FormulaInput with_disk(std::uint64_t wal_disk, FormulaInput input) {
  input.wal_disk = wal_disk;
  return input;
}

FormulaInput with_data(std::uint64_t database_bytes, FormulaInput input) {
  input.database_bytes = database_bytes;
  return input;
}

/// One value of an input, known from elsewhere than this code.
struct Known {
  FormulaInput input;
  std::string name;
  std::string value;
};

}  // namespace

TEST_CASE("timescaledb-tune's values are those that its own tests and runs of it have") {
  const Known rows[] = {
      {machine(8 * gb, 4), "work_mem", "16MB"},
      {machine(8 * gb, 4), "maintenance_work_mem", "1GB"},
      {machine(8 * gb, 4), "max_worker_processes", "23"},
      {machine(10 * gb, 1, 20), "shared_buffers", "2560MB"},
      {machine(10 * gb, 1, 20), "effective_cache_size", "7680MB"},
      {machine(10 * gb, 1, 20), "maintenance_work_mem", "1280MB"},
      {machine(10 * gb, 1, 20), "work_mem", "200MB"},
      {machine(10 * gb, 5, 50), "work_mem", "27306kB"},
      {machine(12 * gb, 1, 20), "work_mem", "240MB"},
      {machine(32 * gb, 1, 20), "work_mem", "640MB"},
      {machine(32 * gb, 1, 19), "work_mem", "689852kB"},
      {machine(32 * gb, 9000, 20), "work_mem", "146kB"},
      {machine(32 * gb, 9000, 50), "work_mem", "64kB"},
      {machine(32 * gb, 1), "maintenance_work_mem", "2047MB"},
      {machine(2320 * mb, 2, 29), "work_mem", "31999kB"},  // 32000kB but for how doubles round
      {machine(8 * gb, 1), "max_parallel_workers", ""},
      {machine(8 * gb, 2), "max_parallel_workers_per_gather", "1"},
      {machine(8 * gb, 5), "max_parallel_workers_per_gather", "3"},
      {machine(8 * gb, 96), "max_parallel_workers_per_gather", "48"},
      {machine(1 * gb, 4), "wal_buffers", "7864kB"},
      {machine(1536 * mb, 4), "wal_buffers", "11796kB"},
      {machine(2 * gb, 4), "wal_buffers", "16MB"},
      {with_disk(0, machine(8 * gb, 4)), "max_wal_size", "1GB"},
      {with_disk(8 * gb, machine(8 * gb, 4)), "max_wal_size", "4928MB"},
      {with_disk(8 * gb, machine(8 * gb, 4)), "min_wal_size", "2464MB"},
      {with_disk(8800 * mb, machine(8 * gb, 4)), "max_wal_size", "5280MB"},
      {machine(2 * gb, 4), "max_connections", "25"},
      {machine(2 * gb + 1, 4), "max_connections", "50"},
      {machine(6 * gb, 4), "max_connections", "75"},
      {machine(8 * gb - 1, 4), "max_locks_per_transaction", "128"},
      {machine(8 * gb, 4), "max_locks_per_transaction", "256"},
      {machine(80 * gb, 4), "max_locks_per_transaction", "1024"},
      {machine(4 * (gb + mb), 4), "shared_buffers", "1GB"},  // a thousandth is let go
      {machine(4 * (gb + 2 * mb), 4), "shared_buffers", "1026MB"},
      {machine(4 * (1024 * gb - gb), 4), "shared_buffers", "1023GB"},
      {machine(6 * 1024 * gb, 4), "shared_buffers", "1536GB"},
  };
  for (const Known& row : rows) {
    CAPTURE(row.input.memory);
    CAPTURE(row.name);
    CHECK(value_of(timescaledb_tune(row.input), row.name) == row.value);
  }
}

TEST_CASE("pgtune's values are those that its own tests and runs of it have") {
  const FormulaInput small = machine(8 * gb, 4);
  const FormulaInput large = machine(64 * gb, 8);
  const Known rows[] = {
      {of(Workload::web, small), "work_mem", "10280kB"},
      {of(Workload::web, small), "maintenance_work_mem", "512MB"},
      {of(Workload::web, small), "max_worker_processes", "4"},
      {of(Workload::olap, small), "work_mem", "23831kB"},
      {of(Workload::olap, small), "random_page_cost", "4"},
      {of(Workload::olap, small), "jit", ""},
      {of(Workload::olap, with_data(1, small)), "random_page_cost", "1.1"},
      {of(Workload::olap, machine(8 * gb, 31)), "max_parallel_workers_per_gather", "16"},
      {of(Workload::web, machine(8 * gb, 31)), "max_parallel_workers_per_gather", "4"},
      {of(Workload::web, with_data(1, large)), "work_mem", "104856kB"},
      {of(Workload::web, with_data(200 * gb, large)), "work_mem", "72593kB"},
      {of(Workload::web, machine(256 * gb, 4, 20)), "work_mem", "2796202kB"},
      {of(Workload::web, machine(256 * gb, 4, 20)), "maintenance_work_mem", "8GB"},
      {of(Workload::web, machine(256 * gb, 4, 20)), "autovacuum_work_mem", "2GB"},
      {of(Workload::web, machine(4 * gb, 4, 9999)), "work_mem", "4MB"},
      {machine(4 * gb, 4), "huge_pages", "off"},
      {machine(1 * gb, 3), "max_worker_processes", ""},
      {machine(1 * gb, 3), "wal_buffers", "7864kB"},
  };
  for (const Known& row : rows) {
    CAPTURE(row.input.memory);
    CAPTURE(row.name);
    CHECK(value_of(pgtune(row.input), row.name) == row.value);
  }
}

TEST_CASE("what the tools would not take is said") {
  CHECK(timescaledb_tune_problem(machine(8 * gb, 4)).empty());
  CHECK(timescaledb_tune_problem(machine(8 * gb, 4, 25)).empty());
  CHECK(timescaledb_tune_problem(machine(8 * gb, 4, 24)) == "takes 25 connections or more, not 24");
  CHECK(pgtune_problem(machine(512 * mb, 4, 20)).empty());
  CHECK(pgtune_problem(machine(8 * gb, 4, 19)) == "takes 20 connections or more, not 19");
  CHECK(pgtune_problem(machine(512 * mb - 1, 4)) == "takes 512MB of memory or more");
}

}  // namespace kdb::formulas_test
