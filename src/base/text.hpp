#pragma once

#include <chrono>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace kdb {

/// `name` as an SQL identifier, quoted always: `a"b` becomes `"a""b"`.
std::string quote_ident(std::string_view name);

/// `text` as an SQL string literal, safe whatever `standard_conforming_strings` says.
std::string quote_literal(std::string_view text);

/// `text` as a part of a URL, `/` left as it is: `a b` becomes `a%20b`.
std::string percent_encode(std::string_view text);

/// ASCII's 0 to 9, whatever the locale.
constexpr bool is_digit(char c) { return c >= '0' && c <= '9'; }

/// Without white space (ASCII) at both ends.
std::string_view trim(std::string_view text);

/// The parts between the separators, empty ones included.
std::vector<std::string_view> split(std::string_view text, char separator);

/// ASCII lower case, upper case; other bytes stay.
std::string to_lower(std::string_view text);
std::string to_upper(std::string_view text);

/// Case-insensitive comparison of ASCII text.
bool equals_ignore_case(std::string_view a, std::string_view b);

/// The one of `known` that a user most likely meant by `word` (edit distance of at most a third,
/// dashes in front not counted), if any.
std::optional<std::string_view> did_you_mean(std::string_view word,
                                             const std::vector<std::string_view>& known);

/// The byte offset of the first byte that is not valid UTF-8, if any (RFC 3629: no overlong forms, no
/// surrogates).
std::optional<size_t> find_invalid_utf8(std::string_view text);

/// What a terminal can be given: control characters but for line feed and tab, and bytes that are no UTF-8,
/// become `\x1b`; a carriage return before a line feed goes.
std::string printable(std::string_view text);

/// The same on one line: line feeds and tabs too.
std::string printable_line(std::string_view text);

/// Columns of UTF-8 text on a terminal; every code point counts as one, which is right for all but East Asian
/// wide ones.
size_t columns_of(std::string_view text);

/// Longer lines are hard to read, however wide the terminal is.
inline constexpr size_t widest_prose = 100;

/// `text` and `words` behind it on lines of at most `width` columns, those from the second on hung at
/// `indent`. Breaks at spaces; a line feed among the words stays.
std::string wrapped(std::string text, std::string_view words, size_t indent, size_t width);

/// A short, stable rendering of a time span for people: `340 ms`, `1.2 s`, `3 min 4 s`, `2 h 5 min`.
std::string human_duration(double seconds);
std::string human_duration(std::chrono::milliseconds time);

/// Bytes for people in binary units, as PostgreSQL's pg_size_pretty counts: `512 bytes`, `12 kB`, `3.4 GB`.
std::string human_bytes(unsigned long long bytes);

}  // namespace kdb
