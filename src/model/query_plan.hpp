#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <set>
#include <string>
#include <vector>

#include "model/facts.hpp"
#include "model/object.hpp"

namespace kdb {

/// Pages that a node and all below it looked at (PG docs, EXPLAIN, BUFFERS): of shared buffers, of temporary
/// tables, and of temporary files.
struct PlanBuffers {
  std::int64_t hit = 0;
  std::int64_t read = 0;
  std::int64_t dirtied = 0;
  std::int64_t written = 0;
  std::int64_t local = 0;  // hit and read
  std::int64_t temp_read = 0;
  std::int64_t temp_written = 0;

  bool operator==(const PlanBuffers&) const = default;
};

/// A node of a plan as EXPLAIN (FORMAT JSON, VERBOSE) has it. Rows and times of a run are the mean of the
/// node's loops, parallel workers' among them.
struct PlanNode {
  std::string type;          // "Seq Scan"; unknown ones too
  std::string provider;      // of a custom scan: "ColumnarScan"
  std::string relationship;  // to the node above: "Outer", "InitPlan", "SubPlan", "Member"
  std::string subplan;       // "CTE opened"
  std::string join_type;
  std::string strategy;  // of an aggregate: "Hashed"
  std::string partial;   // "Partial", "Finalize"
  ObjectName relation;   // that it scans; empty where it scans none
  std::string alias;
  ObjectName index;       // its schema that of the relation, or of the bitmap heap scan above
  std::string condition;  // of the index, the hash, the merge
  std::string filter;     // of rows, and of a join
  bool parallel_aware = false;

  double cost = 0;
  double estimated_rows = 0;
  std::optional<double> rows;
  double loops = 0;  // 0: it was never executed, or nothing was
  double milliseconds = 0;
  double removed_by_filter = 0;  // rows, of each loop
  double removed_by_join = 0;
  double removed_by_recheck = 0;
  std::int64_t heap_fetches = 0;
  PlanBuffers buffers;
  std::string sort_method;   // "quicksort", "external merge"
  std::int64_t sort_kb = 0;  // of the space that it took
  bool sort_on_disk = false;
  std::int64_t hash_batches = 0;  // more than 1: files were written
  std::int64_t disk_kb = 0;       // of an aggregate's files
  int workers_planned = 0;
  int workers_launched = 0;
  int subplans_removed = 0;                   // parts that the run began by leaving out
  std::map<std::string, std::string> others;  // keys that kdb does not read, as JSON
  std::vector<PlanNode> children;
};

struct QueryPlan {
  PlanNode root;
  bool executed = false;
  std::optional<double> planning_ms;
  std::optional<double> execution_ms;
  PlanBuffers planning_buffers;
  int jit_functions = 0;
  double jit_ms = 0;
  std::map<std::string, std::string> settings;  // that plan otherwise than by default
};

/// What the catalog says of the relations of plans.
struct PlanFacts {
  struct Relation {
    ObjectName root;           // itself, or the table that it is a chunk or partition of
    ObjectName part;           // itself, or the chunk whose columnstore it is
    bool columnstore = false;  // TimescaleDB's own table for what is compressed
  };
  struct Root {
    std::int64_t parts = 0;  // chunks or partitions that hold rows; 0 of a plain table
    double rows = -1;        // by the last ANALYZE; less than 0: never
    std::optional<ColumnstoreFacts> columnstore = {};  // of a hypertable that has compressed chunks
  };

  std::map<ObjectName, Relation> relations;
  std::map<ObjectName, Root> roots;
  std::map<ObjectName, ObjectName> indexes;  // of parts, to the index of the root that they belong to
  std::set<ObjectName> going;           // of indexes, by the names of plans: what is planned takes them away
  std::map<ObjectName, bool> declared;  // of the indexes that were asked for: valid, or not; else missing

  /// The table of a relation: of one that is not known, itself.
  Relation of(const ObjectName& relation) const {
    const auto found = relations.find(relation);
    return found == relations.end() ? Relation{relation, relation, false} : found->second;
  }
};

}  // namespace kdb
