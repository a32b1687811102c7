#pragma once

#include <map>
#include <set>
#include <string>
#include <string_view>

#include "model/object.hpp"
#include "pg/connection.hpp"

namespace kdb::pg {

/// Those of the indexes that foreign keys depend on, and which: `orders_fk of table orders`. The server drops
/// none of them.
std::map<ObjectName, std::string> read_foreign_keys(Connection& connection,
                                                    const std::set<ObjectName>& indexes,
                                                    std::string_view default_schema);

}  // namespace kdb::pg
