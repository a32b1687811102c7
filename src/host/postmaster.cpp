#include "host/postmaster.hpp"

#include <array>
#include <chrono>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <sstream>
#include <string_view>
#include <system_error>
#include <vector>

#include <fcntl.h>
#include <fmt/format.h>
#include <signal.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "host/unique_fd.hpp"

namespace kdb::host {
namespace {

using Clock = std::chrono::steady_clock;
using std::chrono::seconds;

// Lines of postmaster.pid: src/include/utils/pidfile.h of PostgreSQL.
constexpr std::size_t pid_line = 0;
constexpr std::size_t start_line = 2;
constexpr std::size_t status_line = 7;

std::vector<std::string> lines_of(const std::string& path) {
  const UniqueFd fd(open(path.c_str(), O_RDONLY | O_NOFOLLOW | O_CLOEXEC | O_NONBLOCK));
  std::array<char, 4096> buffer{};
  const ssize_t count = fd ? read(fd.get(), buffer.data(), buffer.size()) : 0;
  std::istringstream text(std::string(buffer.data(), count > 0 ? static_cast<std::size_t>(count) : 0));
  std::vector<std::string> result;
  for (std::string line; std::getline(text, line);) result.push_back(line);
  return result;
}

// The command line is readable whoever owns the process (its working directory is not, in a container's
// root), and empty for a zombie.
bool serves(pid_t pid, const std::string& data) {
  std::ifstream file("/proc/" + std::to_string(pid) + "/cmdline", std::ios::binary);
  for (std::string argument; std::getline(file, argument, '\0');)
    if (argument == data) return true;
  return false;
}

// The pid of the server that runs, if one does.
pid_t running(const std::string& data, pid_t child) {
  if (child > 0 && waitpid(child, nullptr, WNOHANG) == 0) return child;
  const std::optional<Postmaster> found = find_postmaster(data);
  return found ? found->pid : 0;
}

void pause_briefly() {
  const timespec pause{.tv_sec = 0, .tv_nsec = 5'000'000};
  nanosleep(&pause, nullptr);
}

}  // namespace

std::optional<Postmaster> find_postmaster(const std::string& data) {
  const std::vector<std::string> lines = lines_of(data + "/postmaster.pid");
  if (lines.size() <= pid_line) return std::nullopt;
  const pid_t pid = static_cast<pid_t>(std::strtol(lines[pid_line].c_str(), nullptr, 10));
  if (pid <= 0 || !serves(pid, data)) return std::nullopt;
  return Postmaster{.pid = pid,
                    .ready = lines.size() > status_line && lines[status_line].starts_with("ready"),
                    .started = lines.size() > start_line ? std::atoll(lines[start_line].c_str()) : 0};
}

std::optional<pid_t> find_server(const std::string& data, std::int64_t started) {
  constexpr std::int64_t same_start = 5;  // the file is written a moment before
  const std::optional<Postmaster> server = find_postmaster(data);
  if (!server || std::llabs(server->started - started) > same_start) return std::nullopt;
  return server->pid;
}

std::string server_programs(pid_t postmaster) {
  namespace fs = std::filesystem;
  const std::string process = "/proc/" + std::to_string(postmaster);
  std::error_code error;
  std::string program = fs::read_symlink(process + "/exe", error).string();
  // Of a process with another root the path is a path there.
  if (error || !fs::equivalent(process + "/root", "/", error) || error) return {};
  // An upgrade of the package has replaced the program: the server's next start takes the new one, and that
  // start is what is of interest.
  constexpr std::string_view deleted = " (deleted)";
  if (program.ends_with(deleted) && !fs::exists(program, error))
    program.resize(program.size() - deleted.size());
  return fs::exists(program, error) ? fs::path(program).parent_path().string() : std::string();
}

std::optional<uid_t> user_of(pid_t process) {
  struct stat status {};
  if (stat(fmt::format("/proc/{}", process).c_str(), &status) != 0) return std::nullopt;
  return status.st_uid;
}

bool may_trust_with(const std::string& file, pid_t server) {
  struct stat status {};
  return geteuid() != 0 || (stat(file.c_str(), &status) == 0 && user_of(server) == status.st_uid);
}

bool stop_postmaster(const std::string& data, StopHow how, pid_t child) {
  struct Stage {
    int signal;
    seconds patience;
  };
  // Five seconds after SIGQUIT the postmaster kills its children itself; only then is SIGKILL better.
  const std::array<Stage, 3> stages{{{SIGINT, seconds(5)}, {SIGQUIT, seconds(8)}, {SIGKILL, seconds(5)}}};
  for (const Stage& stage : stages) {
    if (how == StopHow::at_once && stage.signal == SIGINT) continue;
    const auto deadline = Clock::now() + stage.patience;
    pid_t told = 0;
    while (true) {
      const pid_t pid = running(data, child);
      if (pid == 0) return true;
      if (pid != told) kill(told = pid, stage.signal);
      if (Clock::now() > deadline) break;
      pause_briefly();
    }
  }
  return false;
}

}  // namespace kdb::host
