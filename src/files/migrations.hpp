#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "base/error.hpp"
#include "model/migration.hpp"

namespace kdb::files {

/// Looks an environment variable up.
using Environment = std::function<std::optional<std::string>(const std::string&)>;

/// `[migrations]` of a profile, as far as reading files needs it.
struct MigrationSource {
  std::string folder = "migrations";                           // relative to the current directory
  std::optional<Layout> layout;                                // nothing: detected from all names
  std::uint64_t max_file_size = 16ULL * 1024 * 1024;           // bytes
  std::vector<std::pair<std::string, std::string>> variables;  // Flyway ${…} placeholders, goose ENVSUB
  /// Asked only for what a file names and `variables` lacks: goose's ${NAME}, Flyway's
  /// FLYWAY_PLACEHOLDERS_NAME.
  Environment environment;
  /// Whether goose's ${NAME} may be any variable of the environment; not in a stranger's files, whose SQL a
  /// plan shows.
  bool goose_reads_environment = true;
};

/// A folder being listed: what list_migrations() does, for threads that share the work.
class FolderListing {
 public:
  /// `source` must outlive the listing.
  explicit FolderListing(const MigrationSource& source);
  ~FolderListing();
  FolderListing(const FolderListing&) = delete;
  FolderListing& operator=(const FolderListing&) = delete;

  /// Reads and hashes files until none is left; from any thread. Throws Error(usage) for a folder that is
  /// missing.
  void read();
  /// Once; waits for the files that other threads still read. Throws as list_migrations() does.
  MigrationFolder finish();

 private:
  struct Impl;
  std::unique_ptr<Impl> impl_;
};

/// Lists the folder, detects its layout, reads every file once and hashes it (contents are not kept).
/// Throws Error: usage (64) for a missing folder, mixed layouts, unreadable or oversized files, names that
/// are no migration of the layout; history (5) for two files with one version. All problems of the folder are
/// in one Error.
MigrationFolder list_migrations(const MigrationSource& source);

/// Reads one migration again and takes its sections apart; the checksums in the result are of the bytes now
/// read. Throws Error(usage) with file:line for directives that are wrong, missing sections, unknown options,
/// NUL bytes, invalid UTF-8, unset variables.
Migration read_migration(const MigrationSource& source, Layout layout, const MigrationFile& file);

/// The same from text instead of a file: for what the history stored, and for fuzzing. Pure.
Migration parse_migration(const MigrationSource& source, Layout layout, const MigrationFile& file,
                          std::string_view up_bytes, std::optional<std::string_view> down_bytes);

/// What `kdb migrate new` has written: the up file first, where there are two.
struct NewMigration {
  std::string version;
  std::vector<std::string> paths;
};

/// Writes an empty migration in the folder's own layout, with a version above every other. `utc_timestamp` is
/// YYYYMMDDhhmmss. Throws Error(usage) for a name that is no file name.
NewMigration create_migration(const MigrationSource& source, std::string_view name,
                              std::string_view utc_timestamp);

}  // namespace kdb::files
