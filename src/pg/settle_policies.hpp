#pragma once

#include <cstdint>
#include <string>

#include "pg/connection.hpp"

namespace kdb::pg {

/// What became of the chunks that were closed.
struct SettledPolicies {
  std::int64_t chunks = 0;  // compressed
  std::int64_t before = 0;  // bytes of these chunks, with their indexes
  std::int64_t after = 0;
};

/// Does what TimescaleDB's policies would have done until `anchor` (a timestamptz): compresses the chunks
/// that are old enough by then, and refreshes continuous aggregates. Retention is left out, for whoever
/// compares designs wants the same rows in each. Does nothing without TimescaleDB.
SettledPolicies settle_policies(Connection& connection, const std::string& anchor);

}  // namespace kdb::pg
