#pragma once

#include <cstdint>
#include <string>
#include <string_view>

namespace kdb::files {

/// What became of reading a file; `error` is in words ("permission denied") and empty when all went well.
struct ReadResult {
  enum class Status { ok, missing, too_large, failed };
  Status status = Status::ok;
  std::uint64_t size = 0;  // what the file system says, also of a file that is too large
  std::string error = {};
  std::string_view contents = {};  // in the buffer that was given
};

/// Reads a whole regular file into `buffer`, which only grows, so that it serves for many files. `name` is
/// relative to the open folder `folder_fd` (AT_FDCWD for the current one). A file of more than `max_size`
/// bytes is not read at all; /dev/null is an empty file.
ReadResult read_file_at(int folder_fd, const char* name, std::uint64_t max_size, std::string& buffer);

/// The same with a path, and just the file in `contents` (what is in it after a failure means nothing).
ReadResult read_file(const std::string& path, std::uint64_t max_size, std::string& contents);

}  // namespace kdb::files
