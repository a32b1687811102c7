#include "base/checksum.hpp"

#include <string>

#include <doctest/doctest.h>

namespace kdb::checksum_test {

TEST_CASE("SHA-256 gives the vectors of FIPS 180-4, again and again from one context") {
  for (int round = 0; round < 2; ++round) {
    CHECK(sha256_hex("") == "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855");
    CHECK(sha256_hex("abc") == "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad");
  }
  CHECK(sha256_hex(std::string(1000000, 'a')) ==
        "cdc76e5c9914fb9281a1c7e284d73e67f1809a48a497200e046d39ccc7112cd0");
}

TEST_CASE("CRC-32 is that of zlib and continues from a seed") {
  CHECK(crc32("") == 0);
  CHECK(crc32("123456789") == 0xCBF43926U);
  CHECK(crc32("56789", crc32("1234")) == 0xCBF43926U);
  CHECK(crc32(std::string(4, '\0')) == 0x2144DF1CU);
}

}  // namespace kdb::checksum_test
