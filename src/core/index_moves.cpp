#include "core/index_moves.hpp"

#include <algorithm>
#include <set>

namespace kdb {

namespace {

class Heirs {
 public:
  Heirs(const std::vector<Declared<Index>>& desired, const Surroundings& around) {
    for (const Declared<Index>& one : desired)
      if (!one.absent && !one.undecided && around.index(one.value.name) == nullptr) missing_.push_back(&one);
  }

  const Declared<Index>* take(const Live<Index>& live) {
    if (!live.facts.whole() || live.facts.building > 0 || is_leftover(live.value)) return nullptr;
    const auto heir = std::find_if(missing_.begin(), missing_.end(), [&](const Declared<Index>* one) {
      return one->value.name.schema == live.value.name.schema && same_but_name(live.value, one->value);
    });
    if (heir == missing_.end()) return nullptr;
    const Declared<Index>* found = *heir;
    missing_.erase(heir);
    return found;
  }

 private:
  std::vector<const Declared<Index>*> missing_;
};

}  // namespace

std::vector<IndexMove> index_moves(const std::vector<Declared<Index>>& desired, const Surroundings& around) {
  std::vector<IndexMove> moves;
  for (const Declared<Index>& one : desired) {
    if (one.absent || one.undecided) continue;
    const Live<Index>* live = around.index(one.value.name);
    if (live != nullptr && live->value.table != one.value.table && around.has_table(one.value.table))
      moves.push_back({.claimant = &one, .live = live, .heir = nullptr});
  }
  if (moves.empty()) return moves;
  Heirs heirs(desired, around);
  for (IndexMove& move : moves) move.heir = heirs.take(*move.live);
  return moves;
}

IndexOrder::IndexOrder(const LiveSchema& live) {
  std::vector<const Live<TableProperties>*> partitioned;
  for (const auto& table : live.of<TableProperties>())
    if (table.facts.kind == 'p') partitioned.push_back(&table);
  // Whatever is above has all that is below.
  std::stable_sort(partitioned.begin(), partitioned.end(), [](const auto* a, const auto* b) {
    return a->facts.parts.size() > b->facts.parts.size();
  });
  for (const Live<TableProperties>* table : partitioned)
    for (const Part& part : table->facts.parts) above_[part.name].push_back(&table->value.name);
}

std::vector<ObjectName> IndexOrder::path_to(const ObjectName& table) const {
  std::vector<ObjectName> path;
  if (const auto found = above_.find(table); found != above_.end())
    for (const ObjectName* one : found->second) path.push_back(*one);
  path.push_back(table);
  return path;
}

bool IndexOrder::operator()(const Index& a, const Index& b) const {
  if (above_.empty() || a.table == b.table) return a < b;
  return path_to(a.table) < path_to(b.table);
}

}  // namespace kdb
