#pragma once

#include <string>
#include <vector>

#include "host/file_edit.hpp"

namespace kdb::host {

/// Where kdb's settings of a server are kept: `kdb-tune.conf`, beside the server's postgresql.conf if a line
/// there includes it, else in the last folder that an include_dir there names, if one exists, else beside it
/// too.
struct SettingsFile {
  std::string path;       // kdb's file
  std::string main;       // the server's; its real place if it is a symbolic link
  bool included = false;  // the server's file has kdb's read already

  bool operator==(const SettingsFile&) const = default;
};

/// `main` is the path by which the server knows its file (`SHOW config_file`): from there it resolves what is
/// included. Throws Error(failed) where it cannot be read, or is a link that leads root from a folder of
/// somebody's to a file of somebody else's.
SettingsFile find_settings_file(const std::string& main);

/// What has to be written for the server to read `text`; empty where nothing: kdb's file first, then the line
/// that includes it, at the end of the server's file. Throws Error(failed) where one cannot be read.
std::vector<FileEdit> edits_for(const SettingsFile& file, const std::string& text);

}  // namespace kdb::host
