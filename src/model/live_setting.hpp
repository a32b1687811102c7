#pragma once

#include <optional>
#include <string>
#include <vector>

#include "model/setting.hpp"

namespace kdb {

/// A setting of a running server, and what it is set to.
struct ServerSetting {
  SettingFacts facts;
  std::string value;   // that a session of this role begins with (reset_val), a number in the setting's unit
  std::string source;  // who says so: `default`, `configuration file`, `command line`, `database` …
  bool pending_restart = false;  // the files say something else, which the server takes when it starts again
};

/// A line of the server's files, postgresql.auto.conf last.
struct FileSetting {
  std::string name;
  std::string value;
  std::string place;  // `/etc/postgresql/15/main/postgresql.conf:42`
  std::string error;  // why the server refuses it; empty where it does not
};

/// What sessions of a role, in a database, begin with instead; empty: of all.
struct SettingOverride {
  std::string name;
  std::string value;
  std::string role;
  std::string database;
};

/// All that is in a server's settings beside pg_settings itself.
struct ServerFiles {
  std::optional<std::vector<FileSetting>>
      lines;  // in the order in which they count; nothing: the role may not look
  std::vector<SettingOverride> overrides;
};

}  // namespace kdb
