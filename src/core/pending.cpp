#include "core/pending.hpp"

#include <algorithm>
#include <map>

#include <fmt/format.h>

namespace kdb {

namespace {

using State = MigrationStatus::State;

MigrationStatus of_file(const MigrationFile& file, size_t index) {
  return {.state = State::pending,
          .version = file.version,
          .name = file.name,
          .kind = file.kind,
          .file = index,
          .applied = {}};
}

MigrationStatus of_applied(const AppliedMigration& applied, size_t index) {
  return {.state = State::applied,
          .version = applied.version,
          .name = applied.name,
          .kind = applied.kind,
          .file = {},
          .applied = index};
}

/// Both sides of one migration.
State join(const MigrationFile& file, const AppliedMigration& applied) {
  if (applied.state == AppliedMigration::State::partial) return State::partial;
  const bool equal = applied.checksum.empty() || applied.checksum == file.checksum;
  if (file.kind == MigrationKind::repeatable) return equal ? State::applied : State::rerun;
  return equal ? State::applied : State::changed;
}

bool in_order(const MigrationStatus& a, const MigrationStatus& b) {
  const bool a_repeats = a.kind == MigrationKind::repeatable;
  const bool b_repeats = b.kind == MigrationKind::repeatable;
  if (a_repeats != b_repeats) return b_repeats;
  if (a_repeats) return a.name < b.name;
  if (a.version != b.version) return a.version < b.version;
  return a.kind == MigrationKind::baseline && b.kind != MigrationKind::baseline;
}

/// The newest version of a set of rows; nothing if there is none.
template <typename Wanted>
std::optional<Version> newest(const std::vector<MigrationStatus>& rows, Wanted wanted) {
  std::optional<Version> result;
  for (const MigrationStatus& row : rows) {
    if (row.kind == MigrationKind::repeatable || !wanted(row)) continue;
    if (!result || row.version > *result) result = row.version;
  }
  return result;
}

/// A baseline covers every version up to its own: the newest one of the history, or on an empty history the
/// newest baseline file (Flyway's B migrations), which then runs in the place of what it covers.
std::optional<Version> baseline_of(const MigrationFolder& folder, const History& history) {
  std::optional<Version> result;
  const auto consider = [&](MigrationKind kind, const Version& version) {
    if (kind == MigrationKind::baseline && (!result || version > *result)) result = version;
  };
  for (const AppliedMigration& applied : history.migrations) consider(applied.kind, applied.version);
  if (history.migrations.empty())
    for (const MigrationFile& file : folder.files) consider(file.kind, file.version);
  return result;
}

}  // namespace

std::string_view to_string(State state) {
  switch (state) {
    case State::applied:
      return "applied";
    case State::pending:
      return "pending";
    case State::partial:
      return "partial";
    case State::out_of_order:
      return "out of order";
    case State::changed:
      return "changed";
    case State::missing:
      return "missing";
    case State::ahead:
      return "ahead";
    case State::baseline:
      return "baseline";
    case State::rerun:
      return "changed, runs again";
  }
  return "";
}

namespace {

/// Finds the history's rows of files. Both sides mostly are in the same order, so the row after the last one
/// found is looked at first, and an index is only made when that was wrong.
class AppliedRows {
 public:
  explicit AppliedRows(const History& history) : history_(history), taken_(history.migrations.size()) {}

  /// The row of `file`, once.
  std::optional<size_t> take(const MigrationFile& file) {
    if (next_ < taken_.size() && !taken_[next_] && is_row_of(history_.migrations[next_], file)) {
      taken_[next_] = true;
      return next_++;
    }
    if (by_key_.empty())
      for (size_t i = 0; i < taken_.size(); ++i) {
        const AppliedMigration& applied = history_.migrations[i];
        by_key_[history_key(applied.kind, applied.version, applied.name)] = i;
      }
    const auto found = by_key_.find(history_key(file.kind, file.version, file.name));
    if (found == by_key_.end() || taken_[found->second]) return std::nullopt;
    taken_[found->second] = true;
    next_ = found->second + 1;
    return found->second;
  }

  bool is_taken(size_t index) const { return taken_[index]; }

 private:
  static bool is_row_of(const AppliedMigration& applied, const MigrationFile& file) {
    if (applied.kind != file.kind) return false;
    return file.kind == MigrationKind::repeatable ? applied.name == file.name
                                                  : applied.version == file.version;
  }

