#pragma once

#include <cstdint>
#include <optional>
#include <string>

namespace kdb {

/// The TimescaleDB that a database has.
struct TimescaleFacts {
  std::string schema;      // of the extension's functions
  std::string version;     // "2.28.3"
  int number = 0;          // 22803, for comparisons
  bool community = false;  // licence timescale: compression, policies, continuous aggregates
};

/// What a kind must know of a server to read its catalog and to write statements for it.
struct ServerFacts {
  int version = 0;                     // server_version_num: 150020
  std::string schema = "public";       // where unqualified names of the profile live
  std::string history_schema = "kdb";  // never inspected
  std::optional<TimescaleFacts> timescale;
  std::int64_t lock_slots = 0;  // how many locks of relations fit into the server's table of them; 0: unknown
};

}  // namespace kdb
