#include "base/checksum.hpp"

#include <array>
#include <memory>

#include <openssl/evp.h>

#include "base/error.hpp"

namespace kdb {

namespace {

/// One context and one fetched algorithm per thread: OpenSSL 3 looks both up again for each one-shot
/// EVP_Digest, which is dearer than hashing a small migration.
class Sha256 {
 public:
  Sha256() : context_(EVP_MD_CTX_new()), algorithm_(EVP_MD_fetch(nullptr, "SHA256", nullptr)) {
    if (context_ == nullptr || algorithm_ == nullptr) throw Error(Exit::failed, "OpenSSL offers no SHA-256");
  }

  std::array<unsigned char, 32> digest(std::string_view bytes) {
    std::array<unsigned char, 32> result{};
    const bool done = EVP_DigestInit_ex2(context_.get(), algorithm_.get(), nullptr) == 1 &&
                      EVP_DigestUpdate(context_.get(), bytes.data(), bytes.size()) == 1 &&
                      EVP_DigestFinal_ex(context_.get(), result.data(), nullptr) == 1;
    if (!done) throw Error(Exit::failed, "OpenSSL failed to compute a SHA-256");
    return result;
  }

 private:
  struct Free {
    void operator()(EVP_MD_CTX* context) const { EVP_MD_CTX_free(context); }
    void operator()(EVP_MD* algorithm) const { EVP_MD_free(algorithm); }
  };
  std::unique_ptr<EVP_MD_CTX, Free> context_;
  std::unique_ptr<EVP_MD, Free> algorithm_;
};

constexpr std::array<std::uint32_t, 256> make_crc32_table() {
  std::array<std::uint32_t, 256> table{};
  for (std::uint32_t i = 0; i < 256; ++i) {
    std::uint32_t crc = i;
    for (int bit = 0; bit < 8; ++bit) crc = (crc & 1U) != 0 ? (crc >> 1U) ^ 0xEDB88320U : crc >> 1U;
    table[i] = crc;
  }
  return table;
}

}  // namespace

std::string sha256_hex(std::string_view bytes) {
  thread_local Sha256 sha256;
  constexpr std::string_view digits = "0123456789abcdef";
  std::string hex;
  hex.reserve(64);
  for (const unsigned char byte : sha256.digest(bytes)) {
    hex += digits[byte >> 4U];
    hex += digits[byte & 15U];
  }
  return hex;
}

// A table of our own: only Flyway's history needs it, and zlib would be one more dependency for these ten
// lines.
std::uint32_t crc32(std::string_view bytes, std::uint32_t seed) {
  static constexpr std::array<std::uint32_t, 256> table = make_crc32_table();
  std::uint32_t crc = ~seed;
  for (const char c : bytes) crc = table[(crc ^ static_cast<unsigned char>(c)) & 0xFFU] ^ (crc >> 8U);
  return ~crc;
}

}  // namespace kdb
