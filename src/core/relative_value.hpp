#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <variant>

#include "base/setting_value.hpp"

namespace kdb {

/// Whether a value of `[server.settings]` depends on the machine: `25%`, `min(25%, 8GB)`. Words and texts
/// never do: `%m [%p] 100%` is a log_line_prefix.
bool is_relative(std::string_view value, const SettingType& type);

/// What is wrong with a relative value, said behind the setting's name; empty where it can be resolved once
/// the memory is known. Percentages are of the memory and above 0 up to 100; `min` and `max` take such, and
/// sizes with a unit, and each other.
std::string relative_problem(std::string_view value, const SettingType& type);

/// The value on a machine with `memory` bytes, as postgresql.conf has it: rounded down to whole MB from 16 MB
/// on, and to the setting's own unit below. The value must have no relative_problem().
std::string resolve_relative(std::string_view value, const SettingType& type, std::uint64_t memory);

}  // namespace kdb
