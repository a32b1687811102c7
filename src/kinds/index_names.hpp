#pragma once

#include <functional>
#include <string>
#include <string_view>
#include <vector>

#include "kinds/index.hpp"

namespace kdb {

/// Whether a name is in use in the schema of the part.
using IsTaken = std::function<bool(const std::string& name)>;

/// What PostgreSQL calls the columns of an index, key and INCLUDE alike: those of the table, and for an
/// expression its function or `expr`.
std::vector<std::string> index_column_names(const Index& index);

/// What PostgreSQL calls an index of a partition of that name: `events_2026_day_kind_idx`. With a number
/// where that is taken, and never longer than a name may be.
std::string partition_index_name(std::string_view partition, const Index& index, const IsTaken& is_taken);

/// What stands for the columns of `index` in such a name.
std::string column_part(const Index& index);
/// Whether PostgreSQL may have given an index of the partition that name, `columns` being what stands for its
/// columns.
bool is_partition_index_name(std::string_view partition, std::string_view columns, std::string_view name);

/// What TimescaleDB calls an index of a chunk: `_hyper_1_2_chunk_events_by_day`.
std::string chunk_index_name(std::string_view chunk, std::string_view index, const IsTaken& is_taken);

/// Whether TimescaleDB may have made an index of that name for the chunk.
bool is_chunk_index_name(std::string_view chunk, std::string_view index, std::string_view name);

}  // namespace kdb
