#pragma once

#include <functional>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "model/change.hpp"
#include "model/live_setting.hpp"

namespace kdb {

/// A rendered setting that the server does not have.
struct SettingDifference {
  std::string name;
  std::string live;     // as people write it
  std::string coming;   // the same at its next reload or start
  std::string desired;  // the same
  std::string place;    // the file's line that says so now; empty where none does
  bool restart = false;
  std::string obstacle;  // why no file changes it; empty where one does

  bool operator==(const SettingDifference&) const = default;
};

struct SettingDiff {
  std::vector<SettingDifference> differences;
  std::vector<SettingDifference> waiting;  // the files have it, and the server at its next reload or start
  bool undecided = false;                  // a value that this role may not see
  std::vector<Finding> findings;           // what shadows a value, and what is wrong in the server's files
};

/// Null where the server has no such setting.
using ServerSettingLookup = std::function<const ServerSetting*(std::string_view)>;

/// What the server makes of rendered values that it keeps otherwise than they are written, by its names: of
/// `german` `German, DMY`.
using CanonicalValues = std::map<std::string, std::string>;

/// The rendered texts that may be kept otherwise, and that a session can be given to find out.
std::vector<const SettingLine*> lines_to_judge(const std::vector<SettingLine>& lines,
                                               const ServerSettingLookup& live);

/// Rendered lines held against a server, number against number in the settings' own units. What a role or a
/// database overrides counts for the server's value as if nobody did, and is a finding. Whatever else waits
/// for a restart is among what waits.
SettingDiff diff_settings(const std::vector<SettingLine>& lines, const ServerSettingLookup& live,
                          const ServerFiles& files, const std::vector<std::string_view>& names,
                          const CanonicalValues& canonical = {});

/// What the server has whoever connects, as far as kdb can tell; else what its files say.
std::string server_wide_value(const ServerSetting& setting, const ServerFiles& files,
                              const ServerSettingLookup& live);

/// What the server's files and its command line say, which it has at its next start: by name, in its own
/// case. The lines of the file `without` are left out. Nothing where this role may not see the files.
std::optional<std::map<std::string, std::string>> settings_at_start(
    const ServerFiles& files, const ServerSettingLookup& live, const std::vector<std::string_view>& names,
    const std::string& without);

/// Whether the line that counts is in that file.
bool is_line_of(std::string_view place, std::string_view file);

/// Names that only look like an extension's: the server takes every one with a dot in it.
std::vector<Finding> misspelt_settings(const std::vector<SettingLine>& lines, const ServerSettingLookup& live,
                                       const std::vector<std::string_view>& names);

}  // namespace kdb
