#include "kinds/parameter.hpp"

#include <charconv>
#include <optional>
#include <string>

#include "base/text.hpp"
#include "kinds/definition.hpp"

namespace kdb {

namespace {

/// As the server reads a boolean: any beginning of true, false, yes, no that is one, on, of(f), 1, 0; in any
/// case. -- PG docs 20.1.1; parse_bool_with_len()
std::optional<bool> boolean_of(std::string_view text) {
  const std::string word = to_lower(trim(text));
  if (word.empty()) return std::nullopt;
  for (const std::string_view yes : {"true", "yes"})
    if (yes.starts_with(word)) return true;
  for (const std::string_view no : {"false", "no"})
    if (no.starts_with(word)) return false;
  if (word == "on" || word == "1") return true;
  if (word == "of" || word == "off" || word == "0") return false;
  return std::nullopt;
}

/// Decimal only: 070 is octal to an integer parameter, and not to one with a fraction.
std::optional<double> number_of(std::string_view text) {
  text = trim(text);
  if (text.starts_with('+')) text.remove_prefix(1);
  if (text.size() > 1 && text[0] == '0' && text[1] >= '0' && text[1] <= '9') return std::nullopt;
  double number = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), number);
  if (error != std::errc() || end != text.data() + text.size()) return std::nullopt;
  return number;
}

}  // namespace

bool same_parameter(std::string_view a, std::string_view b) {
  if (a == b || (is_word(to_lower(a)) && equals_ignore_case(a, b))) return true;
  const auto first = boolean_of(a);
  const auto first_number = number_of(a);
  return (first && first == boolean_of(b)) || (first_number && first_number == number_of(b));
}

}  // namespace kdb
