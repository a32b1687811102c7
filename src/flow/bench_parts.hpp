#pragma once

#include <string>
#include <vector>

#include "flow/bench_cluster.hpp"
#include "model/comparison.hpp"
#include "pg/connection.hpp"

namespace kdb::flow {

/// A part of a design, and how a transaction is without it.
struct DesignPart {
  PartMeasures measures;    // its name, and why it cannot be left out
  std::string leave_out;    // statements; empty where it is not left out
  bool is_written = false;  // rows that are written come into it: they are all of one table
};

/// All that a profile declares for its database and its server, in the order of the kinds, and within these
/// of the files: an index, a setting, each for itself. What it only leaves out or takes away is no part.
std::vector<DesignPart> parts_of(const Design& design, pg::Connection& connection);

/// A transaction without a part, rolled back at the end of this object's life. Throws ServerError.
class LeftOut {
 public:
  LeftOut(pg::Connection& connection, const std::string& statements);
  ~LeftOut();
  LeftOut(const LeftOut&) = delete;
  LeftOut& operator=(const LeftOut&) = delete;

 private:
  pg::Connection& connection_;
};

}  // namespace kdb::flow
