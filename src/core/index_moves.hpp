#pragma once

#include <vector>

#include "kinds/difference.hpp"

namespace kdb {

/// A live index whose name a profile wants for an index of another table.
struct IndexMove {
  const Declared<Index>* claimant = nullptr;
  const Live<Index>* live = nullptr;
  const Declared<Index>* heir =
      nullptr;  // is the same under another name, and not there; null: nobody wants it
};

/// In the order of `desired`.
std::vector<IndexMove> index_moves(const std::vector<Declared<Index>>& desired, const Surroundings& around);

/// By table and name; an index of a partition after those of the tables above it, of which the server may
/// make it a part.
class IndexOrder {
 public:
  explicit IndexOrder(const LiveSchema& live);
  bool operator()(const Index& a, const Index& b) const;

 private:
  std::vector<ObjectName> path_to(const ObjectName& table) const;

  ByName<std::vector<const ObjectName*>> above_;  // the tables above a partition, the topmost first
};

}  // namespace kdb
