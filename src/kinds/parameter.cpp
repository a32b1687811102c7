#include "kinds/parameter.hpp"

#include <charconv>
#include <optional>
#include <string>

#include "base/setting_value.hpp"
#include "base/text.hpp"
#include "kinds/definition.hpp"

namespace kdb {

namespace {

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
  const auto first = setting_boolean(trim(a));
  const auto first_number = number_of(a);
  return (first && first == setting_boolean(trim(b))) || (first_number && first_number == number_of(b));
}

}  // namespace kdb
