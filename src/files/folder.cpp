#include <algorithm>
#include <mutex>
#include <optional>
#include <string>
#include <tuple>
#include <utility>

#include <fmt/format.h>

#include "base/text.hpp"
#include "files/candidates.hpp"
#include "files/folder_scan.hpp"
#include "files/layouts.hpp"
#include "files/migrations.hpp"
#include "files/names.hpp"

namespace kdb::files {
namespace {

struct Down {
  Version version;
  std::string path;
  std::string checksum;
};

/// Makes a MigrationFolder of the names and checksums that were read.
class Lister {
 public:
  Lister(std::string folder, const std::vector<Candidate>& candidates, std::vector<Problem>& problems)
      : candidates_(candidates), problems_(problems) {
    folder_.path = std::move(folder);
  }

  MigrationFolder list(const LayoutRules& rules, const std::vector<std::string>& paths) {
    folder_.layout = rules.layout;
    folder_.files.reserve(paths.size());
    for (const std::string& path : paths) add(rules, path);
    if (!rules.folder_file.empty()) refuse_incomplete_folders(rules, paths);
    sort_files();
    pair_downs();
    report_duplicates();
    return finish();
  }

  // Nothing is a migration: a file that nearly is one, or one in a sub-folder, is most likely the user's
  // mistake.
  MigrationFolder list_none(const std::vector<std::string>& paths) {
    for (const std::string& path : paths) {
      if (!refuse_as(Layout::flyway, path) && !refuse_as(Layout::native, path)) pass_over_or_report(path);
    }
    return finish();
  }

  bool has_duplicates() const { return has_duplicates_; }

 private:
  std::string shown(std::string_view path) const { return (folder_.path + '/').append(path); }

  void problem(std::string message, std::string file, std::string hint) {
    problems_.push_back(
        {.message = std::move(message), .where = {.file = std::move(file)}, .hint = std::move(hint)});
  }

  /// Paths are asked for in the order in which the candidates are sorted.
  std::string checksum_of(std::string_view path) {
    while (next_ < candidates_.size() && candidates_[next_].path < path) ++next_;
    return next_ < candidates_.size() && candidates_[next_].path == path ? candidates_[next_].checksum
                                                                         : std::string{};
  }

  void add(const LayoutRules& rules, const std::string& path) {
    auto entry = rules.classify(path);
    if (!entry) return pass_over(path);
    if (printable_line(path) != path) return refuse_unprintable(path);
    switch (entry->role) {
      case Entry::Role::up:
        folder_.files.push_back({.version = std::move(entry->version),
                                 .name = std::move(entry->name),
                                 .kind = entry->kind,
                                 .path = shown(path),
                                 .down_path = {},
                                 .checksum = checksum_of(path),
                                 .down_checksum = {}});
        break;
      case Entry::Role::down:
        downs_.push_back(
            {.version = std::move(entry->version), .path = shown(path), .checksum = checksum_of(path)});
        break;
      case Entry::Role::companion:
        break;
      case Entry::Role::refused:
        refuse(path, *entry, rules);
        break;
    }
  }

  // The history could not hold it, or a terminal would act on it.
  void refuse_unprintable(const std::string& path) {
    problem(fmt::format("\"{}\" has control characters in its name, or is no UTF-8", printable_line(path)),
            shown(printable_line(path)), "rename the file");
  }

  void refuse(const std::string& path, const Entry& entry, const LayoutRules& rules) {
    problem(
        fmt::format("\"{}\" {}", base_name(path).empty() ? path : base_name(path), entry.reason), shown(path),
        entry.hint.empty() ? fmt::format("{} migrations are named {}; move what is none out of the folder",
                                         to_string(rules.layout), rules.form)
                           : entry.hint);
  }

  // A folder that is named like a migration and is none: its tool fails too.
  void refuse_incomplete_folders(const LayoutRules& rules, const std::vector<std::string>& paths) {
    const auto holds = [&](const std::string& folder, std::string_view file) {
      return std::binary_search(paths.begin(), paths.end(), folder + std::string(file));
    };
    std::string last;
    for (const std::string& path : paths) {
      const size_t slash = path.find('/');
      if (slash == std::string::npos || leading_digits(path).empty()) continue;
      const std::string folder = path.substr(0, slash + 1);
      if (folder == std::exchange(last, folder)) continue;
      // A down file alone is reported as such.
      if (holds(folder, rules.folder_file) || holds(folder, "down.sql")) continue;
      refuse(folder, {.reason = fmt::format("has no {}", rules.folder_file)}, rules);
    }
  }

  bool refuse_as(Layout layout, const std::string& path) {
    const auto entry = rules_of(layout).classify(path);
    if (!entry || entry->role != Entry::Role::refused) return false;
    refuse(path, *entry, rules_of(layout));
    return true;
  }

  void pass_over_or_report(const std::string& path) {
    if (!ends_in_sql(path)) return pass_over(path);
    problem(fmt::format("\"{}\" is in a sub-folder, and the folder itself has no migrations", path),
            shown(path), "name the folder that has them with --migrations DIR");
  }

  // A file that its tool would not have run either.
  void pass_over(const std::string& path) { passed_over_.push_back(path); }

  // Files of a sub-folder without migrations are listed as that folder.
  std::vector<std::string> passed_over() const {
    std::vector<std::string> names;
    for (const std::string& path : passed_over_) {
      const size_t slash = path.find('/');
      const std::string top = slash == std::string::npos ? path : path.substr(0, slash + 1);
      const auto is_inside = [&](const MigrationFile& file) { return file.path.starts_with(shown(top)); };
      const bool used = top != path && std::any_of(folder_.files.begin(), folder_.files.end(), is_inside);
      std::string name = used ? path : top;
      if (names.empty() || names.back() != name) names.push_back(std::move(name));
    }
    return names;
  }

