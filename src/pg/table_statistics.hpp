#pragma once

#include <map>
#include <vector>

#include "model/facts.hpp"
#include "model/object.hpp"
#include "pg/connection.hpp"

namespace kdb::pg {

/// What ANALYZE found in the columns of these tables, in one query (PG docs, pg_stats). A table that is not
/// there is left out; of one that this role may not read, or that was never analysed, only the types are
/// known.
std::map<ObjectName, TableStatistics> read_table_statistics(Connection& connection,
                                                            const std::vector<ObjectName>& tables);

/// What TimescaleDB noted of each hypertable that has compressed chunks; empty without it.
std::map<ObjectName, ColumnstoreFacts> read_columnstores(Connection& connection);

}  // namespace kdb::pg
