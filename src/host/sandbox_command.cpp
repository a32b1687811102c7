#include <array>
#include <cerrno>
#include <initializer_list>

#include <fcntl.h>
#include <fmt/format.h>
#include <poll.h>
#include <signal.h>
#include <sys/prctl.h>
#include <sys/signalfd.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/error.hpp"
#include "host/process.hpp"
#include "host/process_group.hpp"
#include "host/sandbox.hpp"
#include "host/terminal.hpp"
#include "host/unique_fd.hpp"

namespace kdb::host {
namespace {

using std::chrono::milliseconds;

constexpr milliseconds patience{3000};

bool is_ignored(int signal) {
  struct sigaction action {};
  return sigaction(signal, nullptr, &action) == 0 && action.sa_handler == SIG_IGN;
}

// Signals come as data while this lives, to the thread that made it.
class Signals {
 public:
  Signals() {
    sigset_t signals;
    sigemptyset(&signals);
    for (const int number : {SIGCHLD, SIGCONT, SIGTTOU}) sigaddset(&signals, number);
    for (const int number : {SIGINT, SIGTERM, SIGHUP})
      if (!is_ignored(number)) sigaddset(&signals, number);  // nohup, and jobs in the background of a script
    pthread_sigmask(SIG_BLOCK, &signals, &before_);
    old_child_action_ = signal(SIGCHLD, SIG_DFL);  // ignored, it would take the exit status of COMMAND away
    fd_.reset(signalfd(-1, &signals, SFD_CLOEXEC | SFD_NONBLOCK));
  }
  ~Signals() {
    while (next() != 0) {
    }
    signal(SIGCHLD, old_child_action_);
    pthread_sigmask(SIG_SETMASK, &before_, nullptr);
  }
  Signals(const Signals&) = delete;
  Signals& operator=(const Signals&) = delete;

  int fd() const { return fd_.get(); }
  const sigset_t& before() const { return before_; }

  // 0: none has arrived.
  int next() const {
    signalfd_siginfo signal{};
    return read(fd_.get(), &signal, sizeof signal) == sizeof signal ? static_cast<int>(signal.ssi_signo) : 0;
  }

 private:
  sigset_t before_{};
  sighandler_t old_child_action_ = SIG_DFL;
  UniqueFd fd_;
};

// COMMAND in a process group of its own. Its end is noticed, but its number is kept (by leaving it a zombie)
// until this object ends: the supervisor kills the group by that number.
class Command {
 public:
  Command(const std::vector<std::string>& command, const Sandbox& sandbox, const Signals& signals)
      : sandbox_(sandbox),
        signals_(signals),
        in_foreground_(terminal_.is_ours() && isatty(0) != 0 && isatty(1) != 0) {
    const std::vector<std::string> variables = sandbox_environment(sandbox);
    const std::vector<char*> arguments = exec_pointers(command);
    const std::vector<char*> environment = exec_pointers(variables);
    const std::string program = find_program(command.front()).value_or(command.front());
    std::array<int, 2> ends{};
    if (pipe2(ends.data(), O_CLOEXEC) != 0)
      throw Error(Exit::failed, with_errno("cannot make a pipe", errno));
    const UniqueFd failure(ends[0]);
    UniqueFd failure_end(ends[1]);
    pid_ = fork();
    if (pid_ < 0) throw Error(Exit::failed, with_errno("cannot start a process", errno));
    if (pid_ == 0) become(program.c_str(), arguments, environment, failure_end.get());
    failure_end.reset();
    setpgid(pid_, pid_);
    int error = 0;
    if (read(failure.get(), &error, sizeof error) != sizeof error) return;
    waitpid(pid_, nullptr, 0);
    throw Error(Exit::failed, with_errno(fmt::format("cannot run \"{}\"", command.front()), error));
  }
  ~Command() {
    if (pid_ > 0) waitpid(pid_, nullptr, 0);
  }
  Command(const Command&) = delete;
  Command& operator=(const Command&) = delete;

  pid_t pid() const { return pid_; }

  // Its exit status or 128 + signal, once it has ended. Where it has stopped, so do we.
  std::optional<int> look() {
    siginfo_t info{};
    if (waitid(P_PID, static_cast<id_t>(pid_), &info, WEXITED | WNOHANG | WNOWAIT) == 0 &&
        info.si_pid == pid_) {
      if (in_foreground_) terminal_.take_back();
      in_foreground_ = false;
      return info.si_code == CLD_EXITED ? info.si_status : 128 + info.si_status;
    }
    info.si_pid = 0;
    if (waitid(P_PID, static_cast<id_t>(pid_), &info, WSTOPPED | WNOHANG) == 0 && info.si_pid == pid_)
      stop_too(info.si_status);
    return std::nullopt;
  }

  // After SIGCONT: whoever has continued us means COMMAND.
  void go_on() {
    if (terminal_.is_ours()) {
      terminal_.give_to(pid_);
      in_foreground_ = true;
    }
    kill(-pid_, SIGCONT);
  }

