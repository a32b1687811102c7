#include "host/conf_includes.hpp"

#include <algorithm>
#include <cstddef>
#include <optional>
#include <utility>

#include "base/text.hpp"

namespace kdb::host {
namespace {

// The classes of guc-file.l, whatever the locale; bytes beyond ASCII are letters there.
bool is_conf_letter(char c) {
  return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c == '_' ||
         static_cast<unsigned char>(c) >= 0x80;
}
bool is_conf_word(char c) { return is_conf_letter(c) || is_digit(c); }
bool is_conf_unquoted(char c) {
  return is_conf_word(c) || std::string_view("-._:/").find(c) != std::string_view::npos;
}

/// One line, read from its begin.
class ConfLine {
 public:
  explicit ConfLine(std::string_view text) : rest_(text) {}

  std::optional<ConfInclude> include() {
    skip_space();
    const std::string_view name = take(length_of(is_conf_word));
    const bool folder = equals_ignore_case(name, "include_dir");
    if (!folder && !equals_ignore_case(name, "include") && !equals_ignore_case(name, "include_if_exists"))
      return std::nullopt;
    skip_space();
    if (rest_.starts_with('=')) take(1);
    skip_space();
    std::optional<std::string> value = rest_.starts_with('\'') ? quoted() : unquoted();
    skip_space();
    if (!value || !(rest_.empty() || rest_.starts_with('#'))) return std::nullopt;
    return ConfInclude{.folder = folder, .value = *std::move(value)};
  }

 private:
  size_t length_of(bool (*belongs)(char)) const {
    const auto end = std::find_if_not(rest_.begin(), rest_.end(), belongs);
    return static_cast<size_t>(end - rest_.begin());
  }
  std::string_view take(size_t length) {
    const std::string_view taken = rest_.substr(0, length);
    rest_.remove_prefix(taken.size());
    return taken;
  }
  void skip_space() {
    take(length_of([](char c) { return c == ' ' || c == '\t' || c == '\r'; }));
  }

  /// ID or UNQUOTED_STRING. `conf.d` is neither: QUALIFIED_ID, of the same length, comes first there, and the
  /// server takes none for a value. Numbers, which it does take, name no file of ours.
  std::optional<std::string> unquoted() {
    if (rest_.empty() || !is_conf_letter(rest_.front())) return std::nullopt;
    std::string word(take(length_of(is_conf_unquoted)));
    const size_t dot = word.find('.');
    if (dot != std::string::npos && dot + 1 < word.size() && is_conf_letter(word[dot + 1]) &&
        std::count_if(word.begin(), word.end(), is_conf_word) + 1 == static_cast<std::ptrdiff_t>(word.size()))
      return std::nullopt;
    return word;
  }

  std::optional<std::string> quoted() {
    std::string value;
    take(1);
    while (!rest_.empty()) {
      const char c = take(1).front();
      if (c == '\\') {
        if (rest_.empty()) break;
        value += escaped();
      } else if (c != '\'') {
        value += c;
      } else if (rest_.starts_with('\'')) {
        value += take(1);
      } else {
        return value;
      }
    }
    return std::nullopt;
  }

  char escaped() {
    const char c = take(1).front();
    if (c >= '0' && c <= '7') return octal(c);
    constexpr std::string_view letters = "bfnrt";
    const size_t at = letters.find(c);
    return at == std::string_view::npos ? c : "\b\f\n\r\t"[at];
  }
  char octal(char first) {
    int code = first - '0';
    for (int digits = 1; digits < 3 && !rest_.empty() && rest_.front() >= '0' && rest_.front() <= '7';
         ++digits)
      code = code * 8 + (take(1).front() - '0');
    return static_cast<char>(code);
  }

  std::string_view rest_;
};

}  // namespace

std::vector<ConfInclude> conf_includes(std::string_view text) {
  std::vector<ConfInclude> result;
  for (const std::string_view line : split(text, '\n'))
    if (std::optional<ConfInclude> found = ConfLine(line).include()) result.push_back(*std::move(found));
  return result;
}

}  // namespace kdb::host
