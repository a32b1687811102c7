#pragma once

#include <string>
#include <vector>

#include "base/error.hpp"
#include "kinds/declared.hpp"
#include "pg/connection.hpp"

namespace kdb::pg {

/// Adds to the live tables how each column that a profile names is stored, where the catalog's row leaves it
/// out because it is so by default. Returns a problem for every column that is not there.
std::vector<Problem> complete_columns(Connection& connection, const DesiredSchema& desired, LiveSchema& live,
                                      std::string_view default_schema);

}  // namespace kdb::pg
