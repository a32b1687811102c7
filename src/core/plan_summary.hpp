#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <set>
#include <string>
#include <vector>

#include "model/query_plan.hpp"

namespace kdb {

/// How a plan reads one table, its chunks or partitions taken together.
struct TableUse {
  ObjectName table;
  std::set<ObjectName> planned;      // its parts in the plan; empty of a plain table
  std::set<ObjectName> touched;      // those that were read: without a run, all in the plan
  std::map<std::string, int> scans;  // how often it is read how: "seq", "index", "index only", "bitmap"
  std::set<ObjectName> read_whole;   // the table or the parts that are read from one end to the other
  std::int64_t parts = 0;            // that it has
  bool chunks = false;               // they are TimescaleDB's
  double rows = 0;                   // that the scans return, of a run or estimated
  double table_rows = -1;            // by the last ANALYZE; less than 0: never
};

/// An index that a plan uses: of its table, whatever part of it the scan is of.
struct IndexUse {
  ObjectName index;
  ObjectName table;
  std::set<ObjectName> parts;  // on which; empty on a plain table
  bool columnstore = false;    // TimescaleDB made it for what is compressed
  bool going = false;          // what is planned takes it away: another may be there by its name
};

/// Where the planner was furthest from what came.
struct EstimateError {
  std::string node;  // "Index Scan on klaviyo_events"
  double estimated = 0;
  double actual = 0;
  double factor = 1;  // how many times one is the other; rows below one count as one
};

/// What matters of a plan.
struct PlanSummary {
  std::vector<TableUse> tables;   // by name
  std::vector<IndexUse> indexes;  // by name
  std::int64_t planned_parts = 0;
  std::int64_t touched_parts = 0;
  int sorts = 0;
  int sorts_on_disk = 0;
  bool executed = false;
  double rows = 0;                // that came, or were estimated
  double removed_by_filter = 0;   // rows, of all loops; not the batches of a columnstore
  double removed_by_recheck = 0;  // of index and bitmap scans
  std::int64_t buffers = 0;       // pages of shared buffers: hit and read
  std::int64_t temp_blocks = 0;   // read and written
  std::int64_t heap_fetches = 0;  // of index only scans
  int workers = 0;                // that the plan asks for
  bool jit = false;               // expressions are compiled
  std::optional<EstimateError> worst_estimate;
  std::string shape;  // equal for plans that differ in costs, rows, workers, and how many parts are alike
};

PlanSummary summarize(const QueryPlan& plan, const PlanFacts& facts);

/// The name as a node has it: "Custom Scan (ColumnarScan)".
std::string node_name(const PlanNode& node);

}  // namespace kdb
