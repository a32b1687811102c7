#pragma once

#include <chrono>
#include <compare>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/error.hpp"

namespace kdb {

/// How a folder of migrations is laid out; each but `native` is another tool's, read unchanged.
enum class Layout {
  native,          // 20260115093000_name.sql with -- migrate:up / -- migrate:down (dbmate's form)
  golang_migrate,  // 1_name.up.sql, 1_name.down.sql
  diesel,          // 2026-01-15-093000_name/up.sql, down.sql
  prisma,          // 20260115093000_name/migration.sql
  flyway,          // V1.2__name.sql, R__name.sql, U1.2__name.sql, B1__name.sql
  goose,           // 00001_name.sql with -- +goose Up / Down
  plain,           // 0001_name.sql, the whole file is up
};

/// As written in `[migrations] layout` and in reports: `golang-migrate`, `native` …
std::string_view to_string(Layout layout);
std::optional<Layout> parse_layout(std::string_view name);

/// A version as it is written and as it compares: numerically, of any length, component by component. A key
/// that begins with `/` is one component of text and compares by its bytes: a Prisma folder's whole name.
struct Version {
  std::string text;  // as written: "0002", "1.2", "2017-09-23-120000"
  std::vector<std::string>
      key;  // components without leading zeros: {"2"}, {"1","2"}, {"20170923120000"}, {"/2025_init"}

  std::strong_ordering operator<=>(const Version& other) const;  // by key alone
  bool operator==(const Version& other) const { return key == other.key; }
  /// The key as one string, `.` between components: what the history stores beside the text.
  std::string key_text() const;
};

/// The inverse of key_text().
Version version_from_history(std::string text, std::string_view key);

enum class MigrationKind { versioned, repeatable, baseline };

/// A migration as the folder's listing and its raw bytes tell, before anybody has parsed it.
struct MigrationFile {
  Version version;   // empty for a repeatable one
  std::string name;  // "create_events"
  MigrationKind kind = MigrationKind::versioned;
  std::string path;           // of the up file, as reports show it
  std::string down_path;      // of the separate down file, if the layout has one
  std::string checksum;       // SHA-256 of the up file's raw bytes, hexadecimal
  std::string down_checksum;  // of the separate down file; empty without one
};

/// What `-- migrate:up …` says beside its text, and the foreign spellings of the same.
struct SectionOptions {
  std::optional<bool> transaction;
  std::optional<std::chrono::milliseconds> lock_timeout;
  std::optional<std::chrono::milliseconds> statement_timeout;
  std::vector<std::string> allow;  // HAZARD or HAZARD:OBJECT

  bool operator==(const SectionOptions&) const = default;
};

/// SQL of one direction. `line` is that of its first character in `file`, so that errors name the file's
/// lines.
struct Section {
  std::string text;
  std::string file;
  int line = 1;
  SectionOptions options;
  /// The layout's own tool runs the statements without a transaction of its own (golang-migrate).
  bool tool_adds_no_transaction = false;
  /// The layout's own tool takes a COMMIT at the very end without a BEGIN: it has nothing left to commit
  /// then.
  bool tool_takes_lone_commit = false;
  /// What, and where, lets the section run without a transaction around it, for messages: `-- +goose NO
  /// TRANSACTION`. Empty where the layout has no word for it.
  std::string without_transaction = {};
};

/// A migration file read and taken apart.
struct Migration {
  MigrationFile file;
  std::optional<Section> up;
  std::optional<Section> down;
  /// What stands in the up file before its first section: comments.
  std::string head = {};
};

/// A folder's migrations in the order in which they run: versioned ascending, then repeatable by name.
struct MigrationFolder {
  std::string path;
  Layout layout = Layout::native;
  std::vector<MigrationFile> files;
  std::vector<std::string>
      warnings;  // "no migrations in db/migrations"; foreign files that are listed, never run
};

}  // namespace kdb
