#include "kinds/aggregate_indexes.hpp"

#include <map>
#include <set>
#include <utility>

namespace kdb {

namespace {

std::set<ObjectName> aggregates_of(const LiveSchema& live, const DesiredSchema& desired) {
  std::set<ObjectName> aggregates;
  for (const auto& one : live.of<ContinuousAggregate>()) aggregates.insert(one.value.name);
  for (const auto& one : desired.of<ContinuousAggregate>()) aggregates.insert(one.value.name);
  return aggregates;
}

}  // namespace

void tell_apart(LiveSchema& live, DesiredSchema& desired) {
  const std::set<ObjectName> aggregates = aggregates_of(live, desired);
  if (aggregates.empty()) return;
  std::set<ObjectName> others;
  const auto note = [&](const auto& list) {
    for (const auto& one : list)
      if (aggregates.count(one.value.table) == 0) others.insert(one.value.name);
  };
  note(live.of<Index>());
  note(desired.of<Index>());
  std::map<std::pair<ObjectName, std::string>, ObjectName> called;  // by table, and the name without a schema
  for (auto& index : live.of<Index>()) {
    if (aggregates.count(index.value.table) == 0) continue;
    ObjectName& name = index.value.name;
    if (others.count(name) > 0) name.schema = index.facts.schema;
    called[{index.value.table, name.name}] = name;
  }
  for (auto& index : desired.of<Index>())
    if (const auto found = called.find({index.value.table, index.value.name.name}); found != called.end())
      index.value.name = found->second;
}

}  // namespace kdb
