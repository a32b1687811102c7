#pragma once

#include <cstdint>
#include <optional>
#include <string>

#include "pg/connection.hpp"

namespace kdb::pg {

/// What a server says of itself that settings are chosen by. What its role may not see is not there.
struct ServerTuning {
  bool timescaledb = false;  // in this database
  std::optional<std::int64_t> chunks;
  std::optional<std::int64_t> jobs;
  std::optional<std::uint64_t> database_bytes;  // of all databases
  std::optional<double> wal_rate;  // bytes per second, since its statistics began; none below an hour of them
  std::string data_directory;      // empty where the role may not know
  std::int64_t started = 0;        // seconds since the epoch, as postmaster.pid has it
  std::int64_t started_us = 0;     // microseconds: a restart may be over within a second
};

ServerTuning read_tuning(Connection& connection);

/// Whether the role may read files of the server's machine.
bool may_read_files(Connection& connection);
/// One of them as the session's backend sees it: `/proc/self` is that process. Nothing where it is not there
/// or the server may not read it.
std::optional<std::string> read_server_file(Connection& connection, const std::string& path);

/// Whether the session goes over a unix socket or this machine's own network: the server may be on it.
bool may_be_local(Connection& connection);

}  // namespace kdb::pg
