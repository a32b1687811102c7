#include "support/process.hpp"

#include <array>
#include <cerrno>
#include <fstream>
#include <sstream>
#include <stdexcept>
#include <system_error>
#include <thread>

#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <spawn.h>
#include <sys/wait.h>
#include <unistd.h>

namespace kdb::test {
namespace {

using Clock = std::chrono::steady_clock;
using std::chrono::milliseconds;

struct Pipe {
  int read_end = -1;
  int write_end = -1;
};

Pipe make_pipe() {
  std::array<int, 2> ends{};
  if (pipe2(ends.data(), O_CLOEXEC) != 0) throw std::system_error(errno, std::generic_category(), "pipe2");
  return {ends[0], ends[1]};
}

void close_fd(int& fd) {
  if (fd >= 0) ::close(fd);
  fd = -1;
}

std::vector<char*> pointers(std::vector<std::string>& strings) {
  std::vector<char*> result;
  for (std::string& text : strings) result.push_back(text.data());
  result.push_back(nullptr);
  return result;
}

std::vector<std::string> merged(const Environment& added) {
  std::vector<std::string> result;
  for (char** entry = environ; *entry != nullptr; ++entry) {
    const std::string text = *entry;
    if (!added.contains(text.substr(0, text.find('=')))) result.push_back(text);
  }
  for (const auto& [name, value] : added) result.push_back(name + "=" + value);
  return result;
}

pid_t spawn(std::vector<std::string> command, const Environment& environment, int in, int out, int err) {
  std::vector<std::string> variables = merged(environment);
  posix_spawn_file_actions_t actions;
  posix_spawn_file_actions_init(&actions);
  if (in < 0) posix_spawn_file_actions_addopen(&actions, 0, "/dev/null", O_RDONLY, 0);
  if (in >= 0) posix_spawn_file_actions_adddup2(&actions, in, 0);
  posix_spawn_file_actions_adddup2(&actions, out, 1);
  posix_spawn_file_actions_adddup2(&actions, err, 2);
  // What we ignore (SIGPIPE; SIGINT, started in the background by a script) is our business, not the
  // program's.
  posix_spawnattr_t attributes;
  posix_spawnattr_init(&attributes);
  sigset_t all;
  sigfillset(&all);
  posix_spawnattr_setsigdefault(&attributes, &all);
  posix_spawnattr_setflags(&attributes, POSIX_SPAWN_SETSIGDEF);
  pid_t pid = -1;
  const int error = posix_spawnp(&pid, command.front().c_str(), &actions, &attributes,
                                 pointers(command).data(), pointers(variables).data());
  posix_spawn_file_actions_destroy(&actions);
  posix_spawnattr_destroy(&attributes);
  if (error != 0) throw std::system_error(error, std::generic_category(), command.front());
  return pid;
}

// Appends what there is to read; closes the pipe at its end.
void drain(int& fd, std::string& text) {
  std::array<char, 65536> buffer{};
  const ssize_t count = ::read(fd, buffer.data(), buffer.size());
  if (count > 0) text.append(buffer.data(), static_cast<std::size_t>(count));
  if (count == 0 || (count < 0 && errno != EINTR && errno != EAGAIN)) close_fd(fd);
}

milliseconds left(Clock::time_point deadline) {
  return std::chrono::duration_cast<milliseconds>(deadline - Clock::now());
}

}  // namespace

Child::Child(const std::vector<std::string>& command, const Environment& environment, Input input) {
  signal(SIGPIPE, SIG_IGN);  // a program that does not read its input is no reason for the tests to end
  Pipe in;
  if (input == Input::pipe) in = make_pipe();
  Pipe out = make_pipe();
  Pipe err = make_pipe();
  input_ = in.write_end;
  out_pipe_ = out.read_end;
  err_pipe_ = err.read_end;
  pid_ = spawn(command, environment, in.read_end, out.write_end, err.write_end);
  close_fd(in.read_end);
  close_fd(out.write_end);
  close_fd(err.write_end);
}

Child::~Child() {
  if (!exit_) {
    ::kill(pid_, SIGKILL);
    waitpid(pid_, nullptr, 0);
  }
  close_fd(input_);
  close_fd(out_pipe_);
  close_fd(err_pipe_);
}

void Child::kill(int signal) const { ::kill(pid_, signal); }

void Child::write(const std::string& text) const {
  std::size_t done = 0;
  while (done < text.size()) {
    const ssize_t count = ::write(input_, text.data() + done, text.size() - done);
    if (count < 0 && errno == EINTR) continue;
    if (count < 0) return;
    done += static_cast<std::size_t>(count);
  }
}

void Child::close_input() { close_fd(input_); }

// Reads what comes within the timeout; false if nothing can come any more.
bool Child::pump(milliseconds timeout) {
  std::array<pollfd, 2> pipes{{{out_pipe_, POLLIN, 0}, {err_pipe_, POLLIN, 0}}};
  if (out_pipe_ < 0 && err_pipe_ < 0) return false;
  if (::poll(pipes.data(), pipes.size(), static_cast<int>(std::max<milliseconds::rep>(timeout.count(), 0))) <=
      0)
    return true;
  if (pipes[0].revents != 0) drain(out_pipe_, out_);
  if (pipes[1].revents != 0) drain(err_pipe_, err_);
  return true;
}

bool Child::ended() {
  if (exit_) return true;
  int status = 0;
  if (waitpid(pid_, &status, WNOHANG) != pid_) return false;
  exit_ = WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
  return true;
}

std::string Child::printed() const { return "\nstdout: " + out_ + "\nstderr: " + err_; }

void Child::read_until(const std::string& text, milliseconds timeout) {
  const auto deadline = Clock::now() + timeout;
  while (out_.find(text) == std::string::npos) {
    if (Clock::now() > deadline) throw std::runtime_error("no \"" + text + "\" in time" + printed());
    if (out_pipe_ < 0) throw std::runtime_error("ended without \"" + text + "\"" + printed());
    pump(left(deadline));
  }
}

Run Child::wait(milliseconds timeout) {
  const auto deadline = Clock::now() + timeout;
  while (true) {
    const bool last = ended();
    const bool more = pump(milliseconds(last ? 0 : 10));
    if (last && !more) return {.exit = *exit_, .out = out_, .err = err_};
    if (Clock::now() > deadline) throw std::runtime_error("did not end in time" + printed());
    if (!last && !more) std::this_thread::sleep_for(milliseconds(1));
    if (last && more) pump(milliseconds(10));  // somebody else still holds the pipes
  }
}

Run run(const std::vector<std::string>& command, const Environment& environment, const std::string& input,
        milliseconds timeout) {
  Child child(command, environment, input.empty() ? Child::Input::null : Child::Input::pipe);
  std::thread writer([&] {
    if (input.empty()) return;
    child.write(input);
    child.close_input();
  });
  try {
    const Run result = child.wait(timeout);
    writer.join();
    return result;
  } catch (...) {
    child.kill(SIGKILL);
    writer.join();
    throw;
  }
}

bool eventually(const std::function<bool()>& condition, milliseconds timeout) {
  const auto deadline = Clock::now() + timeout;
  while (!condition()) {
    if (Clock::now() > deadline) return false;
    std::this_thread::sleep_for(milliseconds(5));
  }
  return true;
}

// A process may end between open and read, and an iterator over the file would throw then.
std::string process_file(pid_t pid, const std::string& name) {
  std::ifstream file("/proc/" + std::to_string(pid) + "/" + name, std::ios::binary);
  std::ostringstream text;
  text << file.rdbuf();
  return text.str();
}

bool is_alive(pid_t pid) {
  const std::string stat = process_file(pid, "stat");
  const std::size_t state = stat.rfind(") ");
  return state != std::string::npos && stat[state + 2] != 'Z' && stat[state + 2] != 'X';
}

}  // namespace kdb::test
