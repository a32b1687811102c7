#pragma once

#include <chrono>
#include <set>
#include <string>
#include <string_view>
#include <vector>

#include "base/event.hpp"
#include "model/change.hpp"
#include "model/object.hpp"
#include "pg/connection.hpp"

namespace kdb::pg {

/// A lock that a change will wait for: whoever holds one that conflicts is in the way.
struct Intent {
  ObjectName table;
  LockMode mode = LockMode::none;

  auto operator<=>(const Intent&) const = default;
};

/// What the changes would have to wait for, one warning each: transactions that have been open for longer
/// than `patience` and hold a lock that conflicts, on one of the tables or on a partition or chunk of it;
/// where `builds`, also those that hold a snapshot, whatever they read, for which CREATE INDEX CONCURRENTLY
/// waits; prepared transactions; and an autovacuum against wraparound, which does not give way. Of other
/// roles' sessions the server tells only the locks (pg_read_all_stats).
std::vector<Event> read_obstacles(Connection& connection, const std::set<Intent>& intents, bool builds,
                                  std::chrono::milliseconds patience, std::string_view default_schema);

}  // namespace kdb::pg
