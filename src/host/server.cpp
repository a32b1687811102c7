#include "host/server.hpp"

#include <array>
#include <cerrno>
#include <chrono>
#include <cstdint>
#include <cstdio>
#include <cstring>
#include <filesystem>
#include <optional>
#include <string_view>
#include <system_error>

#include <arpa/inet.h>
#include <fcntl.h>
#include <fmt/format.h>
#include <fmt/ranges.h>
#include <locale.h>
#include <netinet/in.h>
#include <signal.h>
#include <sys/mman.h>
#include <sys/random.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/error.hpp"
#include "base/text.hpp"
#include "host/initdb_cache.hpp"
#include "host/pg_bin.hpp"
#include "host/postmaster.hpp"
#include "host/process.hpp"

namespace kdb::host {
namespace {

using std::chrono::milliseconds;
using std::chrono::seconds;

constexpr seconds start_patience{60};
constexpr int port_attempts = 10;
// Bytes.
constexpr off_t most_of_log = 8000;
constexpr off_t shown_of_log = 2000;

// A port that is free now; somebody may take it before the server does, who then asks for another.
int free_port() {
  const UniqueFd fd(socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0));
  sockaddr_in address{};
  socklen_t size = sizeof address;
  address.sin_family = AF_INET;
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  auto* general = reinterpret_cast<sockaddr*>(&address);  // what the socket functions take
  if (!fd || bind(fd.get(), general, size) != 0 || getsockname(fd.get(), general, &size) != 0)
    throw Error(Exit::failed, with_errno("no free port on 127.0.0.1", errno));
  return ntohs(address.sin_port);
}

std::string random_password() {
  std::array<std::uint8_t, 16> bytes{};
  if (getrandom(bytes.data(), bytes.size(), 0) != static_cast<ssize_t>(bytes.size()))
    throw Error(Exit::failed, with_errno("no random numbers", errno));
  return fmt::format("{:02x}", fmt::join(bytes, ""));
}

std::string server_locale() {
  const locale_t found = newlocale(LC_ALL_MASK, "C.UTF-8", nullptr);
  if (found == nullptr) return "C";
  freelocale(found);
  return "C.UTF-8";
}

bool write_file(const std::string& path, std::string_view text, int flags) {
  const UniqueFd fd(open(path.c_str(), O_WRONLY | O_CREAT | O_CLOEXEC | O_NOFOLLOW | flags, 0600));
  return fd && write(fd.get(), text.data(), text.size()) == static_cast<ssize_t>(text.size());
}

// The last lines of a file of ours, of at most so many bytes.
std::string end_of(int fd, off_t most) {
  const off_t size = lseek(fd, 0, SEEK_END);
  std::string buffer(static_cast<std::size_t>(most), '\0');
  const ssize_t count = pread(fd, buffer.data(), buffer.size(), size > most ? size - most : 0);
  std::string_view text(buffer.data(), count > 0 ? static_cast<std::size_t>(count) : 0);
  if (size > most) text.remove_prefix(std::min(text.find('\n') + 1, text.size()));
  while (!text.empty() && text.back() == '\n') text.remove_suffix(1);
  return std::string(text);
}

int copy_folder(const std::string& from, const std::string& to) {
  std::error_code error;
  std::filesystem::copy(from, to, std::filesystem::copy_options::recursive, error);
  return error.value();
}

// As root we could be led to another's file, by a link.
std::string read_password(const ServerUser& user, const std::string& path) {
  const UniqueFd fd(open(path.c_str(), O_RDONLY | O_CLOEXEC | O_NOFOLLOW));
  struct stat status {};
  std::array<char, 64> buffer{};
  if (fd && fstat(fd.get(), &status) == 0 && status.st_uid == user.uid)
    if (const ssize_t count = read(fd.get(), buffer.data(), buffer.size()); count > 0)
      return std::string(trim(std::string_view(buffer.data(), static_cast<std::size_t>(count))));
  throw Error(Exit::failed, fmt::format("no password of user \"{}\" in \"{}\"", user.name, path));
}

// The server's own surroundings decide nothing: neither PGDATA, PGPORT or PGTZ, nor the language of its log.
// And what stands in there is nobody's business: code in PL/Perl can read the variables of its server, and a
// pipeline keeps its secrets in them.
std::vector<std::string> server_environment() {
  std::vector<std::string> result{"LC_ALL=C"};
  for (const char* name : {"PATH", "HOME", "USER", "LOGNAME", "TMPDIR", "LD_LIBRARY_PATH"})
    if (const auto value = environment(name)) result.push_back(fmt::format("{}={}", name, *value));
  return result;
}

}  // namespace

