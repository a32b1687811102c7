#pragma once

#include <string>

namespace kdb::host {

/// The folder with initdb and postgres: the given one, or from PATH, pg_config, Debian's versioned folders
/// (newest first). Absolute. Throws Error(usage) naming what was looked at.
std::string find_pg_bin(const std::string& given);

/// Whether the server in that folder can preload TimescaleDB.
bool offers_timescaledb(const std::string& pg_bin);

}  // namespace kdb::host
