#pragma once

#include <string>
#include <vector>

#include "files/descriptor.hpp"

namespace kdb::files {

/// An open folder with the paths of the files in it and in its sub-folders, relative to it and sorted. A
/// sub-folder without files is a path that ends in `/`. Hidden files and folders (their name begins with a
/// dot) are left out.
class FolderScan {
 public:
  /// Throws Error(usage) for a folder that is missing or cannot be read.
  explicit FolderScan(const std::string& path);

  int fd() const { return fd_.get(); }
  const std::vector<std::string>& paths() const { return paths_; }

 private:
  void walk(int fd, const std::string& prefix, int depth);

  std::string root_;
  Descriptor fd_;
  std::vector<std::string> paths_;
};

}  // namespace kdb::files
