#pragma once

#include <set>
#include <vector>

#include "kinds/difference.hpp"

namespace kdb {

/// A live index whose name a profile wants for an index of another table.
struct IndexMove {
  const Declared<Index>* claimant = nullptr;
  const Live<Index>* live = nullptr;
  /// The same under another name, that is not there yet; null: the live one is dropped.
  const Declared<Index>* heir = nullptr;
};

/// In an order in which each finds the name free that it is to have. Of tables that are not there those count
/// that are in `coming_tables`.
std::vector<IndexMove> index_moves(const std::vector<Declared<Index>>& desired, const Surroundings& around,
                                   const std::set<ObjectName>& coming_tables);

/// By table and name; an index of a partition after those of the tables above it, of which the server may
/// make it a part.
class IndexOrder {
 public:
  explicit IndexOrder(const LiveSchema& live);
  bool operator()(const Index& a, const Index& b) const;

 private:
  ByName<std::vector<const ObjectName*>> above_;  // the tables above a partition, the topmost first
};

}  // namespace kdb
