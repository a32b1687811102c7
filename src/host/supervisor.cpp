#include "host/supervisor.hpp"

#include <array>
#include <cerrno>
#include <exception>
#include <initializer_list>
#include <optional>
#include <string>
#include <vector>

#include <fcntl.h>
#include <fmt/format.h>
#include <poll.h>
#include <signal.h>
#include <sys/prctl.h>
#include <sys/signalfd.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/error.hpp"
#include "host/process.hpp"
#include "host/process_group.hpp"
#include "host/sandbox_folder.hpp"
#include "host/server.hpp"
#include "host/server_user.hpp"
#include "host/trial.hpp"
#include "host/trial_supervision.hpp"
#include "host/unique_fd.hpp"

namespace kdb::host {
namespace {

using std::chrono::milliseconds;

constexpr milliseconds command_patience{3000};

// Written once, at the beginning of main.
bool asked_by_main = false;

// Thrown by a pause in the start, when nobody wants the sandbox any more.
struct Stopped {};

// The two things a supervisor listens to: kdb's end of the link, and signals.
class Ears {
 public:
  Ears() {
    sigset_t signals;
    sigemptyset(&signals);
    for (const int number : {SIGTERM, SIGINT, SIGHUP, SIGQUIT, SIGCHLD}) sigaddset(&signals, number);
    signal(SIGCHLD, SIG_DFL);  // ignored, it would take the children's exit status away
    signal(SIGPIPE, SIG_IGN);
    sigprocmask(SIG_SETMASK, &signals, nullptr);
    signals_.reset(signalfd(-1, &signals, SFD_CLOEXEC | SFD_NONBLOCK));
  }

  // Waits for something to happen; negative: as long as it takes.
  void listen(milliseconds timeout) {
    std::array<pollfd, 2> sources{{{supervisor_link::fd, POLLIN, 0}, {signals_.get(), POLLIN, 0}}};
    if (poll(sources.data(), sources.size(), static_cast<int>(timeout.count())) <= 0) return;
    if (sources[0].revents != 0) hear_kdb();
    if (sources[1].revents != 0) hear_signals();
  }

  bool told_to_stop() const { return told_to_stop_; }
  pid_t command() const { return command_; }

 private:
  void hear_kdb() {
    pid_t command = 0;
    const ssize_t count = recv(supervisor_link::fd, &command, sizeof command, MSG_DONTWAIT);
    if (count == sizeof command) command_ = command;
    if (count == 0 || (count < 0 && errno != EINTR && errno != EAGAIN)) told_to_stop_ = true;
  }

  void hear_signals() {
    signalfd_siginfo signal{};
    while (read(signals_.get(), &signal, sizeof signal) == sizeof signal)
      if (signal.ssi_signo != SIGCHLD) told_to_stop_ = true;
  }

  UniqueFd signals_;
  bool told_to_stop_ = false;
  pid_t command_ = 0;
};

void tell_kdb(const std::vector<std::string>& fields) {
  const std::string packet = supervisor_link::pack(fields);
  send(supervisor_link::fd, packet.data(), std::min(packet.size(), supervisor_link::most_bytes),
       MSG_NOSIGNAL);
}

struct Order {
  Server::Options options;
  std::optional<TrialStart> trial;
};

void serve(Ears& ears, const Order& order) {
  const ServerUser user = server_user();
  remove_leftover_sandboxes(user);
  const SandboxFolder folder(user);
  Server server(folder, user, order.options);
  const Pause pause = [&](milliseconds timeout) {
    ears.listen(timeout);
    if (ears.told_to_stop()) throw Stopped{};
  };
  std::vector<std::string> left_out;
  if (order.trial)
    left_out = start_trial(server, *order.trial, pause);
  else
    server.start(pause);
  std::vector<std::string> answer{std::string(supervisor_link::ready), server.url(), server.tcp_url(),
                                  folder.path(), fmt::format("{}", server.pid())};
  answer.insert(answer.end(), left_out.begin(), left_out.end());
  tell_kdb(answer);
  while (!ears.told_to_stop()) ears.listen(milliseconds(-1));
  stop_group(ears.command(), SIGTERM, command_patience);
}

// Before anything else is read from the link.
TrialStart receive_trial() {
  std::string packet(supervisor_link::most_trial_bytes, '\0');
  const ssize_t count = recv(supervisor_link::fd, packet.data(), packet.size(), MSG_DONTWAIT);
  packet.resize(count > 0 ? static_cast<std::size_t>(count) : 0);
  return trial_from(supervisor_link::unpack(packet));
}

Order parse(int argc, char** argv) {
  Order order{.options = {.pg_bin = argv[2], .settings = {}}, .trial = std::nullopt};
  for (int i = 3; i < argc; ++i) {
    const std::string word = argv[i];
    if (word == supervisor_link::trial_word) {
      order.trial = receive_trial();
      order.options = trial_options(*order.trial);
    }
    const std::size_t equals = word.find('=');
    if (equals == std::string::npos) continue;
    order.options.settings.emplace_back(word.substr(0, equals), word.substr(equals + 1));
  }
  return order;
}

// Out of kdb's session: a Ctrl-C in the terminal is for COMMAND, and must not keep us from clearing up.
// Without the files that kdb was started with: a lock or a pipe among them would be held as long as the
// server runs.
void detach() {
  setsid();
  close_range(supervisor_link::fd + 1, ~0U, 0);
  fcntl(supervisor_link::fd, F_SETFD, FD_CLOEXEC);
  prctl(PR_SET_NAME, "kdb-sandbox");
  umask(077);
}

}  // namespace

namespace supervisor_link {

std::string pack(const std::vector<std::string>& fields) {
  std::string packet;
  for (const std::string& field : fields) packet += field + '\0';
  return packet;
}

std::vector<std::string> unpack(std::string_view packet) {
  std::vector<std::string> fields;
  while (!packet.empty()) {
    const std::size_t end = std::min(packet.find('\0'), packet.size());
    fields.emplace_back(packet.substr(0, end));
    packet.remove_prefix(std::min(end + 1, packet.size()));
  }
  return fields;
}

}  // namespace supervisor_link

bool is_supervisor(int argc, char** argv) {
  asked_by_main = true;
  return argc > 1 && argv[1] == supervisor_link::command_word;
}

bool can_be_supervisor() { return asked_by_main; }

int supervisor_main(int argc, char** argv) {
  if (argc < 3 || fcntl(supervisor_link::fd, F_GETFD) < 0) return static_cast<int>(Exit::usage);
  detach();
  Ears ears;
  try {
    serve(ears, parse(argc, argv));
  } catch (const Stopped&) {
    return 0;
  } catch (const Error& error) {
    // Only now: when kdb hears of it, nothing is left.
    const Problem& problem = error.problems().front();
    tell_kdb({std::string(supervisor_link::error), fmt::format("{}", static_cast<int>(error.exit())),
              problem.message, problem.hint, problem.details});
    return static_cast<int>(error.exit());
  } catch (const std::exception& error) {
    tell_kdb({std::string(supervisor_link::error), "1", error.what(), "", ""});
    return static_cast<int>(Exit::failed);
  }
  return 0;
}

}  // namespace kdb::host
