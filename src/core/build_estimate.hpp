#pragma once

#include <map>
#include <vector>

#include "kinds/declared.hpp"
#include "model/change.hpp"
#include "model/facts.hpp"

namespace kdb {

/// Fills in how large each index that is to be made will be, and roughly how long that takes: from the rows
/// and bytes of the table, which `change.estimate` has, and the widths that ANALYZE found in its columns.
/// Nothing where those are not known, or the access method says nothing of its size: GIN, GiST, SP-GiST and
/// what extensions bring. Pages are counted as PG docs 73.6 lays them out.
void estimate_builds(std::vector<Change>& changes, const std::vector<Declared<Index>>& indexes,
                     const std::map<ObjectName, TableStatistics>& statistics,
                     std::string_view default_schema);

}  // namespace kdb
