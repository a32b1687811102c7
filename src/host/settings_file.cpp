#include "host/settings_file.hpp"

#include <cerrno>
#include <filesystem>
#include <optional>
#include <string_view>
#include <system_error>

#include <fmt/format.h>
#include <unistd.h>

#include "base/error.hpp"
#include "base/text.hpp"
#include "host/conf_includes.hpp"
#include "host/file_folder.hpp"

namespace kdb::host {
namespace {

constexpr const char* file_name = "kdb-tune.conf";
// Read by the server from the folder of the file that it stands in, whatever that folder is called.
constexpr std::string_view include_line = "include_if_exists = 'kdb-tune.conf'";
constexpr std::string_view include_comment =
    "# Settings that `kdb tune` keeps; what stands below wins over them.";

std::string real_place(const std::string& main) {
  std::error_code error;
  const std::string real = std::filesystem::canonical(main, error).string();
  if (error) throw_file_error("cannot read", main, error.value());
  if (!std::filesystem::is_symlink(main, error)) return main;
  if (geteuid() != 0) return real;
  // As root the owner of a folder could have others' files shown and written by a link in it.
  const uid_t linker = owner_of_way(main);
  const uid_t owner = owner_of_way(real);
  if (linker != 0 && linker != owner)
    throw Error(Exit::failed,
                fmt::format("\"{}\" is a link to \"{}\", in a folder of another user's", main, real),
                "run kdb as that folder's owner, or use --method alter-system");
  return real;
}

bool is_folder(const std::filesystem::path& path) {
  std::error_code ignored;
  return std::filesystem::is_directory(path, ignored);
}

/// Whether both are one file, in whatever spelling.
bool is_same_file(const std::filesystem::path& named, const std::filesystem::path& own) {
  std::error_code ignored;
  return named.filename() == own.filename() &&
         std::filesystem::equivalent(named.parent_path(), own.parent_path(), ignored);
}

/// Whether the line, in a file of the same folder, names the file.
bool names(const ConfInclude& include, const std::filesystem::path& file) {
  return !include.folder && is_same_file(file.parent_path() / include.value, file);
}

std::string_view line_end_of(std::string_view text) {
  return text.find("\r\n") == std::string_view::npos ? "\n" : "\r\n";
}

std::string with_include(const std::string& text) {
  const std::string_view end = line_end_of(text);
  const bool whole = text.empty() || text.ends_with('\n');
  return fmt::format("{}{}{}{}{}{}{}", text, whole ? "" : end, text.empty() ? "" : end, include_comment, end,
                     include_line, end);
}

std::string text_of_main(const std::string& main) {
  const std::optional<std::string> text = read_bytes(main, "");
  if (!text) throw_file_error("cannot read", main, ENOENT);
  return *text;
}

}  // namespace

SettingsFile find_settings_file(const std::string& main) {
  const std::filesystem::path known = std::filesystem::absolute(main).lexically_normal();
  const std::filesystem::path folder = known.parent_path();
  const std::filesystem::path beside = folder / file_name;
  SettingsFile file{.path = beside.string(), .main = real_place(known.string())};
  for (const ConfInclude& include : conf_includes(text_of_main(file.main))) {
    const std::filesystem::path named = (folder / include.value).lexically_normal();
    if (names(include, beside)) return {beside.string(), file.main, true};
    // The server refuses a blank one, which would be the folder of the file itself.
    if (!include.folder || trim(include.value).empty() || !is_folder(named)) continue;
    file.path = (named / file_name).string();
    file.included = true;
  }
  return file;
}

std::vector<FileEdit> edits_for(const SettingsFile& file, const std::string& text) {
  std::vector<FileEdit> edits;
  const std::optional<std::string> own = read_bytes(file.path, file.main);
  if (own != text) edits.push_back({.path = file.path, .before = own, .after = text, .like = file.main});
  if (file.included) return edits;
  const std::string main = text_of_main(file.main);
  for (const ConfInclude& include : conf_includes(main))
    if (names(include, file.path)) return edits;  // since it was looked for
  edits.push_back({.path = file.main, .before = main, .after = with_include(main), .like = file.main});
  return edits;
}

}  // namespace kdb::host
