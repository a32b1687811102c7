#include "host/process_group.hpp"

#include <filesystem>
#include <fstream>
#include <sstream>
#include <string>
#include <system_error>

#include <signal.h>
#include <time.h>

namespace kdb::host {
namespace {

using Clock = std::chrono::steady_clock;

// /proc/PID/stat: "pid (name) state ppid group …"; the name may hold anything, parentheses too.
bool is_running_member(const std::filesystem::path& process, pid_t group) {
  std::ifstream file(process / "stat");
  std::string line;
  std::getline(file, line);
  const std::size_t end_of_name = line.rfind(')');
  if (end_of_name == std::string::npos) return false;
  std::istringstream rest(line.substr(end_of_name + 1));
  char state = 'X';
  pid_t parent = 0;
  pid_t its_group = 0;
  rest >> state >> parent >> its_group;
  return rest && its_group == group && state != 'Z' && state != 'X';
}

bool wait_for_end(pid_t group, std::chrono::milliseconds patience) {
  const auto deadline = Clock::now() + patience;
  while (group_runs(group)) {
    if (Clock::now() > deadline) return false;
    const timespec pause{.tv_sec = 0, .tv_nsec = 20'000'000};
    nanosleep(&pause, nullptr);
  }
  return true;
}

}  // namespace

// kill(-group, 0) does not tell: it counts zombies, and kdb keeps its child a zombie so that the group's
// number is not given to others before the sandbox is gone.
bool group_runs(pid_t group) {
  if (kill(-group, 0) != 0) return false;
  std::error_code ignored;
  for (const auto& entry : std::filesystem::directory_iterator("/proc", ignored)) {
    const std::string name = entry.path().filename().string();
    if (name.find_first_not_of("0123456789") != std::string::npos) continue;
    if (is_running_member(entry.path(), group)) return true;
  }
  return false;
}

void stop_group(pid_t group, int signal, std::chrono::milliseconds patience) {
  if (group <= 1 || !group_runs(group)) return;
  kill(-group, signal);
  kill(-group, SIGCONT);  // a stopped process sees it only when it goes on
  if (wait_for_end(group, patience)) return;
  kill(-group, SIGKILL);
  wait_for_end(group, std::chrono::seconds(5));
}

}  // namespace kdb::host
