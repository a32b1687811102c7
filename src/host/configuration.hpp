#pragma once

#include <string>
#include <utility>
#include <vector>

namespace kdb::host {

/// Names and raw values, as they would stand in postgresql.conf if they needed no quotes there.
using Settings = std::vector<std::pair<std::string, std::string>>;

/// The lines of a postgresql.conf; of a name that comes twice the last one holds.
std::string configuration_text(const Settings& settings);

/// What a throwaway server has before what is asked for.
Settings throwaway_settings(bool with_timescaledb);

}  // namespace kdb::host