  const History& history_;
  std::vector<bool> taken_;
  size_t next_ = 0;
  std::map<std::string, size_t> by_key_;
};

}  // namespace

std::vector<MigrationStatus> compare(const MigrationFolder& folder, const History& history) {
  AppliedRows applied_rows(history);
  std::vector<MigrationStatus> rows;
  rows.reserve(folder.files.size() + history.migrations.size());
  const std::optional<Version> baseline = baseline_of(folder, history);
  for (size_t i = 0; i < folder.files.size(); ++i) {
    const MigrationFile& file = folder.files[i];
    MigrationStatus row = of_file(file, i);
    if (const std::optional<size_t> found = applied_rows.take(file)) {
      row.applied = *found;
      row.state = join(file, history.migrations[*found]);
    } else if (file.kind == MigrationKind::baseline) {
      const bool runs = history.migrations.empty() && file.version == *baseline;
      row.state = runs ? State::pending : State::baseline;
    } else if (baseline && file.kind == MigrationKind::versioned && file.version <= *baseline) {
      row.state = State::baseline;
    }
    rows.push_back(std::move(row));
  }

  const std::optional<Version> newest_file = newest(rows, [](const auto&) { return true; });
  for (size_t index = 0; index < history.migrations.size(); ++index) {
    if (applied_rows.is_taken(index)) continue;
    const AppliedMigration& applied = history.migrations[index];
    const bool has_file = std::any_of(rows.begin(), rows.end(), [&](const MigrationStatus& row) {
      return row.kind == MigrationKind::versioned && row.version == applied.version;
    });
    if (applied.kind == MigrationKind::baseline && has_file)
      continue;  // the file's row says "baseline" already
    MigrationStatus row = of_applied(applied, index);
    if (applied.state == AppliedMigration::State::partial)
      row.state = State::partial;
    else if (applied.kind == MigrationKind::baseline)
      row.state = State::baseline;
    else if (applied.kind == MigrationKind::repeatable)
      row.state = State::applied;
    else if (newest_file && applied.version < *newest_file)
      row.state = State::missing;
    else
      row.state = State::ahead;
    rows.push_back(std::move(row));
  }

  // A gap: not applied although something newer is.
  const std::optional<Version> newest_applied = newest(rows, [&](const MigrationStatus& row) {
    return row.applied && history.migrations[*row.applied].state == AppliedMigration::State::applied;
  });
  for (MigrationStatus& row : rows)
    if (row.state == State::pending && row.kind == MigrationKind::versioned && newest_applied &&
        row.version < *newest_applied)
      row.state = State::out_of_order;

  if (!std::is_sorted(rows.begin(), rows.end(), in_order)) std::sort(rows.begin(), rows.end(), in_order);
  return rows;
}

std::vector<MigrationStatus> select_up(const std::vector<MigrationStatus>& status,
                                       const UpSelection& selection) {
  if (selection.to) {
    const bool known = std::any_of(status.begin(), status.end(), [&](const MigrationStatus& row) {
      return row.file && row.kind != MigrationKind::repeatable && row.version == *selection.to;
    });
    if (!known)
      throw Error(Exit::usage, fmt::format("no migration has the version {}", selection.to->text),
                  "`kdb migrate status` lists the versions");
  }
  std::vector<MigrationStatus> selected;
  for (const MigrationStatus& row : status) {
    const bool runs = row.state == State::pending || row.state == State::partial ||
                      row.state == State::rerun ||
                      (row.state == State::out_of_order && selection.out_of_order);
    if (!runs || !row.file) continue;
    if (row.kind == MigrationKind::repeatable && (selection.to || selection.steps)) continue;
    if (selection.to && row.version > *selection.to) continue;
    if (selection.steps && selected.size() >= static_cast<size_t>(*selection.steps)) break;
    selected.push_back(row);
  }
  return selected;
}

std::vector<Problem> history_problems(const std::vector<MigrationStatus>& status,
                                      const MigrationFolder& folder, const History& history,
                                      bool allow_out_of_order) {
  std::vector<Problem> problems;
  for (const MigrationStatus& row : status) {
    if (row.state == State::missing) {
      problems.push_back(
          {.message = fmt::format("migration {} {} was applied, but {} has no file for it", row.version.text,
                                  row.name, folder.path),
           .hint = fmt::format(
               "bring the file back from version control, or `kdb migrate repair {} --forget` if the "
               "database no longer has what it did",
               row.version.text)});
    } else if (row.state == State::out_of_order && !allow_out_of_order) {
      problems.push_back(
          {.message = fmt::format("migration {} {} is out of order: it is not applied, but newer ones are",
                                  row.version.text, row.name),
           .where = {.file = folder.files[*row.file].path},
           .hint = "give it a version above the newest one, or run `kdb migrate up --allow-out-of-order`"});
    } else if (row.state == State::partial && history.migrations[*row.applied].direction == Direction::down) {
      problems.push_back({.message = fmt::format("migration {} {} was being undone and is half gone",
                                                 row.version.text, row.name),
                          .hint = "`kdb migrate down` goes on with it"});
    } else if (row.state == State::partial && !row.file) {
      const AppliedMigration& applied = history.migrations[*row.applied];
      problems.push_back(
          {.message = fmt::format("migration {} {} was interrupted in its middle, and {} has no file for it",
                                  applied.version.text, applied.name, folder.path),
           .hint = fmt::format(
               "bring the file back under its name, so that the rest of its statements can run, or "
               "`kdb migrate repair {} --forget` if they must not",
               applied.version.text)});
    }
  }
  return problems;
}

}  // namespace kdb