Server::Server(const SandboxFolder& folder, ServerUser user, Options options)
    : folder_(folder),
      user_(std::move(user)),
      options_(std::move(options)),
      log_(open(folder.log().c_str(), O_RDWR | O_CREAT | O_EXCL | O_APPEND | O_CLOEXEC | O_NOFOLLOW, 0600)),
      password_(random_password()) {
  if (!log_ || fchown(log_.get(), user_.uid, user_.gid) != 0)
    throw Error(Exit::failed, with_errno(fmt::format("cannot write \"{}\"", folder.log()), errno));
}

Server::~Server() { stop_postmaster(folder_.data(), StopHow::in_order, pid_); }

void Server::start(const Pause& pause) {
  prepare(pause);
  if (!run(options_.settings, pause)) fail("the sandbox's server does not start");
}

void Server::prepare(const Pause& pause) {
  check_programs();
  initialise(pause);
}

bool Server::run(const Settings& settings, const Pause& pause) {
  for (int attempt = 0; attempt < port_attempts; ++attempt) {
    port_ = free_port();
    configure(settings);
    if (try_to_start(pause)) return true;
    if (!port_was_taken()) break;
  }
  return false;
}

ProcessResult Server::ask(const std::string& name, const Settings& settings, const Pause& pause) {
  configure(settings);
  const UniqueFd out(memfd_create("out", MFD_CLOEXEC));
  const UniqueFd error(memfd_create("error", MFD_CLOEXEC));
  if (!out || !error) throw Error(Exit::failed, with_errno("no memory for what postgres says", errno));
  std::vector<std::string> command = postgres_command();
  command.insert(command.end(), {"-C", name});
  const int code = wait_for(launch(command, SIGKILL, out.get(), error.get()), pause);
  return {.exit = code,
          .out = std::string(trim(end_of(out.get(), most_of_log))),
          .error = end_of(error.get(), most_of_log)};
}

std::string Server::url() const {
  return fmt::format("postgresql://postgres@/postgres?host={}&port={}", percent_encode(folder_.path()),
                     port_);
}

std::string Server::tcp_url() const {
  return fmt::format("postgresql://postgres:{}@127.0.0.1:{}/postgres", password_, port_);
}

void Server::check_programs() const {
  for (const char* name : {"initdb", "postgres"}) {
    const std::string program = fmt::format("{}/{}", options_.pg_bin, name);
    const int error = run_as(user_, [&] { return access(program.c_str(), X_OK) == 0 ? 0 : errno; });
    if (error == 0) continue;
    throw Error(
        Exit::failed, with_errno(fmt::format("user \"{}\" cannot run \"{}\"", user_.name, program), error),
        user_.differs ? fmt::format("kdb runs as root, so the server runs as \"{}\": put its programs where "
                                    "that user may read them",
                                    user_.name)
                      : "");
  }
}

void Server::initialise(const Pause& pause) {
  const std::optional<InitdbCache> cache = InitdbCache::from_environment(user_);
  if (!cache) {
    const std::string password_file = folder_.path() + "/password";
    run_initdb(folder_.data(), password_file, pause);
    run_as(user_, [&] { return unlink(password_file.c_str()); });
    return;
  }
  const std::string kept = cache->folder(
      initdb_key(initdb_command()),
      [&](const std::string& folder) { run_initdb(folder + "/data", folder + "/password", pause); }, pause);
  const int error = run_as(user_, [&] { return copy_folder(kept + "/data", folder_.data()); });
  if (error != 0)
    throw Error(Exit::failed,
                with_errno(fmt::format("cannot copy \"{}\" to \"{}\"", kept, folder_.path()), error));
  password_ = read_password(user_, kept + "/password");
}

// Without the folder and the password. Only the folder's owner reaches the socket, so that it needs none;
// anybody on the machine reaches the port.
std::vector<std::string> Server::initdb_command() const {
  return {options_.pg_bin + "/initdb",
          "--username=postgres",
          "--auth-local=trust",
          "--auth-host=scram-sha-256",
          "--encoding=UTF8",
          "--locale=" + server_locale(),
          fmt::format("--wal-segsize={}", options_.wal_segment_mb),
          "--no-sync",
          "--no-instructions"};
}