  // Versioned files and baselines by version, then repeatable ones by name.
  void sort_files() {
    const auto runs_before = [](const MigrationFile& a, const MigrationFile& b) {
      const bool repeatable_a = a.kind == MigrationKind::repeatable;
      const bool repeatable_b = b.kind == MigrationKind::repeatable;
      if (repeatable_a != repeatable_b) return repeatable_b;
      if (const auto order = a.version <=> b.version; order != 0) return order < 0;
      if (a.kind != b.kind) return a.kind < b.kind;
      return repeatable_a ? std::tie(a.name, a.path) < std::tie(b.name, b.path) : a.path < b.path;
    };
    // By name they most often are in order already; to find that out is a fraction of sorting them.
    if (!std::is_sorted(folder_.files.begin(), folder_.files.end(), runs_before))
      std::sort(folder_.files.begin(), folder_.files.end(), runs_before);
  }

  MigrationFile* find_up(const Version& version) {
    const auto less = [](const MigrationFile& file, const Version& key) {
      return file.kind != MigrationKind::repeatable && file.version < key;
    };
    const auto found = std::lower_bound(folder_.files.begin(), folder_.files.end(), version, less);
    const bool fits =
        found != folder_.files.end() && found->kind == MigrationKind::versioned && found->version == version;
    return fits ? &*found : nullptr;
  }

  void pair_downs() {
    for (Down& down : downs_) {
      MigrationFile* up = find_up(down.version);
      if (up == nullptr) {
        problem(fmt::format("version {} has a down file and no up file", down.version.text), down.path,
                "add the up file, or move the down file out of the folder");
      } else if (!up->down_path.empty()) {
        report_duplicate(fmt::format("down files of version {}", down.version.text), up->down_path,
                         down.path);
      } else {
        up->down_path = std::move(down.path);
        up->down_checksum = std::move(down.checksum);
      }
    }
  }

  void report_duplicates() {
    for (size_t i = 1; i < folder_.files.size(); ++i) {
      const MigrationFile& a = folder_.files[i - 1];
      const MigrationFile& b = folder_.files[i];
      if (a.kind != b.kind || a.version != b.version) continue;
      if (a.kind != MigrationKind::repeatable) {
        report_duplicate(fmt::format("migrations of version {}", b.version.text), a.path, b.path);
      } else if (a.name == b.name) {
        report_duplicate(fmt::format("repeatable migrations named {}", b.name), a.path, b.path);
      }
    }
  }

  void report_duplicate(const std::string& what, const std::string& first, const std::string& second) {
    has_duplicates_ = true;
    problem(fmt::format("two {}: {} and {}", what, first, second), second,
            "rename the one that was never applied; if both were applied, each on another database, "
            "give one a new version and write it so that it does no harm where it was done");
  }

  MigrationFolder finish() {
    if (folder_.files.empty()) folder_.warnings.push_back(fmt::format("no migrations in {}", folder_.path));
    if (!passed_over_.empty()) {
      folder_.warnings.push_back(
          fmt::format("not migrations, in {}: {}", folder_.path, fmt::join(passed_over(), ", ")));
    }
    return std::move(folder_);
  }

  const std::vector<Candidate>& candidates_;
  std::vector<Problem>& problems_;
  MigrationFolder folder_;
  size_t next_ = 0;  // among the candidates
  std::vector<Down> downs_;
  std::vector<std::string> passed_over_;
  bool has_duplicates_ = false;
};

std::string without_slash(std::string path) {
  while (path.size() > 1 && path.ends_with('/')) path.pop_back();
  return path;
}

}  // namespace

struct FolderListing::Impl {
  explicit Impl(const MigrationSource& s) : source(s), path(without_slash(s.folder)) {}

  /// The names come first, whoever asks first.
  CandidateReader& reader() {
    const std::lock_guard lock(mutex);
    if (!scan) scan.emplace(path);
    if (!candidates) candidates.emplace(source, *scan, path);
    return *candidates;
  }

  const MigrationSource& source;
  std::string path;
  std::mutex mutex;  // a once_flag would do, but exceptions do not pass it everywhere
  std::optional<FolderScan> scan;
  std::optional<CandidateReader> candidates;
};

FolderListing::FolderListing(const MigrationSource& source) : impl_(std::make_unique<Impl>(source)) {}
FolderListing::~FolderListing() = default;

void FolderListing::read() { impl_->reader().read(); }

MigrationFolder FolderListing::finish() {
  const MigrationSource& source = impl_->source;
  const std::string& path = impl_->path;
  std::vector<Problem> problems;
  const auto candidates = impl_->reader().take(problems);
  const size_t before = problems.size();
  const auto layout = source.layout ? source.layout : detect_layout(candidates, path, problems);
  const bool mixed = problems.size() > before;

  Lister lister(path, candidates, problems);
  MigrationFolder folder;
  if (layout) {
    folder = lister.list(rules_of(*layout), impl_->scan->paths());
  } else if (!mixed) {
    folder = lister.list_none(impl_->scan->paths());
  }
  if (problems.empty()) return folder;
  sort_by_position(problems);
  throw Error(lister.has_duplicates() ? Exit::history : Exit::usage, std::move(problems));
}

MigrationFolder list_migrations(const MigrationSource& source) { return FolderListing(source).finish(); }

}  // namespace kdb::files
