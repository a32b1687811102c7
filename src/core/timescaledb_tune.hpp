#pragma once

#include <string>
#include <vector>

#include "core/formula_input.hpp"

namespace kdb {

/// What timescaledb-tune 0.19.0 recommends without a profile, in the order and the text that it prints: sizes
/// in the largest unit, or the next one below where more than a thousandth would be lost, cut off there.
/// Reads memory, cpus, connections and wal_disk; disks are SSDs to it, and there is one kind of workload. No
/// parallelism for one CPU. Two lines of its output are not of a formula, and not here: its library among
/// shared_preload_libraries, and when it last ran. -- github.com/timescale/timescaledb-tune, pkg/pgtune
std::vector<FormulaValue> timescaledb_tune(const FormulaInput& input);

/// Why the tool would refuse this input, said behind its name; empty where it would not. The formula has
/// values all the same.
std::string timescaledb_tune_problem(const FormulaInput& input);

}  // namespace kdb
