#pragma once

#include <set>

#include "kinds/relation_names.hpp"
#include "pg/connection.hpp"

namespace kdb::pg {

/// Those of `names` that a relation has, and what it is: `a view`, `constraint t_key of table t`.
NameHolders read_name_holders(Connection& connection, const std::set<ObjectName>& names,
                              std::string_view default_schema);

}  // namespace kdb::pg
