#pragma once

#include <vector>

#include "model/facts.hpp"
#include "model/query_statistics.hpp"
#include "pg/connection.hpp"

namespace kdb::pg {

/// What the server has counted of these indexes (pg_stat_all_indexes, with those of all their table's parts)
/// and, where pg_stat_statements can be read, of the statements of this database. What is not to be had is
/// said in words. Only reads. Throws ServerError only where the session ends.
QueryStatistics read_query_statistics(Connection& connection, const ServerFacts& facts,
                                      const std::vector<ObjectName>& indexes);

}  // namespace kdb::pg
