#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "files/profile_values.hpp"
#include "files/toml.hpp"

namespace kdb::files {

struct ProfileFile {
  std::string path;
  std::string sha256;  // of its bytes
  TomlValue root;
  std::string commented;  // its text, where comments of it keep rules quiet
};

/// Whether a profile has a comment for `kdb lint`, by its first word alone.
bool keeps_quiet(std::string_view text);

/// The path of profile `name`: itself if it contains `/` or ends in `.toml`, else profiles/NAME.toml.
std::string profile_path(const std::string& name);

/// Reads a profile and all that it extends, each file once, in the order in which they apply: the profile
/// itself last. Values that a later file sets again are marked as overridden. Problems (unreadable files,
/// syntax errors, cycles) go to the context; files without one are returned all the same. A missing profile
/// gives nothing and, if `required`, a problem.
std::vector<ProfileFile> load_profile_files(ReadContext& context, const std::string& path, bool required);

/// Marks in `earlier` what `later` sets again, tables key by key.
void mark_overridden(TomlValue& earlier, const TomlValue& later);

}  // namespace kdb::files
