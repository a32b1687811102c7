#pragma once

#include <string>
#include <vector>

#include "kinds/difference.hpp"

namespace kdb {

// Why a declared object is not to be had, said behind its title (`index events_by_day`).

/// Its table is not there.
Problem no_table(const std::string& title, const std::string& table, const Source& where);

/// Its properties name indexes that it has not.
std::vector<Problem> no_indexes(const std::string& title, const Declared<TableProperties>& table,
                                const Surroundings& around);

/// Continuous aggregates read it; `done`: what cannot be.
Problem has_readers(const std::string& title, const std::vector<std::string>& readers, std::string_view done,
                    const Source& where);

/// Something that no plan touches has its name.
Problem name_is_held(const std::string& title, const std::string& holder, const Source& where);

}  // namespace kdb
