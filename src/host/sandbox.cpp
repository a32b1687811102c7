#include "host/sandbox.hpp"

#include <array>
#include <cerrno>
#include <cstdlib>
#include <filesystem>
#include <string_view>

#include <fcntl.h>
#include <fmt/format.h>
#include <poll.h>
#include <signal.h>
#include <spawn.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/error.hpp"
#include "base/text.hpp"
#include "host/process.hpp"
#include "host/supervisor.hpp"
#include "host/unique_fd.hpp"

namespace kdb::host {
namespace {

pid_t spawn_supervisor(const std::string& program, const std::vector<std::string>& command, int link) {
  posix_spawn_file_actions_t actions;
  posix_spawn_file_actions_init(&actions);
  // The link first: where kdb was started without stdin, it may have that number.
  posix_spawn_file_actions_adddup2(&actions, link, supervisor_link::fd);
  posix_spawn_file_actions_addopen(&actions, 0, "/dev/null", O_RDWR, 0);
  posix_spawn_file_actions_adddup2(&actions, 0, 1);  // stderr stays: it says what nobody else can
  const std::vector<std::string> variables = environment_with({});
  pid_t pid = -1;
  const int error = posix_spawn(&pid, program.c_str(), &actions, nullptr, exec_pointers(command).data(),
                                exec_pointers(variables).data());
  posix_spawn_file_actions_destroy(&actions);
  if (error != 0)
    throw Error(Exit::failed,
                with_errno(fmt::format("cannot start the sandbox's supervisor \"{}\"", program), error));
  return pid;
}

// The signal that a caller has blocked, in order to look at it later, and that has arrived; else 0.
int pending_signal() {
  sigset_t pending;
  sigpending(&pending);
  for (const int number : {SIGINT, SIGTERM, SIGHUP})
    if (sigismember(&pending, number) == 1) return number;
  return 0;
}

}  // namespace

struct Sandbox::Impl {
  pid_t supervisor = 0;
  UniqueFd link;
  std::string url;
  std::string tcp_url;
  std::string folder;
  std::string pg_bin;
  int server_pid = 0;
  std::vector<std::string> left_out;

  explicit Impl(const SandboxOptions& options) : pg_bin(find_pg_bin(options.pg_bin)) {
    launch(options);
    try {
      receive_start();
    } catch (...) {
      stop();
      throw;
    }
  }
  ~Impl() { stop(); }
  Impl(const Impl&) = delete;
  Impl& operator=(const Impl&) = delete;

  void launch(const SandboxOptions& options) {
    if (options.supervisor.empty() && !can_be_supervisor())
      throw Error(Exit::failed, "this program cannot be the supervisor of a sandbox",
                  "its main must begin with host::is_supervisor, or SandboxOptions::supervisor name a kdb");
    std::vector<std::string> command{"kdb", std::string(supervisor_link::command_word), pg_bin};
    for (const auto& [name, value] : options.settings) command.push_back(fmt::format("{}={}", name, value));
    std::array<int, 2> ends{};
    if (socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, ends.data()) != 0)
      throw Error(Exit::failed, with_errno("cannot make a socket", errno));
    link.reset(ends[0]);
    const UniqueFd its_end(ends[1]);
    if (options.trial) {
      command.emplace_back(supervisor_link::trial_word);
      send_trial(*options.trial);
    }
    // Not the path of the program: that may have been replaced since we were started.
    supervisor = spawn_supervisor(options.supervisor.empty() ? "/proc/self/exe" : options.supervisor, command,
                                  its_end.get());
  }

  void send_trial(TrialStart trial) const {
    trial.pg_bin = pg_bin;
    const std::string packet = supervisor_link::pack(trial_fields(trial));
    if (packet.size() > supervisor_link::most_trial_bytes ||
        send(link.get(), packet.data(), packet.size(), MSG_NOSIGNAL | MSG_DONTWAIT) < 0)
      throw Error(Exit::failed, "there are more settings than a trial can be told");
  }

  void receive_start() {
    std::array<char, supervisor_link::most_bytes> packet{};
    pollfd source{.fd = link.get(), .events = POLLIN, .revents = 0};
    while (poll(&source, 1, 50) <= 0) {
      const int signal = pending_signal();
      if (signal != 0)
        throw Error(static_cast<Exit>(128 + signal), "interrupted while the sandbox was starting");
    }
    const ssize_t count = recv(link.get(), packet.data(), packet.size(), 0);
    understand(supervisor_link::unpack({packet.data(), count > 0 ? static_cast<std::size_t>(count) : 0}));
  }

