#include "core/index_moves.hpp"

#include <algorithm>
#include <iterator>
#include <map>
#include <utility>

namespace kdb {

namespace {

class Moves {
 public:
  Moves(const std::vector<Declared<Index>>& desired, const Surroundings& around,
        const std::set<ObjectName>& coming_tables) {
    for (const Declared<Index>& one : desired) {
      if (one.absent || one.undecided) continue;
      const Live<Index>* live = around.index(one.value.name);
      const ObjectName& table = one.value.table;
      if (live == nullptr || around.is_retired(one.value.name)) {
        wanted_.push_back(&one);
      } else if (live->facts.building == 0 && live->value.table != table &&
                 around.home_of(live->value.table) == around.home_of(table) &&
                 (around.has_table(table) || coming_tables.count(table) > 0)) {
        wanted_.push_back(&one);
        moving_[one.value.name] = {.claimant = &one, .live = live, .heir = nullptr};
      }
    }
  }

  std::vector<IndexMove> take() {
    for (auto& [name, move] : moving_) move.heir = take_heir(*move.live);
    for (auto& [name, move] : moving_)
      if (move.heir == nullptr) done_.push_back(move);
    std::erase_if(moving_, [](const auto& one) { return one.second.heir == nullptr; });
    while (!moving_.empty())
      if (!take_free_ones()) drop_one();
    return std::move(done_);
  }

 private:
  const Declared<Index>* take_heir(const Live<Index>& live) {
    if (!live.facts.whole() || is_leftover(live.value)) return nullptr;
    const auto heir = std::find_if(wanted_.begin(), wanted_.end(), [&](const Declared<Index>* one) {
      return one->value.table == live.value.table && same_but_name(live.value, one->value);
    });
    if (heir == wanted_.end()) return nullptr;
    const Declared<Index>* found = *heir;
    wanted_.erase(heir);
    return found;
  }

  /// Those whose new name nothing has that moves itself.
  bool take_free_ones() {
    const size_t before = done_.size();
    for (auto move = moving_.begin(); move != moving_.end();) {
      const bool free = moving_.count(move->second.heir->value.name) == 0;
      if (free) done_.push_back(move->second);
      move = free ? moving_.erase(move) : std::next(move);
    }
    return done_.size() > before;
  }

  /// Of a circle, to have a beginning.
  void drop_one() {
    moving_.begin()->second.heir = nullptr;
    done_.push_back(moving_.begin()->second);
    moving_.erase(moving_.begin());
  }

  std::vector<const Declared<Index>*> wanted_;  // that are not there under their names
  std::map<ObjectName, IndexMove> moving_;      // by what they are called
  std::vector<IndexMove> done_;
};

}  // namespace

std::vector<IndexMove> index_moves(const std::vector<Declared<Index>>& desired, const Surroundings& around,
                                   const std::set<ObjectName>& coming_tables) {
  return Moves(desired, around, coming_tables).take();
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

bool IndexOrder::operator()(const Index& a, const Index& b) const {
  if (above_.empty() || a.table == b.table) return a < b;
  static const std::vector<const ObjectName*> none;
  const auto above = [&](const Index& index) -> const auto& {
    const auto found = above_.find(index.table);
    return found == above_.end() ? none : found->second;
  };
  const auto& above_a = above(a);
  const auto& above_b = above(b);
  for (size_t level = 0;; ++level) {
    const ObjectName& x = level < above_a.size() ? *above_a[level] : a.table;
    const ObjectName& y = level < above_b.size() ? *above_b[level] : b.table;
    if (x != y) return x < y;
    if (level >= above_a.size() || level >= above_b.size()) return above_a.size() < above_b.size();
  }
}

}  // namespace kdb
