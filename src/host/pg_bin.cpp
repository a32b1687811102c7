#include "host/pg_bin.hpp"

#include <algorithm>
#include <cstdlib>
#include <filesystem>
#include <optional>
#include <system_error>
#include <utility>
#include <vector>

#include <fmt/format.h>
#include <fmt/ranges.h>

#include "base/error.hpp"
#include "host/process.hpp"

namespace kdb::host {
namespace {

namespace fs = std::filesystem;

constexpr const char* install_hint =
    "install PostgreSQL (Debian: apt install postgresql), or name the folder that holds initdb and postgres "
    "with "
    "--pg-bin";

// The program that a server's folder lacks.
std::optional<std::string> missing_program(const fs::path& folder) {
  for (const char* name : {"initdb", "postgres"})
    if (!find_program((folder / name).string())) return name;
  return std::nullopt;
}

std::string first_line(const std::string& text) { return text.substr(0, text.find('\n')); }

// What `pg_config OPTION` prints.
std::string ask_pg_config(const std::string& pg_config, const char* option) {
  const ProcessResult result = run({pg_config, option});
  return result.exit == 0 ? first_line(result.out) : std::string();
}

// /usr/lib/postgresql/17/bin before /usr/lib/postgresql/15/bin.
std::vector<std::pair<int, fs::path>> debian_folders() {
  std::vector<std::pair<int, fs::path>> found;
  std::error_code ignored;
  for (const auto& entry : fs::directory_iterator("/usr/lib/postgresql", ignored))
    found.emplace_back(std::atoi(entry.path().filename().c_str()), entry.path() / "bin");
  std::sort(found.rbegin(), found.rend());
  return found;
}

fs::path check_given(const std::string& given) {
  fs::path folder = fs::absolute(given).lexically_normal();
  std::error_code error;
  if (!fs::is_directory(folder, error))
    throw Error(Exit::usage, fmt::format("no PostgreSQL server in \"{}\": no such folder", given),
                install_hint);
  const std::optional<std::string> missing = missing_program(folder);
  if (!missing) return folder;
  throw Error(Exit::usage,
              fmt::format("no PostgreSQL server in \"{}\": it has no program \"{}\"", given, *missing),
              missing_program(folder / "bin") ? install_hint
                                              : fmt::format("did you mean {}?", (folder / "bin").string()));
}

}  // namespace

std::string find_pg_bin(const std::string& given) {
  if (!given.empty()) return check_given(given);
  if (const auto initdb = find_program("initdb")) {
    // Links to the programs are no folder of a server, what they point to is.
    const fs::path folder = fs::canonical(*initdb).parent_path();
    if (!missing_program(folder)) return folder.string();
  }
  std::vector<std::string> looked_at{"PATH"};
  if (const auto pg_config = find_program("pg_config")) {
    std::string folder = ask_pg_config(*pg_config, "--bindir");
    if (!folder.empty() && !missing_program(folder)) return folder;
    if (!folder.empty()) looked_at.push_back(fmt::format("{} (from pg_config)", folder));
  }
  for (const auto& [version, folder] : debian_folders()) {
    if (!missing_program(folder)) return folder.string();
    looked_at.push_back(folder.string());
  }
  looked_at.emplace_back("/usr/lib/postgresql/*/bin");
  throw Error(Exit::usage,
              fmt::format("no PostgreSQL server found; looked in {}", fmt::join(looked_at, ", ")),
              install_hint);
}

bool offers_timescaledb(const std::string& pg_bin) {
  // Where there is no pg_config (the packages of npm, a server without its development files): the usual
  // places.
  std::vector<std::string> libraries{pg_bin + "/../lib", pg_bin + "/../lib/postgresql"};
  if (const auto pg_config = find_program(pg_bin + "/pg_config"))
    libraries = {ask_pg_config(*pg_config, "--pkglibdir")};
  return std::any_of(libraries.begin(), libraries.end(), [](const std::string& folder) {
    std::error_code ignored;
    return fs::exists(folder + "/timescaledb.so", ignored);
  });
}

}  // namespace kdb::host
