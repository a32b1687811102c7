#include "base/text.hpp"

#include <limits>

#include <doctest/doctest.h>

namespace kdb::text_test {

TEST_CASE("identifiers are quoted always, and their quotes doubled") {
  CHECK(quote_ident("users") == "\"users\"");
  CHECK(quote_ident("a\"b") == "\"a\"\"b\"");
  CHECK(quote_ident("") == "\"\"");
  CHECK(quote_ident("a\\b") == "\"a\\b\"");
}

TEST_CASE("literals mean the same whatever standard_conforming_strings says") {
  CHECK(quote_literal("it's") == "'it''s'");
  CHECK(quote_literal("") == "''");
  CHECK(quote_literal("a\\b'c") == "E'a\\\\b''c'");
}

TEST_CASE("trim takes ASCII white space from both ends only") {
  CHECK(trim(" \t\r\n a b \f\v") == "a b");
  CHECK(trim("") == "");
  CHECK(trim(" \n") == "");
}

TEST_CASE("split keeps empty parts") {
  using Parts = std::vector<std::string_view>;
  CHECK(split("a,,b", ',') == Parts{"a", "", "b"});
  CHECK(split("", ',') == Parts{""});
  CHECK(split(",", ',') == Parts{"", ""});
}

TEST_CASE("only ASCII letters have a case") {
  CHECK(to_lower("SeLeCT É") == "select É");
  CHECK(equals_ignore_case("Public", "pUBLIC"));
  CHECK_FALSE(equals_ignore_case("a", "ab"));
  CHECK_FALSE(equals_ignore_case("[", "{"));  // 32 apart, as letters are
}

TEST_CASE("did_you_mean finds what was mistyped and nothing far-fetched") {
  const std::vector<std::string_view> known{"tables", "indexes", "hypertables", "settings", "up", "down"};
  CHECK(did_you_mean("tabels", known) == "tables");
  CHECK(did_you_mean("table", known) == "tables");
  CHECK(did_you_mean("INDEXS", known) == "indexes");
  CHECK(did_you_mean("hypertable", known) == "hypertables");
  CHECK(did_you_mean("upp", known) == "up");
  CHECK(did_you_mean("dwon", known) == "down");  // two neighbours swapped are one mistake
  CHECK_FALSE(did_you_mean("columns", known).has_value());
  CHECK_FALSE(did_you_mean("", known).has_value());
  CHECK_FALSE(did_you_mean("tables", {}).has_value());
  const std::vector<std::string_view> options{"--role", "--to", "--steps"};
  CHECK(did_you_mean("--stesp", options) == "--steps");
  CHECK(did_you_mean("--rol", options) == "--role");
  CHECK_FALSE(did_you_mean("--nope", options).has_value());  // dashes are no letters
  CHECK_FALSE(did_you_mean("--no", options).has_value());
}

TEST_CASE("a terminal is given nothing that it would act on") {
  struct Row {
    const char* name;
    std::string_view text;
    std::string_view lines;
    std::string_view line;
  };
  const std::vector<Row> rows{
      {"plain", "a é € 𝄞", "a é € 𝄞", "a é € 𝄞"},
      {"escape sequence", "\x1b[2Ja", "\\x1b[2Ja", "\\x1b[2Ja"},
      {"line feed and tab", "a\n\tb", "a\n\tb", "a\\x0a\\x09b"},
      {"CRLF", "a\r\nb\r", "a\nb\\x0d", "a\\x0d\\x0ab\\x0d"},
      {"DEL and NUL", std::string_view("\x7f\0", 2), "\\x7f\\x00", "\\x7f\\x00"},
      {"C1",
       "\xC2\x9B"
       "1mx",
       "\\xc2\\x9b1mx", "\\xc2\\x9b1mx"},
      {"Latin-1", "caf\xE9", "caf\\xe9", "caf\\xe9"},
      {"no-break space is none", "\xC2\xA0", "\xC2\xA0", "\xC2\xA0"},
  };
  for (const Row& row : rows) {
    CAPTURE(row.name);
    CHECK(printable(row.text) == row.lines);
    CHECK(printable_line(row.text) == row.line);
  }
}

TEST_CASE("find_invalid_utf8 names the first byte that RFC 3629 forbids") {
  struct Row {
    const char* name;
    std::string_view text;
    std::optional<size_t> at;
  };
  const std::vector<Row> rows{
      {"empty", "", std::nullopt},
      {"ASCII longer than a word", "select 1 from nothing at all", std::nullopt},
      {"two, three and four bytes", "é € 𝄞", std::nullopt},
      {"first and last of each length",
       "\xC2\x80\xDF\xBF\xE0\xA0\x80\xEF\xBF\xBF\xF0\x90\x80\x80\xF4\x8F\xBF\xBF", std::nullopt},
      {"stray continuation", "abcdefghi\x80", 9},
      {"Latin-1", "caf\xE9 ", 3},
      {"cut off at the end", "a\xE2\x82", 1},
      {"overlong slash", "\xC0\xAF", 0},
      {"overlong in three bytes", "\xE0\x80\x80", 0},
      {"overlong in four bytes", "\xF0\x80\x80\x80", 0},
      {"surrogate", "\xED\xA0\x80", 0},
      {"past U+10FFFF", "\xF4\x90\x80\x80", 0},
      {"0xFF behind a multibyte character", "12345€\xFF", 8},
  };
  for (const Row& row : rows) {
    CAPTURE(row.name);
    CHECK(find_invalid_utf8(row.text) == row.at);
  }
}

TEST_CASE("prose is wrapped at its spaces, and hung below its beginning") {
  CHECK(wrapped("warning: ", "one two three four", 2, 16) == "warning: one two\n  three four\n");
  CHECK(wrapped({}, "déjà vu", 0, 7) == "déjà vu\n");
  CHECK(wrapped({}, "a-word-that-is-longer than it", 2, 10) == "a-word-that-is-longer\n  than it\n");
  CHECK(wrapped("", "one\ntwo three", 2, 9) == "one\ntwo three\n");
  CHECK(wrapped("a: ", "", 2, 9) == "a: \n");
}

TEST_CASE("durations read as people say them, and never round to the next unit's border") {
  CHECK(human_duration(0) == "0 ms");
  CHECK(human_duration(0.34) == "340 ms");
  CHECK(human_duration(0.9996) == "1.0 s");
  CHECK(human_duration(1.24) == "1.2 s");
  CHECK(human_duration(59.97) == "1 min 0 s");
  CHECK(human_duration(184) == "3 min 4 s");
  CHECK(human_duration(3599.9) == "1 h 0 min");
  CHECK(human_duration(7500) == "2 h 5 min");
  CHECK(human_duration(100000) == "27 h 47 min");
  CHECK(human_duration(-1) == "0 ms");
  CHECK(human_duration(std::numeric_limits<double>::quiet_NaN()) == "0 ms");
}

TEST_CASE("sizes have binary units and at most two digits of precision below ten") {
  CHECK(human_bytes(0) == "0 bytes");
  CHECK(human_bytes(1) == "1 byte");
  CHECK(human_bytes(512) == "512 bytes");
  CHECK(human_bytes(1024) == "1 kB");
  CHECK(human_bytes(1536) == "1.5 kB");
  CHECK(human_bytes(12 * 1024) == "12 kB");
  CHECK(human_bytes(1024 * 1024 - 1) == "1 MB");
  CHECK(human_bytes(3650722202ULL) == "3.4 GB");
  CHECK(human_bytes(std::numeric_limits<unsigned long long>::max()) == "16 EB");
}

}  // namespace kdb::text_test
