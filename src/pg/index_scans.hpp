#pragma once

#include <vector>

#include "model/facts.hpp"
#include "model/query_statistics.hpp"
#include "pg/connection.hpp"

namespace kdb::pg {

/// Fills in what is about indexes. Throws ServerError.
void read_index_scans(Connection& connection, const ServerFacts& facts,
                      const std::vector<ObjectName>& indexes, QueryStatistics& statistics);

}  // namespace kdb::pg
