#pragma once

#include <string>
#include <string_view>

namespace kdb::files {

/// Replaces a file by new contents at once: a reader sees the old or the new ones, never a part. Throws
/// Error(failed).
void write_output(const std::string& path, std::string_view contents);

/// Throws Error(usage) if a file of this name could not be written: before the work whose result it shall
/// hold.
void check_output(const std::string& path);

}  // namespace kdb::files
