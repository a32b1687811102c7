#include "host/control_data.hpp"

#include <charconv>
#include <string_view>
#include <utility>

#include "base/error.hpp"
#include "base/text.hpp"
#include "host/process.hpp"

namespace kdb::host {

namespace {

// As pg_controldata prints them, and the settings' own names. -- src/bin/pg_controldata
constexpr std::pair<std::string_view, std::string_view> control_names[] = {
    {"max_connections setting:", "max_connections"},
    {"max_worker_processes setting:", "max_worker_processes"},
    {"max_wal_senders setting:", "max_wal_senders"},
    {"max_prepared_xacts setting:", "max_prepared_transactions"},
    {"max_locks_per_xact setting:", "max_locks_per_transaction"},
};

}  // namespace

std::map<std::string, std::int64_t> parse_primary_settings(std::string_view text) {
  std::map<std::string, std::int64_t> settings;
  for (const std::string_view line : split(text, '\n'))
    for (const auto& [title, name] : control_names) {
      if (!line.starts_with(title)) continue;
      const std::string_view number = trim(line.substr(title.size()));
      std::int64_t value = 0;
      const auto [end, error] = std::from_chars(number.data(), number.data() + number.size(), value);
      if (error == std::errc() && end == number.data() + number.size()) settings[std::string(name)] = value;
    }
  return settings;
}

std::map<std::string, std::int64_t> read_primary_settings(const std::string& pg_bin,
                                                          const std::string& data) {
  const auto program = find_program(pg_bin + "/pg_controldata");
  if (!program) return {};
  try {
    const ProcessResult result = run({*program, "-D", data}, {{"LC_ALL", "C"}});
    return result.exit == 0 ? parse_primary_settings(result.out) : std::map<std::string, std::int64_t>{};
  } catch (const Error&) {
    return {};
  }
}

}  // namespace kdb::host
