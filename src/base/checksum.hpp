#pragma once

#include <cstdint>
#include <string>
#include <string_view>

namespace kdb {

/// SHA-256 of the bytes, as 64 lower-case hexadecimal digits.
std::string sha256_hex(std::string_view bytes);

/// CRC-32 (IEEE 802.3, as zlib and java.util.zip.CRC32 compute it), continued from `seed`.
std::uint32_t crc32(std::string_view bytes, std::uint32_t seed = 0);

}  // namespace kdb
