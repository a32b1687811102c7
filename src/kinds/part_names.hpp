#pragma once

#include <map>
#include <string>
#include <vector>

#include "kinds/index_part_steps.hpp"

namespace kdb {

/// What the indexes of partitions are called, by the oid of the partition.
using PartNames = std::map<std::string, ObjectName>;

/// As the server goes through partitions when it makes an index of all of them: from the top down, by their
/// bounds, the default ones last. Of names that are cut and are the same then, the first part's gets no
/// number.
std::vector<const Part*> in_server_order(const TableFacts& table);

/// A free name that the server might choose for the part of an index, and that no declared index needs; of a
/// chunk the one that TimescaleDB might, where the index is called `index`.
ObjectName choose_part_name(IndexPartSteps& steps, const Part& part);
ObjectName choose_chunk_name(IndexPartSteps& steps, const Part& chunk, const std::string& index);

/// What the parts will be called where the server makes an index as a whole. It makes those of its parts that
/// are there and fit; broken ones would make it broken, and are dropped before.
PartNames names_by_server(IndexPartSteps& steps);
/// Other names for those of `names` that the server takes from indexes that are declared.
std::vector<ChangeStep> spare_declared_names(PartNames& names, const Index& index,
                                             const Surroundings& around);

/// Gives the partitions' indexes the names that they would have had without those of `old` beside them, which
/// is gone by then, and what the partitions have set about those.
std::vector<ChangeStep> rename_on_parts(const PartNames& built, const Index& index, const Live<Index>& old,
                                        const Surroundings& around);

/// Another name for the part of an index that has the name of `index`; nothing where none has.
std::vector<ChangeStep> take_name_from_part(const Index& index, const Surroundings& around);

}  // namespace kdb
