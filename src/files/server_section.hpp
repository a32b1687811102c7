#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "files/profile_values.hpp"

namespace kdb::files {

/// One setting of postgresql.conf as a profile declares it.
struct DeclaredSetting {
  std::string name;     // lower case; with a prefix for an extension's: `timescaledb.max_background_workers`
  std::string value;    // `25%`, `1.1`, `true`
  std::string written;  // the same as the profile has it: what comes from the environment may be a secret
  Source where;
};

/// `[server]`: the machine for which settings are meant, where it is not to be asked, and the settings.
struct ServerSection {
  std::optional<std::uint64_t> memory;  // bytes
  std::optional<double> cpus;
  std::string disk;  // "ssd", "hdd", "nvme", "san"; empty: to be found out
  std::optional<int> connections;
  std::string workload = "mixed";         // "oltp", "web", "olap", "mixed", "timeseries"
  std::vector<DeclaredSetting> settings;  // by name
};

/// Reads the section; what one of several files says later replaces what was said before.
void read_server(ReadContext& context, const Field& field, ServerSection& target);

}  // namespace kdb::files
