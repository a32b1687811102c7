#include "files/output.hpp"

#include <cerrno>
#include <cstdio>
#include <cstring>
#include <fstream>

#include <fmt/format.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/error.hpp"

namespace kdb::files {

void write_output(const std::string& path, std::string_view contents) {
  const auto fail = [&](int code) {
    throw Error(Exit::failed, fmt::format("{} cannot be written: {}", path, std::strerror(code)));
  };
  // A device or a pipe (/dev/stdout, a named pipe) cannot be replaced, and need not be.
  struct stat status {};
  const bool special = stat(path.c_str(), &status) == 0 && !S_ISREG(status.st_mode);
  const std::string written = special ? path : fmt::format("{}.kdb-{}", path, getpid());
  errno = 0;
  std::ofstream file(written, std::ios::binary | std::ios::trunc);
  file.write(contents.data(), static_cast<std::streamsize>(contents.size()));
  file.close();
  if (!file) {
    const int code = errno;
    if (!special) std::remove(written.c_str());
    fail(code);
  }
  if (!special && std::rename(written.c_str(), path.c_str()) != 0) {
    const int code = errno;
    std::remove(written.c_str());
    fail(code);
  }
}

void check_output(const std::string& path) {
  const size_t slash = path.rfind('/');
  const std::string folder = slash == std::string::npos ? "." : path.substr(0, slash + 1);
  struct stat status {};
  const bool is_folder = stat(path.c_str(), &status) == 0 && S_ISDIR(status.st_mode);
  const int code = path.empty()                               ? ENOENT
                   : is_folder                                ? EISDIR
                   : access(folder.c_str(), W_OK | X_OK) != 0 ? errno
                                                              : 0;
  if (code != 0) throw Error(Exit::usage, fmt::format("{} cannot be written: {}", path, std::strerror(code)));
}

}  // namespace kdb::files
