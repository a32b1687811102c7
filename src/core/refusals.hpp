#pragma once

#include <optional>
#include <string>
#include <vector>

#include "core/diff.hpp"
#include "kinds/difference.hpp"

namespace kdb {

// Why a declared object is not to be had, said behind its title (`index events_by_day`).

/// Its table is not there.
Problem no_table(const std::string& title, const std::string& table, const Source& where);

/// Its properties name indexes that it has not, or that are none for it.
std::vector<Problem> index_problems(const std::string& title, const Declared<TableProperties>& table,
                                    const Surroundings& around);

/// Continuous aggregates read it; `done`: what cannot be.
Problem has_readers(const std::string& title, const std::vector<std::string>& readers, std::string_view done,
                    const Source& where);

/// Why a partitioned table cannot have such a unique index (PG docs, CREATE TABLE). Without title and place.
std::optional<Problem> partition_problem(const Index& index, const Surroundings& around);

/// A statistics target of an index's column that is no expression (PG docs, ALTER INDEX). Without title and
/// place.
std::optional<Problem> statistics_problem(const Index& index);

/// An index whose key names another schema than its table is in. Without title and place.
std::optional<Problem> schema_problem(const Index& index, const Surroundings& around);

/// What is wrong with the name of an index that is to be made: something has it that the plan does not take
/// it from, and no pending migration may. Without title and place.
std::optional<Problem> name_problem(const Index& index, const Surroundings& around,
                                    const DiffOptions& options);

}  // namespace kdb
