#include "host/configuration.hpp"

#include <string_view>

#include <fmt/format.h>

namespace kdb::host {
namespace {

// Of a postgresql.conf: quotes are doubled, backslashes begin escapes, and a line ends every string.
std::string conf_quoted(std::string_view value) {
  std::string result = "'";
  for (const char c : value) {
    if (c == '\'' || c == '\\') result += c;
    if (c == '\n')
      result += "\\n";
    else
      result += c;
  }
  return result + "'";
}

}  // namespace

std::string configuration_text(const Settings& settings) {
  std::string text;
  for (const auto& [name, value] : settings) text += fmt::format("{} = {}\n", name, conf_quoted(value));
  return text;
}

Settings throwaway_settings(bool with_timescaledb) {
  Settings result{{"fsync", "off"},
                  {"synchronous_commit", "off"},
                  {"full_page_writes", "off"},
                  {"listen_addresses", "127.0.0.1"},
                  {"unix_socket_permissions", "0700"},
                  {"max_connections", "100"},
                  {"timezone", "UTC"},
                  {"log_timezone", "UTC"},
                  {"min_wal_size", "80MB"},  // as for segments of the usual size
                  {"max_wal_size", "1GB"}};
  if (with_timescaledb) {
    result.emplace_back("shared_preload_libraries", "timescaledb");
    result.emplace_back("timescaledb.telemetry_level", "off");
    result.emplace_back("max_worker_processes", "32");  // TimescaleDB takes 17 of them, and warns without
    result.emplace_back("max_locks_per_transaction", "256");  // a lock for each chunk
  }
  return result;
}

}  // namespace kdb::host
