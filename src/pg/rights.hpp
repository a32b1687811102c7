#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "base/error.hpp"
#include "model/object.hpp"
#include "pg/connection.hpp"

namespace kdb::pg {

/// A table that is to be changed, and whether something new comes beside it.
struct Use {
  ObjectName table;
  bool creates = false;  // an index, a statistics object
};

/// What the role may not do, one problem for each right that it lacks: to own the table, to create in its
/// schema (PG docs, CREATE INDEX). `role`: the one that statements run as; empty: the session's. Tables that
/// are not there are left out.
std::vector<Problem> missing_rights(Connection& connection, const std::vector<Use>& uses,
                                    const std::string& role, std::string_view default_schema);

}  // namespace kdb::pg
