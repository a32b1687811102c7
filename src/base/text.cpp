#include "base/text.hpp"

#include <algorithm>
#include <cmath>
#include <cstdint>
#include <cstring>
#include <numeric>

#include <fmt/format.h>

namespace kdb {

namespace {

constexpr std::string_view whitespace = " \t\n\r\f\v";

char lower(char c) { return c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c; }

std::string doubled(std::string_view text, char quote, bool backslashes) {
  std::string result;
  result.reserve(text.size() + 3);
  result += quote;
  for (const char c : text) {
    if (c == quote || (backslashes && c == '\\')) result += c;
    result += c;
  }
  result += quote;
  return result;
}

/// Optimal string alignment: like Levenshtein's distance, but two neighbours swapped cost one, for typing
/// does that.
size_t edit_distance(std::string_view a, std::string_view b) {
  std::vector<size_t> before(b.size() + 1), previous(b.size() + 1), current(b.size() + 1);
  std::iota(previous.begin(), previous.end(), size_t{0});
  for (size_t i = 1; i <= a.size(); ++i) {
    current[0] = i;
    for (size_t j = 1; j <= b.size(); ++j) {
      const size_t replaced = previous[j - 1] + (a[i - 1] == b[j - 1] ? 0 : 1);
      current[j] = std::min({previous[j] + 1, current[j - 1] + 1, replaced});
      const bool swapped = i > 1 && j > 1 && a[i - 1] == b[j - 2] && a[i - 2] == b[j - 1];
      if (swapped) current[j] = std::min(current[j], before[j - 2] + 1);
    }
    std::swap(before, previous);
    std::swap(previous, current);
  }
  return previous[b.size()];
}

/// The first byte at or after `from` that is not ASCII; eight at a time, because nearly all of SQL is.
size_t skip_ascii(std::string_view text, size_t from) {
  constexpr std::uint64_t high_bits = 0x8080808080808080U;
  for (std::uint64_t word = 0; from + sizeof word <= text.size(); from += sizeof word) {
    std::memcpy(&word, text.data() + from, sizeof word);
    if ((word & high_bits) != 0) break;
  }
  while (from < text.size() && static_cast<unsigned char>(text[from]) < 0x80) ++from;
  return from;
}

/// The length of the well-formed sequence at `at` (RFC 3629, section 4), or 0.
size_t utf8_sequence(std::string_view text, size_t at) {
  const auto byte = [&](size_t i) { return i < text.size() ? static_cast<unsigned char>(text[i]) : 0U; };
  const auto in = [&](size_t i, unsigned low, unsigned high) { return byte(i) >= low && byte(i) <= high; };
  const unsigned lead = byte(at);
  if (lead < 0x80) return 1;
  if (lead >= 0xC2 && lead <= 0xDF) return in(at + 1, 0x80, 0xBF) ? 2 : 0;
  if (lead >= 0xE0 && lead <= 0xEF) {
    const unsigned low = lead == 0xE0 ? 0xA0 : 0x80;   // below: overlong
    const unsigned high = lead == 0xED ? 0x9F : 0xBF;  // above: surrogates
    return in(at + 1, low, high) && in(at + 2, 0x80, 0xBF) ? 3 : 0;
  }
  if (lead >= 0xF0 && lead <= 0xF4) {
    const unsigned low = lead == 0xF0 ? 0x90 : 0x80;   // below: overlong
    const unsigned high = lead == 0xF4 ? 0x8F : 0xBF;  // above: past U+10FFFF
    return in(at + 1, low, high) && in(at + 2, 0x80, 0xBF) && in(at + 3, 0x80, 0xBF) ? 4 : 0;
  }
  return 0;
}

/// Whether a terminal may act on the well-formed sequence: C0 but for `kept`, DEL, and C1 (ECMA-48).
bool is_control(std::string_view sequence, std::string_view kept) {
  const auto first = static_cast<unsigned char>(sequence[0]);
  if (sequence.size() == 2) return first == 0xC2 && static_cast<unsigned char>(sequence[1]) < 0xA0;
  return sequence.size() == 1 && (first < 0x20 || first == 0x7F) && kept.find(sequence[0]) == kept.npos;
}

std::string escaped(std::string_view text, std::string_view kept) {
  // Names and messages nearly always are plain ASCII.
  if (std::all_of(text.begin(), text.end(), [](char c) { return c >= ' ' && c < '\x7f'; }))
    return std::string(text);
  std::string result;
  result.reserve(text.size());
  for (size_t at = 0; at < text.size();) {
    const size_t length = utf8_sequence(text, at);
    const std::string_view sequence = text.substr(at, std::max<size_t>(length, 1));
    at += sequence.size();
    const bool line_end = sequence[0] == '\r' && at < text.size() && text[at] == '\n' && !kept.empty();
    if (line_end) continue;
    if (length > 0 && !is_control(sequence, kept)) {
      result += sequence;
      continue;
    }
    for (const char byte : sequence) result += fmt::format("\\x{:02x}", static_cast<unsigned char>(byte));
  }
  return result;
}

}  // namespace

std::string quote_ident(std::string_view name) { return doubled(name, '"', false); }

std::string quote_literal(std::string_view text) {
  if (text.find('\\') == std::string_view::npos) return doubled(text, '\'', false);
  return "E" + doubled(text, '\'', true);
}

std::string percent_encode(std::string_view text) {
  std::string result;
  for (const char c : text) {
    const bool plain = (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') ||
                       std::string_view("/._~-").find(c) != std::string_view::npos;
    if (plain) result += c;
    if (!plain) result += fmt::format("%{:02X}", static_cast<unsigned char>(c));
  }
  return result;
}

std::string_view trim(std::string_view text) {
  const size_t begin = text.find_first_not_of(whitespace);
  if (begin == std::string_view::npos) return {};
  return text.substr(begin, text.find_last_not_of(whitespace) - begin + 1);
}

std::vector<std::string_view> split(std::string_view text, char separator) {
  std::vector<std::string_view> parts;
  for (size_t end = text.find(separator); end != std::string_view::npos; end = text.find(separator)) {
    parts.push_back(text.substr(0, end));
    text.remove_prefix(end + 1);
  }
  parts.push_back(text);
  return parts;
}

std::string to_lower(std::string_view text) {
  std::string result(text);
  std::transform(result.begin(), result.end(), result.begin(), lower);
  return result;
}

std::string to_upper(std::string_view text) {
  std::string result(text);
  for (char& c : result)
    if (c >= 'a' && c <= 'z') c = static_cast<char>(c - 'a' + 'A');
  return result;
}

bool equals_ignore_case(std::string_view a, std::string_view b) {
  return a.size() == b.size() &&
         std::equal(a.begin(), a.end(), b.begin(), [](char x, char y) { return lower(x) == lower(y); });
}

std::optional<std::string_view> did_you_mean(std::string_view word,
                                             const std::vector<std::string_view>& known) {
  std::optional<std::string_view> best;
  size_t best_distance = 0;
  // Dashes would let short options differ in nearly every letter.
  const auto letters = [](std::string_view text) {
    return to_lower(text.substr(std::min(text.find_first_not_of('-'), text.size())));
  };
  const std::string typed = letters(word);
  for (const std::string_view candidate : known) {
    const std::string name = letters(candidate);
    const size_t distance = edit_distance(typed, name);
    if (distance > std::max(typed.size(), name.size()) / 3) continue;
    if (!best || distance < best_distance) {
      best = candidate;
      best_distance = distance;
    }
  }
  return best;
}

std::optional<size_t> find_invalid_utf8(std::string_view text) {
  for (size_t at = skip_ascii(text, 0); at < text.size(); at = skip_ascii(text, at)) {
    const size_t length = utf8_sequence(text, at);
    if (length == 0) return at;
    at += length;
  }
  return std::nullopt;
}

std::string printable(std::string_view text) { return escaped(text, "\n\t"); }

std::string printable_line(std::string_view text) { return escaped(text, ""); }

std::string human_duration(std::chrono::milliseconds time) {
  return human_duration(static_cast<double>(time.count()) / 1000);
}

size_t columns_of(std::string_view text) {
  return static_cast<size_t>(std::count_if(
      text.begin(), text.end(), [](char c) { return (static_cast<unsigned char>(c) & 0xc0U) != 0x80U; }));
}

std::string wrapped(std::string text, std::string_view words, size_t indent, size_t width) {
  size_t used = columns_of(std::string_view(text).substr(text.rfind('\n') + 1));
  bool first = true;
  for (const std::string_view word : split(words, ' ')) {
    const size_t line_feed = word.rfind('\n');
    const size_t columns = columns_of(word.substr(0, word.find('\n')));
    if (!first && used + 1 + columns > width) {
      text += "\n" + std::string(indent, ' ');
      used = indent;
    } else if (!first) {
      text += " ";
      ++used;
    }
    text += word;
    used = line_feed == std::string_view::npos ? used + columns : columns_of(word.substr(line_feed + 1));
    first = false;
  }
  return text + "\n";
}

std::string human_duration(double seconds) {
  // Rounded first, so that no border shows "1000 ms" or "60.0 s". Bounded, so that the conversions are
  // defined.
  const double bounded = std::isfinite(seconds) ? std::clamp(seconds, 0.0, 1e9) : 0.0;
  if (const long long ms = std::llround(bounded * 1000); ms < 1000) return fmt::format("{} ms", ms);
  if (const long long tenths = std::llround(bounded * 10); tenths < 600) {
    return fmt::format("{}.{} s", tenths / 10, tenths % 10);
  }
  const long long whole = std::llround(bounded);
  if (whole < 3600) return fmt::format("{} min {} s", whole / 60, whole % 60);
  const long long minutes = std::llround(bounded / 60);
  return fmt::format("{} h {} min", minutes / 60, minutes % 60);
}

std::string human_bytes(unsigned long long bytes) {
  if (bytes == 1) return "1 byte";
  if (bytes < 1024) return fmt::format("{} bytes", bytes);
  auto value = static_cast<double>(bytes);
  const char* unit = "bytes";
  for (const char* next : {"kB", "MB", "GB", "TB", "PB", "EB"}) {
    // Rounded first: 1023.7 kB would otherwise show as "1024 kB".
    if (std::round(value) < 1024) break;
    value /= 1024;
    unit = next;
  }
  const long long tenths = std::llround(value * 10);
  if (tenths < 100 && tenths % 10 != 0) return fmt::format("{}.{} {}", tenths / 10, tenths % 10, unit);
  return fmt::format("{} {}", std::llround(value), unit);
}

}  // namespace kdb
