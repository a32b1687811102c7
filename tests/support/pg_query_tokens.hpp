#pragma once

#include <algorithm>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include <pg_query.h>

#include "base/sql.hpp"

namespace kdb::test {

/// A token as libpg_query's scanner reports it.
struct PgQueryToken {
  std::uint64_t begin = 0;
  std::uint64_t end = 0;
  bool keyword = false;
};

/// Reads the protobuf of pg_query_scan: ScanResult{tokens=2}, ScanToken{start=1, end=2, token=4,
/// keyword_kind=5}.
class ScanResultReader {
 public:
  explicit ScanResultReader(std::string_view bytes) : bytes_(bytes) {}

  std::vector<PgQueryToken> tokens() {
    std::vector<PgQueryToken> result;
    while (at_ < bytes_.size()) {
      const std::uint64_t field = varint() >> 3U;
      const std::uint64_t value = varint();  // of field 2, a message: its length
      if (field == 2) result.push_back(token(at_ + value));
    }
    return result;
  }

 private:
  PgQueryToken token(std::uint64_t end) {
    PgQueryToken token;
    while (at_ < end) {
      const std::uint64_t field = varint() >> 3U;
      const std::uint64_t value = varint();
      if (field == 1) token.begin = value;
      if (field == 2) token.end = value;
      if (field == 5) token.keyword = value != 0;
    }
    return token;
  }

  std::uint64_t varint() {
    std::uint64_t value = 0;
    for (unsigned shift = 0; at_ < bytes_.size(); shift += 7) {
      const auto byte = static_cast<unsigned char>(bytes_[at_++]);
      value |= static_cast<std::uint64_t>(byte & 0x7FU) << shift;
      if (byte < 0x80) break;
    }
    return value;
  }

  std::string_view bytes_;
  std::uint64_t at_ = 0;
};

/// What libpg_query's scanner makes of `text`; nothing where it refuses it.
inline std::optional<std::vector<PgQueryToken>> pg_query_tokens(const std::string& text) {
  const PgQueryScanResult result = pg_query_scan(text.c_str());
  std::optional<std::vector<PgQueryToken>> tokens;
  if (result.error == nullptr) tokens = ScanResultReader({result.pbuf.data, result.pbuf.len}).tokens();
  pg_query_free_scan_result(result);
  return tokens;
}

/// Whether kdb's scanner and libpg_query's are bound to agree on a text that the latter takes.
inline bool is_comparable(std::string_view text, const std::vector<sql::Token>& ours) {
  // A vertical tab is white space since 16; a byte order mark is for the reader of a file to skip.
  if (text.find('\v') != std::string_view::npos || text.substr(0, 3) == "\xEF\xBB\xBF") return false;
  return std::none_of(ours.begin(), ours.end(), [&](const sql::Token& token) {
    const std::string_view word = text.substr(token.begin, token.end - token.begin);
    // libpg_query makes tokens of comments, and so misses that PostgreSQL goes on with 'a' -- comment
    // <newline> 'b'.
    const bool continued =
        token.kind == sql::Token::Kind::literal && word.find("--") != std::string_view::npos;
    return continued || word[0] == '\\';
  });
}

/// The first place where kdb's tokens are not libpg_query's; nothing if they agree or cannot be compared.
inline std::optional<size_t> scan_difference(const std::string& text) {
  const std::vector<sql::Token> ours = sql::scan(text);
  const auto theirs = pg_query_tokens(text);
  if (!theirs || !is_comparable(text, ours)) return std::nullopt;
  for (size_t i = 0; i < std::min(ours.size(), theirs->size()); ++i) {
    const char* word = text.data() + ours[i].begin;
    const bool has_end =
        (word[0] != 'u' && word[0] != 'U') || word[1] != '&';  // libpg_query reports a stale one
    const bool is_national =
        (word[0] == 'n' || word[0] == 'N') && word[1] == '\'';  // the keyword NCHAR to them
    const bool is_keyword = ours[i].kind == sql::Token::Kind::keyword;
    // Ours are 18's keywords, so that one that they do not know is none yet.
    const bool same_kind = is_national || is_keyword || !(*theirs)[i].keyword;
    if (ours[i].begin != (*theirs)[i].begin || (has_end && ours[i].end != (*theirs)[i].end) || !same_kind) {
      return ours[i].begin;
    }
  }
  if (ours.size() == theirs->size()) return std::nullopt;
  return ours.size() < theirs->size() ? (*theirs)[ours.size()].begin : ours[theirs->size()].begin;
}

}  // namespace kdb::test
