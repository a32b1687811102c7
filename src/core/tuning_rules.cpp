#include "core/tuning_rules.hpp"

namespace kdb {

std::span<const TuningGroup> tuning_groups() {
  static const TuningGroup groups[] = {
      {"Memory and connections", memory_rules},
      {"WAL and checkpoints", wal_rules},
      {"Planner", planner_rules},
      {"Workers", worker_rules},
      {"Autovacuum", vacuum_rules},
      {"Logging", logging_rules},
      {"Safety", safety_rules},
  };
  return groups;
}

std::span<const std::span<const TuningRule>> tuning_order() {
  // Memory is for so many connections, workers and vacuums.
  static const std::span<const TuningRule> order[] = {
      memory_rules.first(1), worker_rules, vacuum_rules, memory_rules.subspan(1), wal_rules,
      planner_rules,         logging_rules};
  return order;
}

}  // namespace kdb
