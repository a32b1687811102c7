#include <random>

#include <doctest/doctest.h>

#include "base/sql.hpp"
#include "support/cases.hpp"
#include "support/pg_query_tokens.hpp"

namespace kdb::sql_scan_test {

using sql::Token;

namespace {

/// Tokens as `kind:text`, for tables.
std::vector<std::string> show(std::string_view text) {
  std::vector<std::string> result;
  for (const Token& token : sql::scan(text)) {
    result.push_back(std::string(1, "kilnpoc"[static_cast<int>(token.kind)]) + ":" +
                     std::string(text.substr(token.begin, token.end - token.begin)));
  }
  return result;
}

/// Fragments whose every concatenation is a hard case for a scanner.
const std::vector<std::string> fragments{
    "select", "e",    "E'",  "'",  "''", "\\'", "\"",   "U&'",      "u&\"",   "b'01'",  "X'fF'",
    "N'",     "$$",   "$a$", "$",  "$1", "1",   "1.",   ".5",       "1e5",    "..",     ":",
    ":=",     "::",   "=>",  "<>", "+",  "-",   "*",    "/",        "<",      "~",      "@",
    "%",      "|",    "--",  "/*", "*/", "\n",  "\r\n", " ",        "\t",     ";",      "(",
    ")",      "[",    "]",   ",",  ".",  "é",   "日本", "a$b",      "_x",     "NULL",   "end",
    "begin",  "case", "#",   "!",  "^",  "&",   "`",    "'x'\n'y'", "-- c\n", "/* c */"};

}  // namespace

TEST_CASE("tokens are those of PostgreSQL's scanner") {
  using Tokens = std::vector<std::string>;
  CHECK(show("SELECT a.b, \"c\"\"d\" FROM t -- x") ==
        Tokens{"k:SELECT", "i:a", "o:.", "i:b", "o:,", "i:\"c\"\"d\"", "k:FROM", "i:t", "c:-- x"});
  CHECK(show("E'a\\'b' 'c\\' $t$ ' $ $t$ U&'\\0041' B'1' x'f'") ==
        Tokens{"l:E'a\\'b'", "l:'c\\'", "l:$t$ ' $ $t$", "l:U&'\\0041'", "l:B'1'", "l:x'f'"});
  CHECK(show("'a' -- why\n 'b' 'c'") == Tokens{"l:'a' -- why\n 'b'", "l:'c'"});
  CHECK(show("1 1.5e-3 .5 1..2 $1") == Tokens{"n:1", "n:1.5e-3", "n:.5", "n:1", "o:..", "n:2", "p:$1"});
  CHECK(show("a::int >= -1 @-1 *-- c") ==
        Tokens{"i:a", "o:::", "k:int", "o:>=", "o:-", "n:1", "o:@-", "n:1", "o:*", "c:-- c"});
  CHECK(show("/* a /* b */ c */ x") == Tokens{"c:/* a /* b */ c */", "i:x"});
}

TEST_CASE("numbers of newer releases, and junk behind numbers, are one token") {
  using Tokens = std::vector<std::string>;
  CHECK(show("1_000 0x1F 0b_1 1_0.5_0e1_0 123abc") ==
        Tokens{"n:1_000", "n:0x1F", "n:0b_1", "n:1_0.5_0e1_0", "n:123abc"});
}

TEST_CASE("a byte order mark is no token, and a backslash takes its line") {
  using Tokens = std::vector<std::string>;
  CHECK(show("\xEF\xBB\xBFselect") == Tokens{"k:select"});
  CHECK(show("\\echo it's\nselect") == Tokens{"o:\\echo it's", "k:select"});
}

TEST_CASE("what cannot be scanned ends the tokens") {
  for (const char* text : {"a 'b", "a \"b", "a $x$ b", "a /* b /* */", "a E'\\'"}) {
    CAPTURE(text);
    CHECK(show(text) == std::vector<std::string>{"i:a"});
  }
}

TEST_CASE("random texts scan as with libpg_query, wherever that can") {
  const unsigned seed = test::seed();
  CAPTURE(seed);
  std::mt19937 random(seed);
  int compared = 0;
  for (int i = 0; i < test::cases() * 20; ++i) {
    std::string text;
    for (auto n = random() % 12; n > 0; --n) text += fragments[random() % fragments.size()];
    compared += test::pg_query_tokens(text) ? 1 : 0;
    CAPTURE(text);
    CHECK(test::scan_difference(text) == std::nullopt);
  }
  CHECK(compared > test::cases() * 2);
}

}  // namespace kdb::sql_scan_test
