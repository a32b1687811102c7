#include "files/folder_scan.hpp"

#include <algorithm>
#include <cerrno>
#include <memory>
#include <system_error>

#include <dirent.h>
#include <fcntl.h>
#include <fmt/format.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/error.hpp"

namespace kdb::files {
namespace {

constexpr int folder_flags = O_RDONLY | O_DIRECTORY | O_CLOEXEC;

// Deeper than any project's tree; ends a circle of symbolic links.
constexpr int max_depth = 8;

[[noreturn]] void fail(const std::string& folder, int error_number) {
  if (error_number == ENOENT) {
    throw Error(Exit::usage, fmt::format("no migrations folder \"{}\"", folder),
                "kdb migrate new NAME creates it; --migrations DIR names another one");
  }
  throw Error(Exit::usage, fmt::format("cannot read the migrations folder \"{}\": {}", folder,
                                       std::generic_category().message(error_number)));
}

bool is_folder(int fd, const dirent& entry) {
  if (entry.d_type == DT_DIR) return true;
  if (entry.d_type != DT_LNK && entry.d_type != DT_UNKNOWN) return false;
  struct stat status {};
  return ::fstatat(fd, entry.d_name, &status, 0) == 0 && S_ISDIR(status.st_mode);
}

}  // namespace

FolderScan::FolderScan(const std::string& path) : root_(path), fd_(::open(path.c_str(), folder_flags)) {
  if (fd() < 0) fail(root_, errno);
  walk(fd(), "", 0);
  std::sort(paths_.begin(), paths_.end());
}

void FolderScan::walk(int fd, const std::string& prefix, int depth) {
  // fdopendir owns what it gets; the folder itself stays open for reading its files.
  const int own = ::openat(fd, ".", folder_flags);
  if (own < 0) fail(root_ + "/" + prefix, errno);
  const std::unique_ptr<DIR, int (*)(DIR*)> folder(::fdopendir(own), &::closedir);
  if (!folder) fail(root_ + "/" + prefix, errno);
  std::vector<std::string> subfolders;
  for (const dirent* entry = ::readdir(folder.get()); entry != nullptr; entry = ::readdir(folder.get())) {
    if (entry->d_name[0] == '.') continue;
    if (is_folder(own, *entry)) {
      subfolders.emplace_back(entry->d_name);
    } else {
      paths_.push_back(prefix + entry->d_name);
    }
  }
  for (const std::string& name : subfolders) {
    const size_t before = paths_.size();
    if (depth < max_depth) {
      const Descriptor child(::openat(own, name.c_str(), folder_flags));
      if (child.get() < 0) fail(fmt::format("{}/{}{}", root_, prefix, name), errno);
      walk(child.get(), fmt::format("{}{}/", prefix, name), depth + 1);
    }
    if (paths_.size() == before) paths_.push_back(fmt::format("{}{}/", prefix, name));
  }
}

}  // namespace kdb::files
