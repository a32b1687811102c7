#pragma once

#include <functional>
#include <string>
#include <string_view>
#include <vector>

#include "core/diff.hpp"
#include "core/setting_diff.hpp"
#include "model/facts.hpp"
#include "model/report.hpp"

namespace kdb {

/// Where a profile declares a setting; no file where none does.
using SettingPlace = std::function<Source(std::string_view name)>;

/// The changes that make a server as rendered, by ALTER SYSTEM: one for each setting that differs, and behind
/// them one for the server to read its files. What no ALTER SYSTEM can bring about is a problem;
/// `may_alter`: the server allows it at all (allow_alter_system, 17).
Differences setting_changes(const SettingDiff& diff, const ServerFacts& facts, const SettingPlace& place,
                            bool may_alter);

/// Whether it is the one that makes the server read its files.
bool is_reload(const Change& change);
/// Whether it is of the server's settings, or makes it read them.
bool is_of_server(const Change& change);

/// Settings that the server's files have and it does not, as a table of a report.
Table waiting_table(const std::vector<SettingDifference>& waiting);

}  // namespace kdb
