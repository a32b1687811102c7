#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "model/migration.hpp"

namespace kdb::files {

/// The digits at the beginning.
std::string_view leading_digits(std::string_view text);

/// A number as a version's component: without leading zeros, `0` for none but zeros.
std::string version_component(std::string_view digits);

/// A version of one number, as written.
Version number_version(std::string_view digits);

/// The version of diesel and plain names: the leading digits, or a whole date and time with `-` and
/// `_` in it
/// (`2017-09-23-120000_x` is 20170923120000). Its text is what was consumed; nothing without a leading digit.
std::optional<Version> dated_version(std::string_view name);

/// What follows the version in a name, without separators in front of it.
std::string name_after(std::string_view rest);

/// A file of the folder itself that begins with a digit and ends in `.sql`, golang-migrate's pairs excepted:
/// the form of native, goose and plain.
bool is_numbered_file(std::string_view path);

/// golang-migrate's form, in the folder itself: `^([0-9]+)_(.*)\.(down|up)\.(.*)$`, as far as it ends in
/// `.sql` (in any case). The tool itself takes every ending, an editor's `.orig` and `.bak` among them.
struct UpDownName {
  std::string_view digits;
  std::string_view title;
  bool up = true;
};
std::optional<UpDownName> parse_up_down(std::string_view path);

/// `folder/file` of exactly one level.
struct FolderName {
  std::string_view folder;
  std::string_view file;
};
std::optional<FolderName> parse_folder(std::string_view path);

std::string_view base_name(std::string_view path);

/// Whether it ends in `.sql`, in any case.
bool ends_in_sql(std::string_view path);

/// The language of a migration written as a program, by the ending of its name: `Go`, `Java` …; empty for
/// none.
std::string_view program_language(std::string_view path);

}  // namespace kdb::files
