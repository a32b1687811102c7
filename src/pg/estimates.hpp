#pragma once

#include <chrono>
#include <cstdint>
#include <map>
#include <string>
#include <vector>

#include "model/change.hpp"
#include "model/object.hpp"
#include "pg/connection.hpp"

namespace kdb::pg {

/// Rows (by the last VACUUM or ANALYZE) and bytes of tables, partitions and chunks included. What is not
/// there is not in the result; nothing is where one is locked for longer than `lock_timeout`, for the server
/// locks a table to tell its size.
std::map<ObjectName, Estimate> read_estimates(Connection& connection, const std::vector<ObjectName>& tables,
                                              std::chrono::milliseconds lock_timeout);

/// Standbys and other receivers of the server's WAL, those that copy it (pg_basebackup) left out.
std::int64_t count_replicas(Connection& connection);

}  // namespace kdb::pg
