#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "files/profile_values.hpp"
#include "model/setting.hpp"

namespace kdb::files {

/// `[server]`: the machine for which settings are meant, where it is not to be asked, and the settings.
struct ServerSection {
  std::optional<std::uint64_t> memory;  // bytes
  std::optional<double> cpus;
  std::string disk;  // "ssd", "hdd", "nvme", "san"; empty: to be found out
  std::optional<int> connections;
  std::string workload;                 // "oltp", "web", "olap", "mixed", "timeseries"; empty: nobody said
  std::vector<WantedSetting> settings;  // by name
  bool alter_system = false;            // `kdb plan` and `kdb apply` are of the settings too
};

/// Reads the section; what one of several files says later replaces what was said before.
void read_server(ReadContext& context, const Field& field, ServerSection& target);

}  // namespace kdb::files
