#pragma once

#include <string_view>
#include <vector>

#include "model/setting.hpp"

namespace kdb {

/// The majors that the table knows.
inline constexpr int oldest_known_major = 14;
inline constexpr int newest_known_major = 18;

/// The settings that PostgreSQL has under a major, as its own pg_settings lists them, by name in lower case;
/// none of a major beyond those. What depends on how a server was built (`lz4` among the choices) is as a
/// build with everything has it, and what came with a minor release is there.
const std::vector<SettingFacts>& known_settings(int major);

/// One of them, or `timescaledb.max_background_workers`; the case of the name does not count. Null where that
/// major has none.
const SettingFacts* find_known_setting(int major, std::string_view name);

/// What a setting is called now that had this name, which servers may still read (map_old_guc_names of guc.c)
/// or had once; empty where there is none.
std::string_view renamed_setting(std::string_view name);

}  // namespace kdb
