#pragma once

#include <string>
#include <string_view>
#include <vector>

namespace kdb {

/// A dimension of a hypertable, as timescaledb_information.dimensions has it; "" for what does not apply.
struct Dimension {
  std::string column;
  std::string interval;          // "7 days"
  std::string integer_interval;  // of integer time
  std::string partitions;        // of a space dimension
  std::string now_function;      // of integer time

  bool operator==(const Dimension&) const = default;
};

struct Hypertable {
  std::string name;  // quoted and qualified
  std::vector<Dimension> dimensions;

  bool operator==(const Hypertable&) const = default;
};

/// pg_dump's text without what changes from run to run or from client to client (the random key of \restrict,
/// version comments), and with the calls that make hypertables of its plain tables instead of TimescaleDB's
/// inner triggers.
std::string stable_dump(std::string_view text, const std::vector<Hypertable>& hypertables);

}  // namespace kdb
