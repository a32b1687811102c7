#pragma once

#include <string>
#include <vector>

#include "base/error.hpp"
#include "base/setting_value.hpp"

namespace kdb {

/// What a server says of one of its settings: a row of pg_settings.
struct SettingFacts {
  std::string name;     // in the server's own case
  std::string context;  // how it is set: postmaster, sighup, superuser, user … (PG docs 54.24)
  SettingType type;
  std::string standard;  // its default as built in (boot_val), a number in the type's unit

  bool needs_restart() const { return context == "postmaster"; }

  bool operator==(const SettingFacts&) const = default;
};

/// A setting as a profile declares it.
struct WantedSetting {
  std::string name;     // in lower case
  std::string value;    // `2GB`; `25%` where it depends on the machine
  std::string written;  // the same as the profile has it: what comes from the environment may be a secret
  Source where;
};

/// One setting of a rendered postgresql.conf.
struct SettingLine {
  std::string name;
  std::string value;   // as postgresql.conf has it, without quotes: `2GB`, `on`, `pg_stat_statements`
  std::string group;   // a heading: `Memory`
  std::string reason;  // why this value, with the numbers that it was made of
  std::string
      origin;  // who says so: `profiles/default.toml:80:18`, `kdb, for timeseries`, `pgtune's formula`
  SettingFacts facts;  // no context and no vartype where nobody knows the name
  std::vector<std::string> verdicts =
      {};  // what is to be said against a declared value, each with its numbers

  bool operator==(const SettingLine&) const = default;
};

}  // namespace kdb
