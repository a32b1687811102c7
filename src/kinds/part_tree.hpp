#pragma once

#include <vector>

#include "kinds/declared.hpp"
#include "kinds/parts.hpp"

namespace kdb {

/// Whether it has partitioned tables or hypertables; only then is there more to read.
bool may_have_parts(const LiveSchema& live);

/// Gives every partitioned table its key.
void add_partition_keys(LiveSchema& live, const std::vector<PartitionKey>& keys);

/// Gives every table its parts, and every index those that belong to it. A partition's index does where it is
/// attached; a chunk's where its structure is that of the hypertable's, which is how TimescaleDB 2.22
/// decides, or its name is, and as much of the structure as is printed alike.
void add_parts(LiveSchema& live, std::vector<Part> parts, std::vector<PartIndex> indexes);

/// The index of a chunk, as its definition has it.
Index read_part_index(const PartIndex& index);

}  // namespace kdb
