#include "host/trial.hpp"

#include <cstdlib>

#include <fmt/format.h>

#include "base/error.hpp"

namespace kdb::host {
namespace {

constexpr std::size_t fields_before_settings = 5;

}  // namespace

std::vector<std::string> trial_fields(const TrialStart& trial) {
  std::vector<std::string> fields{trial.pg_bin, trial.data, fmt::format("{}", trial.wal_segment_bytes),
                                  fmt::format("{}", trial.major), fmt::format("{}", trial.memory)};
  for (const auto& [name, value] : trial.settings) {
    fields.push_back(name);
    fields.push_back(value);
  }
  return fields;
}

TrialStart trial_from(const std::vector<std::string>& fields) {
  if (fields.size() < fields_before_settings || (fields.size() - fields_before_settings) % 2 != 0)
    throw Error(Exit::failed, "the sandbox's supervisor was not told what to try");
  TrialStart trial{.pg_bin = fields[0],
                   .data = fields[1],
                   .wal_segment_bytes = std::strtoull(fields[2].c_str(), nullptr, 10),
                   .major = std::atoi(fields[3].c_str()),
                   .memory = std::strtoull(fields[4].c_str(), nullptr, 10),
                   .settings = {}};
  for (std::size_t i = fields_before_settings; i + 1 < fields.size(); i += 2)
    trial.settings.emplace_back(fields[i], fields[i + 1]);
  return trial;
}

}  // namespace kdb::host