 private:
  // Between fork and exec: nothing that could need a lock which another thread held.
  [[noreturn]] void become(const char* program, const std::vector<char*>& arguments,
                           const std::vector<char*>& environment, int failure) {
    const pid_t self = getpid();
    setpgid(0, 0);
    prctl(PR_SET_PDEATHSIG, SIGTERM);  // for when kdb and the supervisor are killed together
    if (in_foreground_) terminal_.give_to(self);
    const bool told = write(sandbox_.link(), &self, sizeof self) == sizeof self;
    pthread_sigmask(SIG_SETMASK, &signals_.before(), nullptr);
    signal(SIGPIPE, SIG_DFL);  // kdb ignores it; a COMMAND in a pipeline must not
    if (told) execve(program, arguments.data(), environment.data());
    const int error = errno;
    _exit(write(failure, &error, sizeof error) == sizeof error ? 127 : 126);
  }

  // Ctrl-Z, or it wants a terminal that is not ours to give: our shell must see its job stopped. All of our
  // group: a script that has started us belongs to the job, and so does the rest of a pipeline.
  void stop_too(int signal) {
    const bool wants_terminal = signal == SIGTTIN || signal == SIGTTOU;
    if (wants_terminal && terminal_.is_ours()) return go_on();
    if (!wants_terminal && (signal != SIGTSTP || !in_foreground_))
      return;  // somebody's wish, not the terminal's
    if (in_foreground_) terminal_.take_back();
    in_foreground_ = false;
    kill(0, SIGTSTP);
    // Where nobody could wake us (an orphaned process group) we were not stopped, and COMMAND must not be
    // either.
    sigset_t pending;
    sigpending(&pending);
    if (sigismember(&pending, SIGCONT) != 1 && !wants_terminal) go_on();
  }

  const Sandbox& sandbox_;
  const Signals& signals_;
  Terminal terminal_;
  bool in_foreground_ = false;
  pid_t pid_ = -1;
};

bool is_readable(int fd) {
  pollfd source{.fd = fd, .events = POLLIN, .revents = 0};
  return poll(&source, 1, 0) > 0;
}

[[noreturn]] void fail_without_supervisor() {
  throw Error(Exit::failed, "the sandbox's supervisor ended, and its server with it",
              "the next sandbox removes what it left");
}

int wait_for_command(Command& command, const Sandbox& sandbox, const Signals& signals) {
  int stopped_by = 0;
  while (true) {
    std::array<pollfd, 2> sources{{{signals.fd(), POLLIN, 0}, {sandbox.link(), POLLIN, 0}}};
    poll(sources.data(), sources.size(), -1);
    while (const int signal = signals.next()) {
      if (signal == SIGCONT) command.go_on();
      if (signal != SIGINT && signal != SIGTERM && signal != SIGHUP) continue;
      stopped_by = signal;
      stop_group(command.pid(), signal, patience);
    }
    if (const auto code = command.look()) return stopped_by == 0 ? *code : 128 + stopped_by;
    if (sources[1].revents != 0 && is_readable(sandbox.link())) {
      stop_group(command.pid(), SIGTERM, patience);
      fail_without_supervisor();
    }
  }
}

// Only a pipe or socket: the end of /dev/null says nothing, and a terminal may be somebody else's.
bool stdin_can_end() {
  struct stat status {};
  return fstat(0, &status) == 0 && (S_ISFIFO(status.st_mode) || S_ISSOCK(status.st_mode));
}

bool stdin_has_ended() {
  std::array<char, 4096> ignored{};
  return read(0, ignored.data(), ignored.size()) == 0;
}

int wait_for_stop(const Sandbox& sandbox, const Signals& signals) {
  const int input = stdin_can_end() ? 0 : -1;
  while (true) {
    std::array<pollfd, 3> sources{
        {{signals.fd(), POLLIN, 0}, {sandbox.link(), POLLIN, 0}, {input, POLLIN, 0}}};
    poll(sources.data(), sources.size(), -1);
    while (const int signal = signals.next())
      if (signal == SIGINT || signal == SIGTERM || signal == SIGHUP) return 128 + signal;
    if (sources[1].revents != 0) fail_without_supervisor();
    if (sources[2].revents != 0 && stdin_has_ended()) return 0;
  }
}

}  // namespace

int run_in_sandbox(const SandboxOptions& options, const std::vector<std::string>& command,
                   const std::function<void(const Sandbox&)>& started) {
  if (!command.empty() && !find_program(command.front()))
    throw Error(Exit::usage, fmt::format("no program \"{}\" to run in the sandbox", command.front()),
                "give it as it would be started without kdb: kdb sandbox -- PROGRAM ARGUMENTS");
  const Signals signals;
  auto sandbox = std::make_unique<Sandbox>(options);
  if (started) started(*sandbox);
  if (command.empty()) return wait_for_stop(*sandbox, signals);
  Command running(command, *sandbox, signals);
  const int code = wait_for_command(running, *sandbox, signals);
  sandbox.reset();  // stops what COMMAND left in its group, so before `running` gives up that group's number
  return code;
}

}  // namespace kdb::host
