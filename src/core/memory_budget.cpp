#include "core/memory_budget.hpp"

#include <algorithm>

#include <fmt/format.h>

#include "base/text.hpp"

namespace kdb {

namespace {
constexpr double of_a_backend = 5 * megabyte;  // caches of the catalog and of plans, and what a session keeps
constexpr double for_the_system = 0.1;         // the kernel, its page tables, everything else on the machine

/// A hash may take hash_mem_multiplier times work_mem (PG docs 20.4), a sort may not: half of each.
double multiplier(const Sizing& sizing) {
  return (1 + std::max(1.0, sizing.number("hash_mem_multiplier"))) / 2;
}

double backends(const Sizing& sizing) { return sizing.number("max_connections"); }
double processes(const Sizing& sizing) { return backends(sizing) + sizing.number("max_parallel_workers"); }

double work_units(const Sizing& sizing) {
  return processes(sizing) * nodes_of(sizing.facts.workload.value) * multiplier(sizing);
}

/// -1 stands for maintenance_work_mem.
double of_a_vacuum(const Sizing& sizing) {
  return sizing.bytes(sizing.number("autovacuum_work_mem") < 0 ? "maintenance_work_mem"
                                                               : "autovacuum_work_mem");
}

/// All but the sorts and hashes.
std::vector<BudgetItem> fixed_part(const Sizing& sizing) {
  const double vacuums = sizing.number("autovacuum_max_workers");
  return {{"shared_buffers", "", sizing.bytes("shared_buffers")},
          {"autovacuum", fmt::format("{} workers x {}", vacuums, people(of_a_vacuum(sizing))),
           vacuums * of_a_vacuum(sizing)},
          {"maintenance_work_mem", "one index build", sizing.bytes("maintenance_work_mem")},
          {"connections", fmt::format("{} x {}", backends(sizing), people(of_a_backend)),
           backends(sizing) * of_a_backend}};
}

}  // namespace

int nodes_of(Workload workload) {
  switch (workload) {
    case Workload::oltp:
    case Workload::web:
      return 1;
    case Workload::mixed:
    case Workload::timeseries:
      return 2;
    case Workload::olap:
      return 3;
  }
  return 2;
}

std::vector<BudgetItem> memory_budget(const Sizing& sizing) {
  std::vector<BudgetItem> items = fixed_part(sizing);
  items.push_back({"work_mem",
                   fmt::format("({} connections + {} parallel workers) x {} sorts or hashes x {} x {:.3g}",
                               backends(sizing), sizing.number("max_parallel_workers"),
                               nodes_of(sizing.facts.workload.value), people(sizing.bytes("work_mem")),
                               multiplier(sizing)),
                   work_units(sizing) * sizing.bytes("work_mem")});
  return items;
}

double total(const std::vector<BudgetItem>& budget) {
  double bytes = 0;
  for (const BudgetItem& item : budget) bytes += item.bytes;
  return bytes;
}

double affordable_work_mem(const Sizing& sizing) {
  const double left = sizing.memory() * (1 - for_the_system) - total(fixed_part(sizing));
  return left / std::max(1.0, work_units(sizing));
}

double affordable_connections(const Sizing& sizing) {
  const double of_sorts =
      nodes_of(sizing.facts.workload.value) * multiplier(sizing) * sizing.bytes("work_mem");
  const double of_all = total(fixed_part(sizing)) - backends(sizing) * of_a_backend;
  const double of_workers = sizing.number("max_parallel_workers") * of_sorts;
  return (sizing.memory() * (1 - for_the_system) - of_all - of_workers) / (of_a_backend + of_sorts);
}

}  // namespace kdb
