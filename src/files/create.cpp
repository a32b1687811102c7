#include <algorithm>
#include <cctype>
#include <cerrno>
#include <filesystem>
#include <system_error>

#include <fcntl.h>
#include <fmt/format.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/text.hpp"
#include "files/descriptor.hpp"
#include "files/layouts.hpp"
#include "files/migrations.hpp"
#include "files/names.hpp"

namespace kdb::files {
namespace {

// A file name holds 255 bytes; version, ending and a foreign tool's additions need room.
constexpr size_t max_name_length = 180;

// Shorter numbers count 1, 2, 3; from eight digits on they are dates (20260115) or moments.
constexpr size_t date_digits = 8;

// ASCII punctuation but `_` and `-`; letters of other alphabets stay.
bool is_dropped(char c) {
  return c != '_' && c != '-' && std::ispunct(static_cast<unsigned char>(c)) != 0 &&
         static_cast<unsigned char>(c) < 0x80;
}

std::string file_name_part(std::string_view name) {
  std::string part(trim(name));
  if (part.empty()) throw Error(Exit::usage, "a migration needs a name", "kdb migrate new add_users_email");
  if (part.size() > max_name_length) {
    throw Error(Exit::usage,
                fmt::format("the name is too long ({} bytes, at most {})", part.size(), max_name_length));
  }
  const bool bad = std::any_of(part.begin(), part.end(), [](char c) {
    return c == '/' || c == '\\' || static_cast<unsigned char>(c) < ' ' || c == '\x7f';
  });
  if (bad || find_invalid_utf8(part)) {
    throw Error(Exit::usage,
                "the name of a migration may not contain slashes, backslashes or control characters",
                "use letters, digits and _");
  }
  // As dbmate does, but for dots: `Move to v1.2!` is Move_to_v1_2.
  std::replace_if(
      part.begin(), part.end(), [](char c) { return c == ' ' || c == '.'; }, '_');
  part.erase(std::remove_if(part.begin(), part.end(), is_dropped), part.end());
  if (part.empty()) {
    throw Error(Exit::usage, fmt::format("the name \"{}\" has no letter and no digit", name),
                "kdb migrate new add_users_email");
  }
  return part;
}

// The text with its last number one higher, as many digits as before or one more: 0009 -> 0010, 1.9 -> 1.10.
std::string next_number(std::string text) {
  size_t position = text.find_last_of("0123456789");
  while (text[position] == '9') {
    text[position] = '0';
    if (position == 0 || !is_digit(text[position - 1])) return text.insert(position, "1");
    --position;
  }
  ++text[position];
  return text;
}

const MigrationFile* find_newest(const MigrationFolder& folder) {
  const MigrationFile* newest = nullptr;
  for (const MigrationFile& file : folder.files) {
    if (file.kind == MigrationKind::repeatable) continue;
    if (newest == nullptr || newest->version < file.version) newest = &file;
  }
  return newest;
}

// Above every other version: the next number where versions count, else the timestamp, or just above a later
// one.
std::string next_version(Layout layout, const MigrationFile* newest, std::string_view utc_timestamp) {
  std::string now(utc_timestamp);
  if (newest == nullptr) return now;
  const std::string& key = newest->version.key.front();
  if (layout == Layout::prisma) return key < "/" + now ? now : next_number(newest->version.text);
  if (key.size() < date_digits) return next_number(newest->version.text);
  // diesel's newer form, 2026-01-15-093000-0000.
  if (layout == Layout::diesel && key.size() == now.size() + 4) now += "0000";
  return newest->version < Version{.text = now, .key = {now}} ? now : next_number(key);
}

// What stands between version and name of the newest file: `-` in 0064-name.sql.
std::string separator_of(const MigrationFile* newest) {
  if (newest == nullptr || newest->name.empty()) return "_";
  std::string_view rest = base_name(newest->path);
  if (!rest.starts_with(newest->version.text)) return "_";
  rest.remove_prefix(newest->version.text.size());
  const std::string_view separator = rest.substr(0, rest.find_first_not_of("_-. "));
  return separator.empty() ? "_" : std::string(separator);
}

MigrationFolder list_or_empty(const MigrationSource& source) {
  std::error_code ignored;
  if (std::filesystem::exists(source.folder, ignored)) {
    MigrationFolder folder = list_migrations(source);
    if (folder.files.empty()) folder.layout = source.layout.value_or(Layout::native);
    return folder;
  }
  return {
      .path = source.folder, .layout = source.layout.value_or(Layout::native), .files = {}, .warnings = {}};
}

void write_new(const std::string& path, std::string_view contents) {
  std::error_code error;
  std::filesystem::create_directories(std::filesystem::path(path).parent_path(), error);
  const auto fail = [&](int number) {
    throw Error(Exit::usage,
                fmt::format("cannot create \"{}\": {}", path, std::generic_category().message(number)));
  };
  if (error) fail(error.value());
  const Descriptor file(::open(path.c_str(), O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0666));
  if (file.get() < 0) fail(errno);
  while (!contents.empty()) {
    const ssize_t written = ::write(file.get(), contents.data(), contents.size());
    if (written < 0 && errno == EINTR) continue;
    if (written < 0) fail(errno);
    contents.remove_prefix(static_cast<size_t>(written));
  }
}

}  // namespace

NewMigration create_migration(const MigrationSource& source, std::string_view name,
                              std::string_view utc_timestamp) {
  const std::string part = file_name_part(name);
  const MigrationFolder folder = list_or_empty(source);
  const LayoutRules& rules = rules_of(folder.layout);
  const MigrationFile* newest = find_newest(folder);
  const auto files =
      rules.create(next_version(folder.layout, newest, utc_timestamp), part, separator_of(newest));
  NewMigration created;
  for (const NewFile& file : files) {
    const auto entry = rules.classify(file.path);
    const bool fits = entry && entry->role != Entry::Role::refused && entry->name == part;
    if (!fits) {
      throw Error(Exit::usage,
                  fmt::format("the name \"{}\" would not be read back as that of a {} migration", part,
                              to_string(folder.layout)),
                  "use letters, digits and _, and begin with a letter");
    }
    if (newest != nullptr && entry->version <= newest->version) {
      throw Error(Exit::usage, fmt::format("\"{}\" would not come after \"{}\"", file.path, newest->path),
                  "create the file by hand, with a name that sorts behind all others");
    }
    created.version = entry->version.text;
  }
  for (const NewFile& file : files) {
    created.paths.push_back(fmt::format("{}/{}", folder.path, file.path));
    write_new(created.paths.back(), file.contents);
  }
  return created;
}

}  // namespace kdb::files
