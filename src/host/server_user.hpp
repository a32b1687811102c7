#pragma once

#include <functional>
#include <string>
#include <vector>

#include <sys/types.h>

namespace kdb::host {

/// Whom the sandbox's server runs as.
struct ServerUser {
  uid_t uid = 0;
  gid_t gid = 0;
  std::string name;
  bool differs = false;            // from ourselves: we are root, and PostgreSQL refuses to run as root
  std::vector<gid_t> groups = {};  // besides gid
};

/// Ourselves; for root "postgres" if there is such a user, else "nobody". Throws Error(failed) if there is
/// neither.
ServerUser server_user();

/// Who owns something, with all the groups that it is in; `gid` is its group where nobody has that number.
ServerUser user_by_id(uid_t uid, gid_t gid);

/// A child process that runs `body` as that user and ends with what it returns. It is killed with
/// `death_signal` when we end before it. Call it from the main thread of a program with one thread only: the
/// kernel sends that signal when the creating thread ends. Throws Error(failed) if there can be no more
/// processes.
pid_t fork_as(const ServerUser& user, int death_signal, const std::function<int()>& body);

/// Runs `body` as that user, to its end: what it returned. For what is done to files that this user owns, so
/// that it cannot lead us, by links, to files that it does not.
int run_as(const ServerUser& user, const std::function<int()>& body);

}  // namespace kdb::host
