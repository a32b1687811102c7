#pragma once

#include <filesystem>
#include <string>
#include <string_view>
#include <vector>

#include <sys/types.h>

#include "support/process.hpp"
#include "support/temp_dir.hpp"

namespace kdb::test {

/// A temporary directory of the test's own for sandboxes: those that others run meanwhile are none of its
/// business.
struct Place {
  TempDir folder;
  Environment environment;  // with TMPDIR; for the programs that the test starts

  Place();

  std::vector<std::filesystem::path> sandboxes() const;
  /// Whose command line names the place: servers above all.
  std::vector<pid_t> processes() const;
  bool is_clean() const { return sandboxes().empty() && processes().empty(); }
};

/// `kdb sandbox` with a COMMAND that prints "up" and stays, and everything that belongs to it.
struct Standing {
  Place place;
  Child kdb;
  std::filesystem::path folder;
  pid_t server = 0;
  pid_t supervisor = 0;
  pid_t command = 0;

  /// `prepare` is run before COMMAND prints "up", `stay` after.
  explicit Standing(const std::string& prepare = ":", const std::string& stay = "exec sleep 1000");

  bool nothing_left() const;
};

/// The pid in a sandbox's postmaster.pid.
pid_t server_of(const std::filesystem::path& sandbox);

/// 0 if the process is gone.
pid_t parent_of(pid_t pid);

/// The first value that a query returns, or what the server, or libpq, says against it.
std::string ask(const std::string& url, const std::string& sql);

bool contains(std::string_view text, std::string_view part);

}  // namespace kdb::test
