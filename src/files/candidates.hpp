#pragma once

#include <atomic>
#include <cstddef>
#include <mutex>
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

/// Reads what the source's layout, or any layout if it names none, claims. Several threads may share the
/// work.
class CandidateReader {
 public:
  /// All must outlive the reader; `folder` is how problems name it.
  CandidateReader(const MigrationSource& source, const FolderScan& scan, const std::string& folder);

  /// Reads files until none is left to begin with.
  void read();
  /// Waits for the files that other threads still read. Sorted by path, with what could not be read among the
  /// problems.
  std::vector<Candidate> take(std::vector<Problem>& problems);

 private:
  std::optional<Candidate> read_one(const std::string& path, std::string& buffer);

  const MigrationSource& source_;
  const FolderScan& scan_;
  const std::string& folder_;
  std::vector<std::optional<Candidate>> candidates_;  // one for each path
  std::mutex problems_mutex_;
  std::vector<Problem> problems_;
  std::atomic<size_t> next_{0};
  std::atomic<size_t> read_{0};
};

/// The layout that the candidates are of: nothing if there are none, or (and a problem) if they are of
/// several.
std::optional<Layout> detect_layout(const std::vector<Candidate>& candidates, const std::string& folder,
                                    std::vector<Problem>& problems);

}  // namespace kdb::files
