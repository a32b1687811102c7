#include "host/pg_client.hpp"

#include <filesystem>
#include <optional>

#include <fmt/format.h>
#include <unistd.h>

#include "base/error.hpp"
#include "base/text.hpp"
#include "host/process.hpp"

namespace kdb::host {

namespace {

constexpr const char* versioned_folders = "/usr/lib/postgresql";

/// "pg_dump (PostgreSQL) 15.20 (Debian …)" is 15.
std::optional<int> major_of(const std::string& program) {
  const ProcessResult result = run({program, "--version"});
  const size_t digit = result.out.find_first_of("0123456789");
  if (result.exit != 0 || digit == std::string::npos) return std::nullopt;
  return std::stoi(result.out.substr(digit));
}

/// The oldest one that is new enough: the closest to the server. Debian's versioned folders first, since its
/// own pg_dump on PATH is a wrapper that chooses by the local clusters.
std::string find_pg_dump(int server_major) {
  std::optional<int> best;
  std::error_code ignored;
  for (const auto& entry : std::filesystem::directory_iterator(versioned_folders, ignored)) {
    const std::string name = entry.path().filename();
    if (name.empty() || name.find_first_not_of("0123456789") != std::string::npos || name.size() > 3)
      continue;
    const int major = std::stoi(name);
    if (major < server_major || (best && major > *best)) continue;
    if (access((entry.path() / "bin/pg_dump").c_str(), X_OK) == 0) best = major;
  }
  if (best) return fmt::format("{}/{}/bin/pg_dump", versioned_folders, *best);
  const std::optional<std::string> on_path = find_program("pg_dump");
  const std::optional<int> major = on_path ? major_of(*on_path) : std::nullopt;
  if (major && *major >= server_major) return *on_path;
  throw Error(
      Exit::failed,
      fmt::format("no pg_dump of PostgreSQL {} or newer: looked into {}/*/bin and PATH{}", server_major,
                  versioned_folders, major ? fmt::format(", which has that of {}", *major) : ""),
      fmt::format("install the package postgresql-client-{} or newer", server_major));
}

}  // namespace

std::string pg_dump(int server_major, const std::vector<std::string>& arguments,
                    const std::map<std::string, std::string>& environment) {
  std::vector<std::string> command = {find_pg_dump(server_major)};
  command.insert(command.end(), arguments.begin(), arguments.end());
  ProcessResult result = run(command, environment);
  if (result.exit != 0)
    throw Error(Exit::failed,
                fmt::format("pg_dump ended with exit status {}: {}", result.exit, trim(result.error)));
  return std::move(result.out);
}

}  // namespace kdb::host
