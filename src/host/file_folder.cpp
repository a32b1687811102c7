#include "host/file_folder.hpp"

#include <algorithm>
#include <array>
#include <cerrno>
#include <climits>
#include <filesystem>
#include <string_view>
#include <utility>
#include <vector>

#include <fcntl.h>
#include <fmt/format.h>
#include <signal.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/error.hpp"
#include "base/text.hpp"
#include "host/process.hpp"
#include "host/server_user.hpp"
#include "host/unique_fd.hpp"

namespace kdb::host {
namespace {

constexpr int most_links = 40;  // as the kernel has it: path_resolution(7)

/// Where a path leads. Open all along, so that nothing can be put in its place.
struct Way {
  UniqueFd end;
  uid_t owner = 0;  // as owner_of_way has it
  gid_t group = 0;  // of the same folder or link
};

/// The parts of a path, the last one first, in front of others.
void push_parts(std::vector<std::string>& parts, std::string_view path) {
  std::vector<std::string_view> fresh = split(path, '/');
  std::reverse(fresh.begin(), fresh.end());
  for (const std::string_view part : fresh)
    if (!part.empty()) parts.emplace_back(part);
}

std::string target_of(const UniqueFd& link) {
  std::array<char, PATH_MAX> target{};
  const ssize_t length = readlinkat(link.get(), "", target.data(), target.size());
  return {target.data(), length < 0 ? 0 : static_cast<size_t>(length)};
}

Way walk(const std::string& path) {
  constexpr int flags = O_PATH | O_NOFOLLOW | O_CLOEXEC;
  Way way{.end = UniqueFd(open("/", flags))};
  std::vector<std::string> left;
  push_parts(left, path);
  for (int links = 0; !left.empty();) {
    UniqueFd next(openat(way.end.get(), left.back().c_str(), flags));
    struct stat status {};
    if (!next || fstat(next.get(), &status) != 0) throw_file_error("cannot open", path, errno);
    left.pop_back();
    const bool is_link = S_ISLNK(status.st_mode);
    if (way.owner == 0) {
      way.owner = status.st_uid;
      way.group = status.st_gid;
    }
    if (!is_link) {
      way.end = std::move(next);
      continue;
    }
    if (++links > most_links) throw_file_error("cannot open", path, ELOOP);
    const std::string target = target_of(next);
    if (target.starts_with('/')) way.end.reset(open("/", flags));
    push_parts(left, target);
  }
  return way;
}

bool write_answer(int fd, std::string_view answer) {
  while (!answer.empty()) {
    const ssize_t written = write(fd, answer.data(), answer.size());
    if (written < 0 && errno == EINTR) continue;
    if (written <= 0) return false;
    answer.remove_prefix(static_cast<size_t>(written));
  }
  return true;
}

std::string read_answer(int fd) {
  std::string answer;
  std::array<char, 65536> buffer{};
  for (;;) {
    const ssize_t length = read(fd, buffer.data(), buffer.size());
    if (length < 0 && errno == EINTR) continue;
    if (length <= 0) return answer;
    answer.append(buffer.data(), static_cast<size_t>(length));
  }
}

constexpr char went_well = '+';
constexpr char failed = '-';  // then message, NUL, hint

std::string answer_of(const std::function<std::string()>& body) {
  try {
    return went_well + body();
  } catch (const Error& error) {
    const Problem& problem = error.problems().front();
    return failed + problem.message + '\0' + problem.hint;
  }
}

/// What `body`, run as that user, returned, or the error that it threw.
std::string call_as(const ServerUser& user, const std::function<std::string()>& body) {
  std::array<int, 2> ends{};
  if (pipe2(ends.data(), O_CLOEXEC) != 0) throw Error(Exit::failed, with_errno("cannot make a pipe", errno));
  const UniqueFd ours(ends[0]);
  UniqueFd theirs(ends[1]);
  const pid_t pid =
      fork_as(user, SIGKILL, [&] { return write_answer(theirs.get(), answer_of(body)) ? 0 : 1; });
  theirs.reset();
  const std::string answer = read_answer(ours.get());
  int status = 0;
  while (waitpid(pid, &status, 0) < 0 && errno == EINTR) {
  }
  if (exit_code(status) != 0 || answer.empty())
    throw Error(Exit::failed,
                fmt::format("what was to be done as user \"{}\" was not: its process ended with {}",
                            user.name, exit_code(status)));
  const std::string_view rest = std::string_view(answer).substr(1);
  if (answer.front() == went_well) return std::string(rest);
  const size_t end = rest.find('\0');
  throw Error(Exit::failed, std::string(rest.substr(0, end)), std::string(rest.substr(end + 1)));
}

}  // namespace

void throw_file_error(const std::string& what, const std::string& path, int error) {
  const bool is_right = error == EACCES || error == EPERM || error == EROFS;
  throw Error(Exit::failed, with_errno(fmt::format("{} \"{}\"", what, path), error),
              is_right ? "run kdb as the server's user (as root it becomes the owner of the file's folder), "
                         "or use --method alter-system"
                       : "");
}

uid_t owner_of_way(const std::string& path) { return walk(path).owner; }

std::string in_folder_of(const std::string& path, const std::string& named_by,
                         const std::function<std::string(int folder)>& work) {
  const std::string folder = std::filesystem::path(path).parent_path().string();
  constexpr int flags = O_RDONLY | O_DIRECTORY | O_CLOEXEC;
  const auto work_in = [&](int from, const std::string& name) {
    const UniqueFd fd(openat(from, name.c_str(), flags));
    if (!fd) throw_file_error("cannot open the folder of", path, errno);
    return work(fd.get());
  };
  if (geteuid() != 0) return work_in(AT_FDCWD, folder);
  const auto as_owner_of = [&](const Way& way) {
    return call_as(user_by_id(way.owner, way.group), [&] { return work_in(AT_FDCWD, folder); });
  };
  if (!named_by.empty() && std::filesystem::path(named_by).parent_path() != folder)
    if (const Way by = walk(named_by); by.owner != 0) return as_owner_of(by);
  const Way way = walk(folder);
  return way.owner == 0 ? work_in(way.end.get(), ".") : as_owner_of(way);
}

}  // namespace kdb::host
