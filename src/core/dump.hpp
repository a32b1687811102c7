#pragma once

#include <string>
#include <string_view>
#include <vector>

namespace kdb {

/// A dimension of a hypertable, as timescaledb_information.dimensions has it; "" for what does not apply.
struct DumpedDimension {
  std::string column;
  std::string interval;          // "7 days"
  std::string integer_interval;  // of integer time
  std::string partitions;        // of a space dimension
  std::string now_function;      // of integer time

  bool operator==(const DumpedDimension&) const = default;
};

struct DumpedHypertable {
  std::string name;  // quoted and qualified
  std::vector<DumpedDimension> dimensions;

  bool operator==(const DumpedHypertable&) const = default;
};

/// pg_dump's text without what changes from run to run or from client to client (the random key of \restrict,
/// version comments), and with the calls that make hypertables of its plain tables instead of TimescaleDB's
/// inner triggers.
std::string stable_dump(std::string_view text, const std::vector<DumpedHypertable>& hypertables);

}  // namespace kdb
