#pragma once

#include <cstdint>
#include <optional>
#include <string>

#include "core/tune.hpp"
#include "flow/session.hpp"
#include "model/report.hpp"
#include "model/tuning.hpp"

namespace kdb::flow {

/// What the command line says of the machine: it wins over the profile, and that over what is found out.
struct TuneOptions {
  std::optional<std::uint64_t> memory;  // bytes
  std::optional<double> cpus;
  std::optional<Disk> disk;
  std::optional<int> connections;
  std::optional<Workload> workload;
  std::optional<int> major;  // of PostgreSQL, 14 to 18
  bool timescaledb = false;
  std::string formula;   // "timescaledb-tune" or "pgtune": theirs and nothing else
  bool compare = false;  // a table of everybody's values in place of the file
};

/// A postgresql.conf for a machine that nobody is connected to. Throws Error(usage) with every declared
/// setting that the major would refuse.
Report render_settings(const files::Profile& profile, const TuneOptions& options);

/// The same with what the server says and what kdb can prove of its machine.
Report render_settings(const Context& context, const TuneOptions& options);

/// How far a server is from what would be rendered for it.
struct SettingsDiff {
  Report report;
  bool differs = false;  // or could not be decided
};
SettingsDiff diff_server_settings(const Context& context, const TuneOptions& options);

}  // namespace kdb::flow
