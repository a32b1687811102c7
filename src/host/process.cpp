#include "host/process.hpp"

#include <algorithm>
#include <array>
#include <cerrno>
#include <cstdlib>
#include <filesystem>
#include <system_error>
#include <utility>

#include <fcntl.h>
#include <fmt/format.h>
#include <poll.h>
#include <signal.h>
#include <spawn.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/error.hpp"
#include "host/unique_fd.hpp"

namespace kdb::host {
namespace {

struct Pipe {
  UniqueFd out;  // what is read from
  UniqueFd in;
};

Pipe make_pipe() {
  std::array<int, 2> ends{};
  if (pipe2(ends.data(), O_CLOEXEC) != 0) throw Error(Exit::failed, with_errno("cannot make a pipe", errno));
  return {.out = UniqueFd(ends[0]), .in = UniqueFd(ends[1])};
}

// The file actions and attributes of posix_spawn; it, unlike fork, is safe whatever our other threads do.
class SpawnPlan {
 public:
  SpawnPlan(int out, int error) {
    posix_spawn_file_actions_init(&actions);
    posix_spawn_file_actions_addopen(&actions, 0, "/dev/null", O_RDONLY, 0);
    posix_spawn_file_actions_adddup2(&actions, out, 1);
    posix_spawn_file_actions_adddup2(&actions, error, 2);
    sigset_t signals;
    posix_spawnattr_init(&attributes);
    posix_spawnattr_setflags(&attributes, POSIX_SPAWN_SETSIGMASK | POSIX_SPAWN_SETSIGDEF);
    sigemptyset(&signals);
    posix_spawnattr_setsigmask(&attributes, &signals);
    sigfillset(&signals);
    posix_spawnattr_setsigdefault(&attributes, &signals);
  }
  ~SpawnPlan() {
    posix_spawn_file_actions_destroy(&actions);
    posix_spawnattr_destroy(&attributes);
  }
  SpawnPlan(const SpawnPlan&) = delete;
  SpawnPlan& operator=(const SpawnPlan&) = delete;

  posix_spawn_file_actions_t actions{};
  posix_spawnattr_t attributes{};
};

pid_t spawn(const std::vector<std::string>& command, const std::vector<std::string>& variables, int out,
            int error) {
  const SpawnPlan plan(out, error);
  pid_t pid = -1;
  const int failure = posix_spawnp(&pid, command.front().c_str(), &plan.actions, &plan.attributes,
                                   exec_pointers(command).data(), exec_pointers(variables).data());
  if (failure != 0)
    throw Error(Exit::failed, with_errno(fmt::format("cannot start \"{}\"", command.front()), failure));
  return pid;
}

// Appends what there is; closes the pipe at its end.
void drain(UniqueFd& pipe, std::string& text) {
  std::array<char, 65536> buffer{};
  const ssize_t count = ::read(pipe.get(), buffer.data(), buffer.size());
  if (count > 0) text.append(buffer.data(), static_cast<std::size_t>(count));
  if (count == 0 || (count < 0 && errno != EINTR)) pipe.reset();
}

// Both pipes at once: a program that fills one while we wait on the other would never end.
void drain_both(UniqueFd& out, UniqueFd& error, ProcessResult& result) {
  while (out || error) {
    std::array<pollfd, 2> pipes{{{out.get(), POLLIN, 0}, {error.get(), POLLIN, 0}}};
    if (::poll(pipes.data(), pipes.size(), -1) < 0) continue;  // EINTR
    if (pipes[0].revents != 0) drain(out, result.out);
    if (pipes[1].revents != 0) drain(error, result.error);
  }
}

int wait_for_end(pid_t pid, const std::string& program) {
  int status = 0;
  while (waitpid(pid, &status, 0) < 0)
    if (errno != EINTR)
      throw Error(Exit::failed, with_errno(fmt::format("cannot tell how \"{}\" ended", program), errno),
                  "start kdb with SIGCHLD not ignored");
  return exit_code(status);
}

bool is_executable_file(const std::string& path) {
  struct stat status {};
  return ::stat(path.c_str(), &status) == 0 && S_ISREG(status.st_mode) && ::access(path.c_str(), X_OK) == 0;
}

}  // namespace

ProcessResult run(const std::vector<std::string>& command,
                  const std::map<std::string, std::string>& environment) {
  ProcessResult result;
  Pipe out = make_pipe();
  Pipe error = make_pipe();
  const pid_t pid = spawn(command, environment_with(environment), out.in.get(), error.in.get());
  out.in.reset();
  error.in.reset();
  drain_both(out.out, error.out, result);
  result.exit = wait_for_end(pid, command.front());
  return result;
}

int run_in_shell(const std::string& command, const Pause& pause) {
  const std::vector<std::string> words = {"/bin/sh", "-c", command};
  const pid_t pid = spawn(words, environment_with({}), STDERR_FILENO, STDERR_FILENO);
  int status = 0;
  while (waitpid(pid, &status, WNOHANG) == 0) pause(std::chrono::milliseconds(20));
  return exit_code(status);
}

std::optional<std::string> find_program(const std::string& name) {
  if (name.empty()) return std::nullopt;
  if (name.find('/') != std::string::npos) {
    if (!is_executable_file(name)) return std::nullopt;
    return std::filesystem::absolute(name).string();
  }
  const std::string path = environment("PATH").value_or("/usr/local/bin:/usr/bin:/bin");
  for (std::size_t begin = 0; begin <= path.size();) {
    const std::size_t end = std::min(path.find(':', begin), path.size());
    const std::string folder = end == begin ? "." : path.substr(begin, end - begin);
    const std::string program = fmt::format("{}/{}", folder, name);
    if (is_executable_file(program)) return std::filesystem::absolute(program).string();
    begin = end + 1;
  }
  return std::nullopt;
}

std::optional<std::string> environment(const std::string& name) {
  const char* value = std::getenv(name.c_str());
  if (value == nullptr) return std::nullopt;
  return value;
}

std::string self_path() {
  std::error_code error;
  const std::filesystem::path path = std::filesystem::read_symlink("/proc/self/exe", error);
  if (error)
    throw Error(Exit::failed, with_errno("cannot tell where kdb itself is", error.value()), "mount /proc");
  return path.string();
}

std::vector<std::string> environment_with(const std::map<std::string, std::string>& set,
                                          const std::vector<std::string>& left_out) {
  std::vector<std::string> result;
  for (char** entry = environ; entry != nullptr && *entry != nullptr; ++entry) {
    const std::string text = *entry;
    const std::string name = text.substr(0, text.find('='));
    const bool hidden = std::find(left_out.begin(), left_out.end(), name) != left_out.end();
    if (!hidden && !set.contains(name)) result.push_back(text);
  }
  for (const auto& [name, value] : set) result.push_back(fmt::format("{}={}", name, value));
  return result;
}

std::vector<char*> exec_pointers(const std::vector<std::string>& strings) {
  std::vector<char*> result;
  result.reserve(strings.size() + 1);
  for (const std::string& text : strings)
    result.push_back(const_cast<char*>(text.c_str()));  // exec's old signature
  result.push_back(nullptr);
  return result;
}

int exit_code(int wait_status) {
  return WIFSIGNALED(wait_status) ? 128 + WTERMSIG(wait_status) : WEXITSTATUS(wait_status);
}

std::string with_errno(std::string_view message, int error) {
  return fmt::format("{}: {}", message, std::generic_category().message(error));
}

}  // namespace kdb::host
