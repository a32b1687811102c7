#include "host/file_edit.hpp"

#include <array>
#include <cerrno>
#include <cstddef>
#include <cstdio>
#include <filesystem>
#include <string_view>
#include <utility>

#include <fcntl.h>
#include <fmt/format.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <sys/xattr.h>
#include <unistd.h>

#include "base/checksum.hpp"
#include "base/error.hpp"
#include "host/file_folder.hpp"
#include "host/unique_fd.hpp"

namespace kdb::host {
namespace {

constexpr const char* acl_name = "system.posix_acl_access";

/// A file's bytes and who may do what with it.
struct HeldFile {
  std::string bytes;
  struct stat status {};
  std::string acl;  // empty: the mode says it all
};

constexpr size_t longest_acl = 65536;  // xattr(7)

std::string acl_of(int fd) {
  std::string acl(longest_acl, '\0');
  const ssize_t length = fgetxattr(fd, acl_name, acl.data(), acl.size());
  acl.resize(length < 0 ? 0 : static_cast<size_t>(length));
  return acl;
}

/// Without it the group's bits of the mode are what named users may do at most, and not what the group may.
bool set_acl(int fd, const std::string& acl) {
  if (!acl.empty()) return fsetxattr(fd, acl_name, acl.data(), acl.size(), 0) == 0;
  // The folder may give new files one.
  return fremovexattr(fd, acl_name) == 0 || errno == ENODATA || errno == EOPNOTSUPP;
}

/// All of a file but its bytes.
HeldFile rights_of(const std::string& path) {
  HeldFile file;
  const UniqueFd fd(open(path.c_str(), O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC));
  if (!fd || fstat(fd.get(), &file.status) != 0) throw_file_error("cannot read", path, errno);
  file.acl = acl_of(fd.get());
  return file;
}

/// Edits of one file, in its folder.
class FileInFolder {
 public:
  FileInFolder(int folder, const std::string& path)
      : folder_(folder), path_(path), name_(std::filesystem::path(path).filename().string()) {}

  /// Keeps other kdbs out until the folder is closed: what is not yet a file has one name for all. Not every
  /// network's file system can.
  void lock() const {
    if (flock(folder_, LOCK_EX | LOCK_NB) != 0 && errno == EWOULDBLOCK)
      throw Error(Exit::failed, fmt::format("another kdb is at work in the folder of \"{}\"", path_),
                  "try again when it has ended");
  }

  std::optional<HeldFile> read(const std::string& name) const {
    // Without blocking, should it be a pipe.
    const UniqueFd fd(openat(folder_, name.c_str(), O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC));
    if (!fd && errno == ENOENT) return std::nullopt;
    if (!fd && errno == ELOOP) refuse("is a symbolic link");
    HeldFile file;
    if (!fd || fstat(fd.get(), &file.status) != 0) throw_file_error("cannot read", path_, errno);
    if (!S_ISREG(file.status.st_mode)) refuse("is not a regular file");
    std::array<char, 65536> buffer{};
    for (;;) {
      const ssize_t length = ::read(fd.get(), buffer.data(), buffer.size());
      if (length < 0 && errno == EINTR) continue;
      if (length < 0) throw_file_error("cannot read", path_, errno);
      if (length == 0) break;
      file.bytes.append(buffer.data(), static_cast<size_t>(length));
    }
    file.acl = acl_of(fd.get());
    return file;
  }
  std::optional<HeldFile> read() const { return read(name_); }

  /// The file with those bytes, on the disk for good. `old` is what it is now; a new one is as `like` is.
  void replace(const std::optional<HeldFile>& old, const std::string& bytes, const std::string& like) const {
    write_fresh(bytes, old ? *old : rights_of(like));
    check_unchanged(old);
    const int done = old ? rename_fresh_to(name_) : rename_fresh_to_new();
    if (done != 0) fail_and_clean();
    sync_folder();
  }

  void remove() const {
    if (unlinkat(folder_, name_.c_str(), 0) != 0) throw_file_error("cannot remove", path_, errno);
    sync_folder();
  }

  /// Puts a copy beside the file, unless it is there.
  void keep(const HeldFile& old, const std::string& backup) const {
    const std::string name = std::filesystem::path(backup).filename().string();
    struct stat there {};
    if (fstatat(folder_, name.c_str(), &there, AT_SYMLINK_NOFOLLOW) == 0 && S_ISREG(there.st_mode)) {
      const std::optional<HeldFile> kept = read(name);
      if (kept && kept->bytes == old.bytes) return;
    }
    write_fresh(old.bytes, old);
    if (rename_fresh_to(name) != 0) fail_and_clean();
    sync_folder();
  }

  [[noreturn]] void refuse(const char* why) const {
    throw Error(Exit::failed, fmt::format("\"{}\" {}", path_, why),
                "kdb writes regular files only: move it away, or use --method alter-system");
  }

  [[noreturn]] void refuse_changed() const {
    throw Error(Exit::failed, fmt::format("\"{}\" was changed meanwhile", path_), "run kdb again");
  }

 private:
  /// What the file is called until it is whole: the begin and the end are such as no include_dir reads.
  std::string fresh() const { return fmt::format(".{}.kdb-new", name_); }

  int rename_fresh_to(const std::string& name) const {
    return renameat(folder_, fresh().c_str(), folder_, name.c_str());
  }

  /// A file that has come into being meanwhile is somebody's. Not every file system can tell.
  int rename_fresh_to_new() const {
    if (renameat2(folder_, fresh().c_str(), folder_, name_.c_str(), RENAME_NOREPLACE) == 0) return 0;
    return errno == EINVAL || errno == ENOSYS ? rename_fresh_to(name_) : -1;
  }

