#include "files/migrations.hpp"

#include <algorithm>
#include <utility>

#include <fmt/format.h>

#include "base/checksum.hpp"
#include "base/text.hpp"
#include "files/layouts.hpp"
#include "files/read_file.hpp"
#include "files/sections.hpp"

namespace kdb::files {
namespace {

// Whether the bytes can be SQL at all; if not, says so with the line.
bool check_bytes(std::string_view bytes, const std::string& file, std::vector<Problem>& problems) {
  if (bytes.starts_with("\xFF\xFE") || bytes.starts_with("\xFE\xFF")) {
    problems.push_back(
        {.message = "the file is UTF-16", .where = {.file = file, .line = 1}, .hint = "save it as UTF-8"});
    return false;
  }
  const auto line_of = [&](size_t offset) { return 1 + count_lines(bytes.substr(0, offset)); };
  const size_t before = problems.size();
  if (const size_t offset = bytes.find('\0'); offset != std::string_view::npos) {
    problems.push_back({.message = "NUL byte", .where = {.file = file, .line = line_of(offset)}, .hint = {}});
  }
  if (const auto offset = find_invalid_utf8(bytes)) {
    problems.push_back(
        {.message = fmt::format("invalid UTF-8 (byte 0x{:02X})", static_cast<unsigned char>(bytes[*offset])),
         .where = {.file = file, .line = line_of(*offset)},
         .hint = "save the file as UTF-8"});
  }
  return problems.size() == before;
}

bool is_empty(std::string_view bytes) { return trim(without_byte_order_mark(bytes)).empty(); }

struct Bytes {
  std::string_view up;
  std::optional<std::string_view> down;
  std::string_view companion = {};
  std::string_view down_companion = {};
};

Migration parse(const MigrationSource& source, Layout layout, const MigrationFile& file, const Bytes& bytes) {
  std::vector<Problem> problems;
  Migration migration{.file = file, .up = {}, .down = {}};
  migration.file.checksum = sha256_hex(bytes.up);
  if (bytes.down) migration.file.down_checksum = sha256_hex(*bytes.down);

  bool readable = check_bytes(bytes.up, file.path, problems);
  if (is_empty(bytes.up)) {
    problems.push_back(
        {.message = "empty migration file", .where = {.file = file.path, .line = 1}, .hint = {}});
    readable = false;
  }
  // An empty down file is a down that does nothing, as golang-migrate and diesel have it.
  if (bytes.down) readable = check_bytes(*bytes.down, file.down_path, problems) && readable;
  if (readable) {
    rules_of(layout).parse(
        {.source = source,
         .file = file,
         .up = without_byte_order_mark(bytes.up),
         .down = bytes.down ? std::optional(without_byte_order_mark(*bytes.down)) : std::nullopt,
         .companion = bytes.companion,
         .down_companion = bytes.down_companion,
         .problems = problems},
        migration);
  }
  if (problems.empty()) return migration;
  sort_by_position(problems);
  throw Error(Exit::usage, std::move(problems));
}

std::string read_or_throw(const std::string& path, std::uint64_t max_size) {
  std::string contents;
  const ReadResult result = read_file(path, max_size, contents);
  if (result.status == ReadResult::Status::ok) return contents;
  const std::string reason = result.status == ReadResult::Status::too_large
                                 ? fmt::format("it grew to {}", human_bytes(result.size))
                                 : result.error;
  throw Error(Exit::usage, Problem{.message = fmt::format("cannot read the migration: {}", reason),
                                   .where = {.file = path},
                                   .hint = {}});
}

std::string read_companion(Layout layout, const std::string& of, std::uint64_t max_size) {
  const auto companion = rules_of(layout).companion;
  if (companion == nullptr || of.empty()) return {};
  const std::string path = companion(of);
  std::string contents;
  if (read_file(path, max_size, contents).status == ReadResult::Status::missing) return {};
  return read_or_throw(path, max_size);
}

}  // namespace

Migration read_migration(const MigrationSource& source, Layout layout, const MigrationFile& file) {
  const std::string up = read_or_throw(file.path, source.max_file_size);
  std::optional<std::string> down;
  if (!file.down_path.empty()) down = read_or_throw(file.down_path, source.max_file_size);
  const std::string companion = read_companion(layout, file.path, source.max_file_size);
  const std::string down_companion = read_companion(layout, file.down_path, source.max_file_size);
  return parse(source, layout, file,
               {.up = up,
                .down = down ? std::optional<std::string_view>(*down) : std::nullopt,
                .companion = companion,
                .down_companion = down_companion});
}

Migration parse_migration(const MigrationSource& source, Layout layout, const MigrationFile& file,
                          std::string_view up_bytes, std::optional<std::string_view> down_bytes) {
  return parse(source, layout, file, {.up = up_bytes, .down = down_bytes});
}

}  // namespace kdb::files
