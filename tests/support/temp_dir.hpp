#pragma once

#include <filesystem>
#include <string>
#include <string_view>

namespace kdb::test {

/// A new folder that is removed, with all that is in it, at the end of the scope.
class TempDir {
 public:
  TempDir();
  ~TempDir();
  TempDir(const TempDir&) = delete;
  TempDir& operator=(const TempDir&) = delete;

  const std::filesystem::path& path() const { return path_; }

  /// Writes a file, with the folders above it, and returns its path.
  std::filesystem::path write(const std::filesystem::path& name, std::string_view text) const;

 private:
  std::filesystem::path path_;
};

/// The whole text of a file; throws if it cannot be read.
std::string read_file(const std::filesystem::path& path);

}  // namespace kdb::test