void Server::run_initdb(const std::string& data, const std::string& password_file, const Pause& pause) const {
  run_as(user_, [&] { return write_file(password_file, password_ + "\n", O_EXCL) ? 0 : 1; });
  std::vector<std::string> command = initdb_command();
  command.insert(command.end(), {"--pgdata", data, "--pwfile", password_file});
  const int code = wait_for(launch(command, SIGKILL), pause);
  if (code != 0) fail(fmt::format("\"{}/initdb\" failed", options_.pg_bin));
  if (ftruncate(log_.get(), 0) != 0) throw Error(Exit::failed, with_errno("cannot empty the log", errno));
}

void Server::configure(const Settings& settings) const {
  Settings all = options_.plain ? Settings() : throwaway_settings(offers_timescaledb(options_.pg_bin));
  all.insert(all.end(), settings.begin(), settings.end());
  // Where nothing is started there is no port yet, and the settings are to be judged as they are.
  if (port_ != 0) {
    all.emplace_back("port", fmt::format("{}", port_));
    all.emplace_back("unix_socket_directories", folder_.path());
  }
  const std::string text = configuration_text(all);
  const std::string data = folder_.data();
  const int code = run_as(user_, [&] {
    return write_file(data + "/kdb.conf", text, O_TRUNC) &&
                   write_file(data + "/postgresql.conf", "include 'kdb.conf'\n",
                              options_.plain ? O_TRUNC : O_APPEND)
               ? 0
               : 1;
  });
  if (code != 0) throw Error(Exit::failed, fmt::format("cannot write \"{}/kdb.conf\"", data));
}

// False if it ended; its log says why.
bool Server::try_to_start(const Pause& pause) {
  pid_ = launch(postgres_command(), SIGQUIT);
  const auto deadline = std::chrono::steady_clock::now() + start_patience;
  while (waitpid(pid_, nullptr, WNOHANG) == 0) {
    const std::optional<Postmaster> found = find_postmaster(folder_.data());
    if (found && found->pid == pid_ && found->ready) return true;
    if (std::chrono::steady_clock::now() > deadline)
      fail(fmt::format("the sandbox's server is not ready after {} s", start_patience.count()));
    pause(milliseconds(5));
  }
  pid_ = 0;
  return false;
}

std::vector<std::string> Server::postgres_command() const {
  const std::string data = folder_.data();
  std::vector<std::string> command{options_.pg_bin + "/postgres", "-D", data};
  // Over whatever a file says: data_directory leads a server into another's folder, in spite of -D.
  command.insert(command.end(),
                 {"-c", "data_directory=" + data, "-c", fmt::format("hba_file={}/pg_hba.conf", data), "-c",
                  fmt::format("ident_file={}/pg_ident.conf", data)});
  command.insert(command.end(), options_.arguments.begin(), options_.arguments.end());
  return command;
}

pid_t Server::launch(const std::vector<std::string>& command, int death_signal) const {
  return launch(command, death_signal, log_.get(), log_.get());
}

pid_t Server::launch(const std::vector<std::string>& command, int death_signal, int out, int error) const {
  const std::vector<std::string> variables = server_environment();
  const std::vector<char*> arguments = exec_pointers(command);
  const std::vector<char*> environment = exec_pointers(variables);
  return fork_as(user_, death_signal, [&] {
    dup2(out, STDOUT_FILENO);
    dup2(error, STDERR_FILENO);
    if (chdir(folder_.path().c_str()) == 0) execve(arguments.front(), arguments.data(), environment.data());
    dprintf(STDERR_FILENO, "cannot run \"%s\": %s\n", arguments.front(), strerror(errno));
    return 127;
  });
}

int Server::wait_for(pid_t pid, const Pause& pause) const {
  int status = 0;
  try {
    while (waitpid(pid, &status, WNOHANG) == 0) pause(milliseconds(20));
  } catch (...) {
    kill(pid, SIGKILL);
    waitpid(pid, nullptr, 0);
    throw;
  }
  return exit_code(status);
}

std::string Server::log() const { return end_of(log_.get(), most_of_log); }

void Server::fail(const std::string& message) const {
  const std::string end = end_of(log_.get(), shown_of_log);
  const bool lacks_library = end.find("loading shared libraries") != std::string::npos;
  throw Error(
      Exit::failed,
      Problem{.message = message + "; the end of its log:",
              .hint = lacks_library
                          ? "install the library; a package from npm needs its install script (npm rebuild)"
                          : "",
              .details = end});
}

bool Server::port_was_taken() const { return log().find("could not bind") != std::string::npos; }

}  // namespace kdb::host
