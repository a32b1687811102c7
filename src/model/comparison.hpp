#pragma once

#include <chrono>
#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "base/error.hpp"

namespace kdb {

/// What was measured of one query on one design. What is counted comes from one run on a warm cache and is
/// the same on every machine; times are the median of each block.
struct QueryMeasures {
  std::string error;                        // why it did not run, once at least; all else is empty then
  bool reworded = false;                    // the design's profile has its own words for it
  std::optional<std::int64_t> buffers;      // pages of shared buffers, hit and read
  std::optional<std::int64_t> temp_blocks;  // read and written
  std::string shape;                        // of the plan: see PlanSummary
  int workers = 0;                          // that the plan asks for
  bool jit = false;                         // expressions are compiled
  std::vector<std::string> indexes;         // that the plan uses
  std::int64_t rows = 0;                    // that came
  std::string digest;                       // of these, in any order: equal where the answer is
  std::vector<double> block_ms;             // of each block
};

/// What writing costs, with what GIN indexes put off until later. One entry a block.
struct WriteMeasures {
  std::string error;                            // why rows could not be written; all else is empty then
  std::vector<double> copy_us;                  // microseconds for each row of a COPY
  std::vector<double> insert_us;                // the same of INSERTs of many rows each
  std::int64_t wal_bytes = 0;                   // that all blocks wrote
  std::int64_t wal_rows = 0;                    // for so many rows
  std::optional<std::int64_t> full_page_bytes;  // of these, pages that were whole: the first change of each
                                                // after a checkpoint; nothing where the server cannot tell
};

/// Bytes on disk.
struct SizeMeasures {
  std::int64_t database = 0;
  std::int64_t tables = 0;  // with what is stored beside them, and continuous aggregates
  std::int64_t indexes = 0;
  std::int64_t closed_before = 0;  // of chunks before they were compressed
  std::int64_t closed_after = 0;   // and after
};

/// What a design is without one of its parts, all else being there.
struct PartMeasures {
  std::string kind;                    // "index", "setting", "statistics"
  std::string name;                    // as the profile has it; of a setting with its value
  std::string skipped;                 // why it was not left out; all else is empty then
  bool standard = false;               // the server has it so anyway: it need not be left out
  std::int64_t bytes = 0;              // on disk that are its own
  std::vector<QueryMeasures> queries;  // as ComparisonMeasures has them; times of those alone that move
  WriteMeasures writes;                // of rows that were taken back; of indexes alone
};

/// What leaving out each part does, by the design as it is: counted and timed in the same way, in turn with
/// them.
struct AttributionMeasures {
  std::vector<QueryMeasures> whole;
  WriteMeasures writes;
  std::vector<PartMeasures> parts;
};

/// A design: what a profile makes of the same tables and the same rows.
struct DesignMeasures {
  std::string name;                    // as it was asked for: "none", "profiles/recommended.toml"
  std::string server;                  // "PostgreSQL 15.20, TimescaleDB 2.28.3"
  std::chrono::milliseconds load{0};   // to copy the rows
  std::chrono::milliseconds build{0};  // to bring the database to what is declared, then
  SizeMeasures sizes;
  WriteMeasures writes;
  std::vector<QueryMeasures> queries;  // as ComparisonMeasures has them
  std::optional<AttributionMeasures> attribution;
};

/// What is compared: the same queries on several designs. The first one is what the others are held against.
struct ComparisonMeasures {
  struct Query {
    std::string name;
    double weight = 1;
    std::optional<std::chrono::milliseconds> max_latency;
    Source where;
  };
  std::vector<Query> queries;
  std::vector<DesignMeasures> designs;
  std::vector<std::vector<double>> again_ms;  // of each query: the first design's blocks, measured once more
  std::int64_t events = 0;
  std::uint64_t seed = 0;
  int blocks = 0;
  std::int64_t cpus = 0;  // that the processes may use
};

}  // namespace kdb
