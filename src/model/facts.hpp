#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <string>

namespace kdb {

/// The TimescaleDB that a database has, or will have when its extension is made.
struct TimescaleFacts {
  std::string schema;      // of the extension's functions
  std::string version;     // "2.28.3"
  int number = 0;          // 22803, for comparisons
  bool community = false;  // licence timescale: compression, policies, continuous aggregates
  bool assumed = false;    // nobody can tell its edition before it is there
};

/// What a kind must know of a server to read its catalog and to write statements for it.
struct ServerFacts {
  int version = 0;                     // server_version_num: 150020
  std::string database;                // that the session is in
  std::string schema = "public";       // where unqualified names of the profile live
  std::string history_schema = "kdb";  // never inspected
  std::string role;                    // the one that statements will run as; empty: the session's
  std::optional<TimescaleFacts> timescale;
  bool with_roles = false;      // roles are to be read too: the server's, and not only this database's
  bool with_databases = false;  // the same of databases
  std::int64_t lock_slots = 0;  // how many locks of relations fit into the server's table of them; 0: unknown
};

/// What is known of the values of a column.
struct ColumnStatistics {
  std::string type;      // "jsonb"
  bool bounded = false;  // no value can be longer than the type says
  std::optional<int> average_width;
  std::optional<double> correlation;  // of its order with that of the rows, from -1 to 1
  std::optional<double> distinct;     // how many there are; less than 0: that share of the rows
  std::optional<double> days;         // from the least to the greatest, of a time
};

struct TableStatistics {
  bool large = false;  // enough rows for it to matter how they are found
  double rows = -1;    // of the table without its parts; less than 0: nobody counted
  std::map<std::string, ColumnStatistics> columns;
};

/// What is in the columnstore of a hypertable, as TimescaleDB noted when it compressed each chunk.
struct ColumnstoreFacts {
  std::int64_t rows = 0;
  std::int64_t batches = 0;       // each of up to 1,000 rows
  std::int64_t bytes_before = 0;  // of the chunks as they were, indexes included
  std::int64_t bytes_after = 0;
  std::int64_t uncounted = 0;  // of the rows: those that pg_class no longer counts
};

}  // namespace kdb
