#pragma once

#include <cstdint>
#include <map>
#include <string>
#include <string_view>

namespace kdb::host {

/// The settings of a standby's primary that its WAL told it of, by the settings' names; empty where
/// pg_controldata is not there or may not read the data directory.
std::map<std::string, std::int64_t> read_primary_settings(const std::string& pg_bin, const std::string& data);

/// The same in what that program prints.
std::map<std::string, std::int64_t> parse_primary_settings(std::string_view text);

}  // namespace kdb::host
