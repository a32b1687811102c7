#pragma once

#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "base/error.hpp"
#include "files/migrations.hpp"
#include "model/migration.hpp"

namespace kdb::files {

/// What one file of the folder is in a layout.
struct Entry {
  enum class Role {
    up,
    down,       // of the version that has an up file beside it
    companion,  // belongs to a migration and holds no SQL (diesel's metadata.toml)
    refused,    // its tool would have run it, or its name is nearly right: `reason` says why kdb does not
  };
  Role role = Role::up;
  Version version = {};
  std::string name = {};
  MigrationKind kind = MigrationKind::versioned;
  std::string reason = {};
  std::string hint = {};  // where another name would not help
};

/// What a layout's parser gets: the bytes without BOM, checked to be valid UTF-8 without NUL.
struct ParseInput {
  const MigrationSource& source;
  const MigrationFile& file;
  std::string_view up;
  std::optional<std::string_view> down = {};
  std::string_view companion = {};  // what `LayoutRules::companion` named for the up file; empty without it
  std::string_view down_companion = {};
  std::vector<Problem>& problems;
};

/// A file that `kdb migrate new` writes.
struct NewFile {
  std::string path;  // in the folder
  std::string contents;
};

/// What a new file says where its layout has no directives to begin with.
constexpr std::string_view new_up_text = "-- what this migration does\n";
constexpr std::string_view new_down_text = "-- how to undo it; without a statement, nothing is undone\n";

/// A layout of a folder: one row of the table, one file in layouts/.
struct LayoutRules {
  Layout layout = Layout::native;
  std::string_view form = {};  // for messages: `1_name.up.sql`
  /// Whether a path of the folder (`sub/V1__x.sql`) is a migration by its name alone. Allocates nothing.
  bool (*claims)(std::string_view path) = nullptr;
  /// For layouts that claim the same names: whether the contents are of this one. nullptr: names decide.
  bool (*recognises)(std::string_view contents) = nullptr;
  /// What the path is once the layout is known; nothing for a file that is no migration and was never meant
  /// to be.
  std::optional<Entry> (*classify)(std::string_view path) = nullptr;
  /// Takes the file's sections apart.
  void (*parse)(const ParseInput& input, Migration& migration) = nullptr;
  /// The files of a new migration, ups first, none of them empty: each is read back without a problem.
  /// `version` is digits alone, `name` is fit for a file name; `separator` stands between them in the
  /// folder's newest file, for layouts in which several may.
  std::vector<NewFile> (*create)(std::string_view version, std::string_view name,
                                 std::string_view separator) = nullptr;
  /// The path of the file that holds the options of an up or down file; nullptr if the layout has none.
  std::string (*companion)(std::string_view path) = nullptr;
  /// Where a migration is a folder: the file that each folder of a numbered name must hold.
  std::string_view folder_file = {};
  /// The tool reads sub-folders too.
  bool recursive = false;
};

/// All layouts, in the order in which contents are asked.
std::span<const LayoutRules> all_layouts();

const LayoutRules& rules_of(Layout layout);

// One file each in layouts/.
LayoutRules native_layout();
LayoutRules golang_migrate_layout();
LayoutRules diesel_layout();
LayoutRules prisma_layout();
LayoutRules flyway_layout();
LayoutRules goose_layout();
LayoutRules plain_layout();

}  // namespace kdb::files