  void understand(const std::vector<std::string>& fields) {
    if (fields.size() == 5 && fields[0] == supervisor_link::error)
      throw Error(static_cast<Exit>(std::atoi(fields[1].c_str())),
                  Problem{.message = fields[2], .hint = fields[3], .details = fields[4]});
    if (fields.size() < 5 || fields[0] != supervisor_link::ready)
      throw Error(Exit::failed, "the sandbox's supervisor ended before the server was ready",
                  "the next sandbox removes what it left");
    url = fields[1];
    tcp_url = fields[2];
    folder = fields[3];
    server_pid = std::atoi(fields[4].c_str());
    left_out.assign(fields.begin() + 5, fields.end());
  }

  // Closing the link tells the supervisor; its end says that nothing is left.
  void stop() {
    link.reset();
    while (supervisor > 0 && waitpid(supervisor, nullptr, 0) < 0 && errno == EINTR) {
    }
    supervisor = 0;
  }
};

Sandbox::Sandbox(const SandboxOptions& options) : impl_(std::make_unique<Impl>(options)) {}
Sandbox::~Sandbox() = default;

const std::string& Sandbox::url() const { return impl_->url; }
const std::string& Sandbox::tcp_url() const { return impl_->tcp_url; }
const std::string& Sandbox::folder() const { return impl_->folder; }
const std::string& Sandbox::pg_bin() const { return impl_->pg_bin; }
int Sandbox::server_pid() const { return impl_->server_pid; }
const std::vector<std::string>& Sandbox::left_out() const { return impl_->left_out; }
int Sandbox::link() const { return impl_->link.get(); }

std::string Sandbox::url_for(const std::string& role, const std::string& database) const {
  return fmt::format("postgresql://{}@/{}{}", percent_encode(role), percent_encode(database),
                     url().substr(url().find('?')));
}

namespace {

// They would lead elsewhere (PGSERVICE, PGHOSTADDR) or ask what the sandbox has not (PGSSLMODE); PGDATA would
// lead pg_ctl elsewhere.
const std::vector<std::string> foreign_variables = {"PGHOSTADDR",
                                                    "PGSERVICE",
                                                    "PGSERVICEFILE",
                                                    "PGPASSWORD",
                                                    "PGPASSFILE",
                                                    "PGREQUIREAUTH",
                                                    "PGCHANNELBINDING",
                                                    "PGREQUIREPEER",
                                                    "PGREQUIRESSL",
                                                    "PGSSLMODE",
                                                    "PGSSLNEGOTIATION",
                                                    "PGSSLCERT",
                                                    "PGSSLKEY",
                                                    "PGSSLROOTCERT",
                                                    "PGSSLCRL",
                                                    "PGSSLCRLDIR",
                                                    "PGSSLCERTMODE",
                                                    "PGGSSENCMODE",
                                                    "PGTARGETSESSIONATTRS",
                                                    "PGLOADBALANCEHOSTS",
                                                    "PGOPTIONS",
                                                    "PGDATA",
                                                    "PGMINPROTOCOLVERSION",
                                                    "PGMAXPROTOCOLVERSION",
                                                    "PGSSLMINPROTOCOLVERSION",
                                                    "PGSSLMAXPROTOCOLVERSION"};

}  // namespace

namespace {

std::vector<std::string> libpq_variables() {
  std::vector<std::string> names = foreign_variables;
  names.insert(names.end(), {"PGHOST", "PGPORT", "PGUSER", "PGDATABASE"});
  return names;
}

}  // namespace

void forget_libpq_variables() {
  for (const std::string& name : libpq_variables()) unsetenv(name.c_str());
}

WithoutLibpqVariables::WithoutLibpqVariables() {
  for (const std::string& name : libpq_variables())
    if (auto value = environment(name)) values_.emplace(name, std::move(*value));
  forget_libpq_variables();
}

WithoutLibpqVariables::~WithoutLibpqVariables() {
  for (const auto& [name, value] : values_) setenv(name.c_str(), value.c_str(), 1);
}

std::vector<std::string> sandbox_environment(const Sandbox& sandbox) {
  const std::string& url = sandbox.url();
  return environment_with(
      {{"DATABASE_URL", url},
       {"KDB_DATABASE_URL", url},  // kdb prefers it: COMMAND must not reach another database by it
       {"KDB_SANDBOX_TCP_URL", sandbox.tcp_url()},
       {"KDB_SANDBOX_FOLDER", sandbox.folder()},
       {"KDB_SANDBOX_PG_BIN", sandbox.pg_bin()},
       {"PGHOST", sandbox.folder()},
       {"PGPORT", url.substr(url.rfind('=') + 1)},
       {"PGUSER", "postgres"},
       {"PGDATABASE", "postgres"}},
      foreign_variables);
}

}  // namespace kdb::host