  void sync_folder() const {
    if (fsync(folder_) != 0) throw_file_error("cannot write the folder of", path_, errno);
  }

  [[noreturn]] void fail_and_clean() const {
    const int error = errno;
    unlinkat(folder_, fresh().c_str(), 0);
    throw_file_error("cannot write", path_, error);
  }

  /// A killed kdb's leftover goes first: what is opened is a file of our own making.
  void write_fresh(const std::string& bytes, const HeldFile& owner) const {
    unlinkat(folder_, fresh().c_str(), 0);
    const UniqueFd fd(
        openat(folder_, fresh().c_str(), O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0600));
    if (!fd) throw_file_error("cannot write", path_, errno);
    if (!write_bytes(fd.get(), bytes)) fail_and_clean();
    const struct stat& status = owner.status;
    if (fchown(fd.get(), status.st_uid, status.st_gid) != 0) fail_and_clean();
    if (!set_acl(fd.get(), owner.acl)) fail_and_clean();
    if (fchmod(fd.get(), status.st_mode & 0777) != 0 || fsync(fd.get()) != 0) fail_and_clean();
  }

  static bool write_bytes(int fd, std::string_view bytes) {
    while (!bytes.empty()) {
      const ssize_t written = write(fd, bytes.data(), bytes.size());
      if (written < 0 && errno == EINTR) continue;
      if (written < 0) return false;
      bytes.remove_prefix(static_cast<size_t>(written));
    }
    return true;
  }

  void check_unchanged(const std::optional<HeldFile>& old) const {
    if (!old) return;
    struct stat now {};
    const bool same = fstatat(folder_, name_.c_str(), &now, AT_SYMLINK_NOFOLLOW) == 0 &&
                      now.st_ino == old->status.st_ino && now.st_size == old->status.st_size &&
                      now.st_mtim.tv_sec == old->status.st_mtim.tv_sec &&
                      now.st_mtim.tv_nsec == old->status.st_mtim.tv_nsec;
    if (same) return;
    unlinkat(folder_, fresh().c_str(), 0);
    refuse_changed();
  }

  int folder_;
  const std::string& path_;
  std::string name_;
};

bool holds(const std::optional<HeldFile>& file, const std::optional<std::string>& bytes) {
  return file ? bytes && file->bytes == *bytes : !bytes;
}

void make_one(const FileEdit& edit) {
  in_folder_of(edit.path, edit.like, [&](int folder) {
    const FileInFolder file(folder, edit.path);
    file.lock();
    const std::optional<HeldFile> now = file.read();
    if (!holds(now, edit.before)) file.refuse_changed();
    if (now) file.keep(*now, backup_path(edit));
    if (edit.after)
      file.replace(now, *edit.after, edit.like);
    else if (now)
      file.remove();
    return std::string();
  });
}

enum class Foreign { refused, left_alone };

void take_back_one(const FileEdit& edit, Foreign foreign) {
  in_folder_of(edit.path, edit.like, [&](int folder) {
    const FileInFolder file(folder, edit.path);
    file.lock();
    const std::optional<HeldFile> now = file.read();
    if (holds(now, edit.before)) return std::string();
    if (!holds(now, edit.after)) {
      if (foreign == Foreign::refused) file.refuse_changed();
    } else if (edit.before) {
      file.replace(now, *edit.before, edit.like);
    } else {
      file.remove();
    }
    return std::string();
  });
}

/// Adds what cannot be put back.
void take_back_all(const std::vector<FileEdit>& edits, std::vector<Problem>& problems) {
  for (auto edit = edits.rbegin(); edit != edits.rend(); ++edit) {
    try {
      take_back_one(*edit, Foreign::refused);
    } catch (const Error& error) {
      Problem problem = error.problems().front();
      problem.message = fmt::format("\"{}\" is not as it was before: {}", edit->path, problem.message);
      problem.hint = edit->before ? fmt::format("its bytes before are in \"{}\"", backup_path(*edit))
                                  : "it was not there before";
      problems.push_back(std::move(problem));
    }
  }
}

}  // namespace

std::optional<std::string> read_bytes(const std::string& path, const std::string& named_by) {
  const std::string answer = in_folder_of(path, named_by, [&](int folder) {
    std::optional<HeldFile> file = FileInFolder(folder, path).read();
    return file ? "+" + std::move(file->bytes) : std::string();
  });
  if (answer.empty()) return std::nullopt;
  return answer.substr(1);
}

void make(const std::vector<FileEdit>& edits) {
  for (const FileEdit& edit : edits)
    if (read_bytes(edit.path, edit.like) != edit.before)
      throw Error(Exit::failed, fmt::format("\"{}\" was changed meanwhile", edit.path), "run kdb again");
  std::vector<FileEdit> made;
  for (const FileEdit& edit : edits) {
    try {
      make_one(edit);
      made.push_back(edit);
    } catch (const Error& error) {
      std::vector<Problem> problems = error.problems();
      // It may have failed when the file was there already.
      try {
        take_back_one(edit, Foreign::left_alone);
      } catch (const Error& again) {
        if (again.problems().front() != problems.front()) problems.push_back(again.problems().front());
      }
      take_back_all(made, problems);
      throw Error(Exit::failed, std::move(problems));
    }
  }
}

void take_back(const std::vector<FileEdit>& edits) {
  std::vector<Problem> problems;
  take_back_all(edits, problems);
  if (!problems.empty()) throw Error(Exit::failed, std::move(problems));
}

std::string backup_path(const FileEdit& edit) {
  if (!edit.before) return "";
  return fmt::format("{}.{}.kdb-backup", edit.path, sha256_hex(*edit.before).substr(0, 16));
}

}  // namespace kdb::host
