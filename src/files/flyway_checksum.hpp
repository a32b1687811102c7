#pragma once

#include <cstdint>
#include <string>
#include <string_view>

namespace kdb::files {

/// The checksum that Flyway stores: CRC-32 over the lines without their terminators and without a BOM, as
/// Java's signed int (Flyway's ChecksumCalculator).
std::int32_t flyway_checksum_of(std::string_view text);

/// The same of a file. Throws Error(usage) if it cannot be read.
std::int32_t flyway_checksum(const std::string& path);

}  // namespace kdb::files
