#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "model/object.hpp"

namespace kdb {

/// How often an index was used, with those of its table's parts that belong to it.
struct IndexScans {
  std::int64_t scans = 0;
  std::string last;  // when, as the server writes it: from PostgreSQL 16 on
};

/// A statement as pg_stat_statements has it, for all who ran it in this database.
struct CountedStatement {
  std::string id;    // its queryid
  std::string text;  // foreign, with `$1` for its constants
  double calls = 0;
  double total_ms = 0;  // of execution
  bool cut = false;     // the text is only its beginning: all of it is too long to be compared
  double mean_ms() const { return calls > 0 ? total_ms / calls : 0; }
};

/// What a server has counted while it was used.
struct QueryStatistics {
  std::string indexes_since;          // when the scans of indexes were last reset; empty: never
  std::string server_start;           // scans are counted from then on, or from before
  std::optional<double> indexes_age;  // seconds since the reset, or without one since the start
  std::optional<std::map<ObjectName, IndexScans>>
      indexes;  // of those asked for that are there; nothing: see why
  std::string why_no_indexes;
  std::int64_t replicas = 0;               // that count for themselves
  std::vector<std::string> replica_names;  // as far as this role may see them
  bool standby = false;                    // this one is one

  std::optional<std::vector<CountedStatement>> statements;  // by total time, the longest first
  std::string why_no_statements;
  std::string statements_hint;
  std::string statements_since;
  std::int64_t hidden = 0;     // statements of others, whose texts this role may not see
  std::int64_t textless = 0;   // whose texts the server has lost
  std::int64_t forgotten = 0;  // times that the server threw out the least used ones for want of room
};

}  // namespace kdb
