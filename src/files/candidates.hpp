#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/error.hpp"
#include "files/folder_scan.hpp"
#include "files/migrations.hpp"

namespace kdb::files {

/// A file of the folder whose name some layout may claim, read once and hashed.
struct Candidate {
  std::string_view path;         // of the scan
  std::string checksum;          // empty if it could not be read, which is a problem then
  std::optional<Layout> layout;  // whose contents these are, where names do not decide
};

/// Reads what the source's layout, or any layout if it names none, claims; sorted by path. `folder` is how
/// problems name it.
std::vector<Candidate> read_candidates(const MigrationSource& source, const FolderScan& scan,
                                       const std::string& folder, std::vector<Problem>& problems);

/// The layout that the candidates are of: nothing if there are none, or (and a problem) if they are of
/// several.
std::optional<Layout> detect_layout(const std::vector<Candidate>& candidates, const std::string& folder,
                                    std::vector<Problem>& problems);

}  // namespace kdb::files
