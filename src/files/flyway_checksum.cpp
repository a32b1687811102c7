#include "files/flyway_checksum.hpp"

#include <fmt/format.h>

#include "base/checksum.hpp"
#include "base/error.hpp"
#include "files/read_file.hpp"

namespace kdb::files {

namespace {

constexpr std::uint64_t max_checked_size =
    256 * 1024 * 1024;  // the folder's own limit was checked when it was listed

}  // namespace

std::int32_t flyway_checksum_of(std::string_view text) {
  constexpr std::string_view bom = "\xEF\xBB\xBF";
  if (text.substr(0, bom.size()) == bom) text.remove_prefix(bom.size());
  std::uint32_t crc = 0;
  while (!text.empty()) {
    // As Java's BufferedReader.readLine: a line ends with \n, \r or \r\n.
    const size_t end = text.find_first_of("\r\n");
    crc = crc32(text.substr(0, end), crc);
    if (end == std::string_view::npos) break;
    text.remove_prefix(text.substr(end, 2) == "\r\n" ? end + 2 : end + 1);
  }
  return static_cast<std::int32_t>(crc);
}

std::int32_t flyway_checksum(const std::string& path) {
  std::string text;
  const ReadResult read = read_file(path, max_checked_size, text);
  if (read.status != ReadResult::Status::ok)
    throw Error(Exit::usage, fmt::format("{} cannot be read: {}", path, read.error));
  return flyway_checksum_of(text);
}

}  // namespace kdb::files
