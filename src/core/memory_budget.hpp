#pragma once

#include <string>
#include <vector>

#include "core/sizing.hpp"

namespace kdb {

/// What one part of a server takes of the memory at most, and how that is reckoned.
struct BudgetItem {
  std::string what;        // "work_mem"
  std::string arithmetic;  // "104 processes x 2 nodes x 9 MB x 1.5"
  double bytes = 0;
};

/// All that a busy server takes with the chosen settings. Sorts and hashes of every connection count, and of
/// every parallel worker.
std::vector<BudgetItem> memory_budget(const Sizing& sizing);
double total(const std::vector<BudgetItem>& budget);

/// The work_mem with which all of that fits into the memory, a tenth of which is the operating system's; in
/// bytes, and 0 or less where nothing is small enough.
double affordable_work_mem(const Sizing& sizing);
/// The same of max_connections, with the work_mem that is chosen.
double affordable_connections(const Sizing& sizing);

/// How many sorts and hashes a query of the workload runs at once; a judgement, until plans say it.
int nodes_of(Workload workload);

}  // namespace kdb
