#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "model/object.hpp"
#include "pg/connection.hpp"

namespace kdb::pg {

/// The names as a list of SQL's VALUES: `('public', 'a'), ('public', 'b')`; there has to be one.
std::string values_of(const std::vector<ObjectName>& names, std::string_view type = "text");

/// A query of those indexes that are there: `oid`, `schema` and `name` as they are given here, and the table,
/// `indrelid`. A profile declares those of a continuous aggregate in the schema of its view, and the server
/// has them where the hypertable below is.
std::string named_indexes_sql(const std::vector<ObjectName>& names, bool timescale);

/// Queries for WITH RECURSIVE, behind one named `w` with the `oid` of indexes. Their last, `whole`, has for
/// each `oid` as `top` the index of the whole table that this one of a part belongs to, or itself. It takes
/// time by the number of indexes.
extern const std::string_view whole_indexes_sql;

/// What asks about thousands of indexes: to compile it takes longer than to run it. One statement.
Result exec_without_jit(Connection& connection, std::string_view sql);

}  // namespace kdb::pg
