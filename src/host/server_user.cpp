#include "host/server_user.hpp"

#include <cerrno>
#include <cstddef>
#include <cstdio>
#include <cstring>

#include <fmt/format.h>
#include <grp.h>
#include <pwd.h>
#include <signal.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/error.hpp"
#include "host/process.hpp"

namespace kdb::host {
namespace {

constexpr int cannot_drop_rights = 125;

bool become(const ServerUser& user) {
  if (!user.differs) return true;
  return setgroups(user.groups.size(), user.groups.data()) == 0 && setgid(user.gid) == 0 &&
         setuid(user.uid) == 0;
}

void reset_signals() {
  for (int number = 1; number < NSIG; ++number)
    signal(number, SIG_DFL);  // fails for SIGKILL and SIGSTOP: as they are
  sigset_t none;
  sigemptyset(&none);
  sigprocmask(SIG_SETMASK, &none, nullptr);
}

[[noreturn]] void be_child(const ServerUser& user, int death_signal, pid_t parent,
                           const std::function<int()>& body) {
  reset_signals();
  if (!become(user)) {
    dprintf(STDERR_FILENO, "kdb: error: cannot become user \"%s\": %s\n", user.name.c_str(), strerror(errno));
    _exit(cannot_drop_rights);
  }
  // After the change of user, which clears it. A parent that ended before this line is seen in the next one.
  prctl(PR_SET_PDEATHSIG, death_signal);
  if (getppid() != parent) _exit(cannot_drop_rights);
  _exit(body());
}

}  // namespace

ServerUser server_user() {
  if (geteuid() != 0) {
    const passwd* entry = getpwuid(geteuid());
    const std::string name = entry == nullptr ? fmt::format("uid {}", geteuid()) : entry->pw_name;
    return {.uid = geteuid(), .gid = getegid(), .name = name, .differs = false};
  }
  for (const char* name : {"postgres", "nobody"})
    if (const passwd* entry = getpwnam(name); entry != nullptr && entry->pw_uid != 0)
      return {.uid = entry->pw_uid, .gid = entry->pw_gid, .name = name, .differs = true};
  throw Error(Exit::failed, "no user \"postgres\" or \"nobody\" to run the sandbox's server as",
              "PostgreSQL refuses to run as root: add such a user, or run kdb as an ordinary user");
}

ServerUser user_by_id(uid_t uid, gid_t gid) {
  ServerUser user{.uid = uid, .gid = gid, .name = fmt::format("uid {}", uid), .differs = uid != geteuid()};
  const passwd* entry = getpwuid(uid);
  if (entry == nullptr) return user;
  user.gid = entry->pw_gid;
  user.name = entry->pw_name;
  int count = 0;
  getgrouplist(user.name.c_str(), user.gid, nullptr, &count);  // says how many there are
  user.groups.resize(static_cast<size_t>(count));
  if (getgrouplist(user.name.c_str(), user.gid, user.groups.data(), &count) < 0) user.groups.clear();
  return user;
}

pid_t fork_as(const ServerUser& user, int death_signal, const std::function<int()>& body) {
  const pid_t parent = getpid();
  const pid_t pid = fork();
  if (pid < 0) throw Error(Exit::failed, with_errno("cannot start a process", errno));
  if (pid == 0) be_child(user, death_signal, parent, body);
  return pid;
}

int run_as(const ServerUser& user, const std::function<int()>& body) {
  const pid_t pid = fork_as(user, SIGKILL, body);
  int status = 0;
  while (waitpid(pid, &status, 0) < 0 && errno == EINTR) {
  }
  return exit_code(status);
}

}  // namespace kdb::host
