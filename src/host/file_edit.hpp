#pragma once

#include <optional>
#include <string>
#include <vector>

namespace kdb::host {

/// A file as it was and as it is to be; nothing: is not there.
struct FileEdit {
  std::string path;  // absolute
  std::optional<std::string> before;
  std::optional<std::string> after;
  std::string like;  // the file that names this one's folder, and whose owner, group and mode a new one gets

  bool operator==(const FileEdit&) const = default;
};

/// The bytes of a file; nothing if it is not there. Throws Error(failed) if it cannot be read, or is a
/// symbolic link or no file. Read, as all here is done, by whom in_folder_of says.
std::optional<std::string> read_bytes(const std::string& path, const std::string& named_by);

/// Makes the edits in their order, each after a copy of the file beside it (backup_path). Whoever reads a
/// file meanwhile, and whenever the power fails, finds the old bytes or the new ones; owner, group, mode and
/// access control list are kept. Throws Error(failed) naming the file: where one is no longer as it was
/// before nothing is written; where an edit fails the earlier ones are taken back.
void make(const std::vector<FileEdit>& edits);

/// Puts back what was before, in the opposite order; what is as before already is left alone. Copies stay.
/// Throws Error(failed) naming all that cannot be put back, which others are all the same: somebody else has
/// changed it since, among other reasons.
void take_back(const std::vector<FileEdit>& edits);

/// Where the bytes before are kept: their hash is in the name, so that the same are kept once. It does not
/// end in .conf, for no include_dir to read it. Empty for a file that is new.
std::string backup_path(const FileEdit& edit);

}  // namespace kdb::host
