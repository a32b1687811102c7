#include "kinds/aggregate_indexes.hpp"

#include <map>
#include <set>
#include <utility>

namespace kdb {

namespace {

/// The schemas of their indexes.
std::map<ObjectName, std::string> aggregate_homes(const LiveSchema& live, const DesiredSchema& desired) {
  std::map<ObjectName, std::string> homes;
  for (const auto& one : desired.of<ContinuousAggregate>()) homes[one.value.name] = aggregate_index_schema;
  for (const auto& one : live.of<ContinuousAggregate>())
    homes[one.value.name] = one.facts.materialization.schema;
  return homes;
}

}  // namespace

void tell_apart(LiveSchema& live, DesiredSchema& desired) {
  const std::map<ObjectName, std::string> homes = aggregate_homes(live, desired);
  if (homes.empty()) return;
  std::set<ObjectName> others;
  for (const auto& one : live.of<Index>())
    if (homes.count(one.value.table) == 0) others.insert(one.value.name);
  for (const auto& one : desired.of<Index>())
    if (!one.absent && homes.count(one.value.table) == 0) others.insert(one.value.name);
  std::map<std::pair<ObjectName, std::string>, ObjectName> called;  // by table, and the name without a schema
  for (auto& index : live.of<Index>()) {
    if (homes.count(index.value.table) == 0) continue;
    ObjectName& name = index.value.name;
    if (others.count(name) > 0) name.schema = index.facts.schema;
    called[{index.value.table, name.name}] = name;
  }
  for (auto& index : desired.of<Index>()) {
    const auto home = homes.find(index.value.table);
    if (home == homes.end()) continue;
    ObjectName& name = index.value.name;
    if (const auto found = called.find({index.value.table, name.name}); found != called.end())
      name = found->second;
    else if (others.count(name) > 0)
      name.schema = home->second;
  }
}

}  // namespace kdb
