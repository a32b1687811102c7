#include "files/read_file.hpp"

#include <cerrno>
#include <system_error>

#include <fcntl.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>
#include <unistd.h>

#include "files/descriptor.hpp"

namespace kdb::files {
namespace {

// /dev/null, Linux's Documentation/admin-guide/devices.txt: `-p /dev/null` is the usual word for nothing.
const dev_t null_device = makedev(1, 3);

ReadResult failure(int error_number) {
  return {.status = error_number == ENOENT ? ReadResult::Status::missing : ReadResult::Status::failed,
          .error = std::generic_category().message(error_number)};
}

}  // namespace

ReadResult read_file_at(int folder_fd, const char* name, std::uint64_t max_size, std::string& buffer) {
  // O_NONBLOCK: a FIFO in the folder must not hang kdb; it has no effect on regular files.
  const Descriptor file(::openat(folder_fd, name, O_RDONLY | O_CLOEXEC | O_NOCTTY | O_NONBLOCK));
  if (file.get() < 0) return failure(errno);
  struct stat status {};
  if (::fstat(file.get(), &status) != 0) return failure(errno);
  if (S_ISDIR(status.st_mode)) return failure(EISDIR);
  const bool is_null = S_ISCHR(status.st_mode) && status.st_rdev == null_device;
  if (!S_ISREG(status.st_mode) && !is_null)
    return {.status = ReadResult::Status::failed, .error = "not a regular file"};

  ReadResult result{.size = static_cast<std::uint64_t>(status.st_size)};
  if (result.size > max_size) {
    result.status = ReadResult::Status::too_large;
    return result;
  }
  if (buffer.size() < result.size) buffer.resize(result.size);
  size_t filled = 0;
  while (filled < result.size) {
    const ssize_t count = ::read(file.get(), buffer.data() + filled, result.size - filled);
    if (count < 0 && errno == EINTR) continue;
    if (count < 0) return failure(errno);
    if (count == 0) break;  // truncated meanwhile
    filled += static_cast<size_t>(count);
  }
  result.contents = std::string_view(buffer).substr(0, filled);
  return result;
}

ReadResult read_file(const std::string& path, std::uint64_t max_size, std::string& contents) {
  ReadResult result = read_file_at(AT_FDCWD, path.c_str(), max_size, contents);
  contents.resize(result.contents.size());
  result.contents = contents;
  return result;
}

}  // namespace kdb::files
