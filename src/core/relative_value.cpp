#include "core/relative_value.hpp"

#include <algorithm>
#include <charconv>
#include <cmath>

#include <fmt/format.h>

#include "base/text.hpp"
#include "base/units.hpp"
#include "core/sizing.hpp"

namespace kdb {

namespace {

constexpr int deepest = 8;  // nobody means more

/// Reads `25%`, `8GB`, `min(…)`, `max(…)` one after the other.
class Reader {
 public:
  Reader(std::string_view text, double memory) : rest_(text), memory_(memory) {}

  /// Bytes; nothing, and a problem, for another text.
  std::optional<double> read() {
    const auto value = expression(0);
    if (value && !trim(rest_).empty()) return fail(fmt::format("has \"{}\" behind its end", trim(rest_)));
    return value;
  }

  const std::string& problem() const { return problem_; }

 private:
  std::optional<double> fail(std::string problem) {
    if (problem_.empty()) problem_ = std::move(problem);
    return std::nullopt;
  }

  /// A word in any case, and the parenthesis behind it.
  bool takes(std::string_view word) {
    const std::string_view text = trim_front();
    if (!equals_ignore_case(text.substr(0, word.size()), word)) return false;
    const std::string_view behind = text.substr(word.size());
    const size_t parenthesis = behind.find_first_not_of(" \t");
    if (parenthesis == std::string_view::npos || behind[parenthesis] != '(') return false;
    rest_ = behind.substr(parenthesis + 1);
    return true;
  }

  bool take(std::string_view what) {
    rest_ = trim_front();
    if (!rest_.starts_with(what)) return false;
    rest_.remove_prefix(what.size());
    return true;
  }

  std::string_view trim_front() const {
    const size_t begin = rest_.find_first_not_of(" \t");
    return begin == std::string_view::npos ? std::string_view() : rest_.substr(begin);
  }

  std::optional<double> expression(int depth) {
    if (depth > deepest) return fail("is nested too deep");
    if (takes("min")) return list(depth, [](double a, double b) { return std::min(a, b); });
    if (takes("max")) return list(depth, [](double a, double b) { return std::max(a, b); });
    rest_ = trim_front();
    const std::string_view word = trim(rest_.substr(0, rest_.find_first_of(",()")));
    rest_.remove_prefix(std::min(rest_.find_first_of(",()"), rest_.size()));
    return word.ends_with('%') ? share(word) : size(word);
  }

  template <class Choose>
  std::optional<double> list(int depth, Choose choose) {
    std::optional<double> chosen;
    do {
      const auto value = expression(depth + 1);
      if (!value) return std::nullopt;
      chosen = chosen ? choose(*chosen, *value) : *value;
    } while (take(","));
    if (!take(")")) return fail("lacks a closing parenthesis");
    return chosen;
  }

  std::optional<double> share(std::string_view word) {
    const std::string_view digits = trim(word.substr(0, word.size() - 1));
    double percent = 0;
    const auto [end, error] = std::from_chars(digits.data(), digits.data() + digits.size(), percent);
    if (error != std::errc() || end != digits.data() + digits.size() || !(percent > 0) || percent > 100)
      return fail(fmt::format("takes a share of the memory above 0% and up to 100%, not {}", word));
    return memory_ * percent / 100;
  }

  std::optional<double> size(std::string_view word) {
    const auto bytes = parse_bytes(word);
    if (!bytes || (!word.empty() && is_digit(word.back())))
      return fail(
          fmt::format("takes shares such as 25%, sizes such as 8GB, min(…) and max(…), not \"{}\"", word));
    return static_cast<double>(*bytes);
  }

  std::string_view rest_;
  double memory_;
  std::string problem_;
};

/// Whether the setting counts memory: its unit is one.
bool is_size(const SettingType& type) { return type.unit.ends_with('B'); }

}  // namespace

bool is_relative(std::string_view value, const SettingType& type) {
  const std::string text = to_lower(trim(value));
  if (type.vartype != "integer" && type.vartype != "real") return false;
  return text.ends_with('%') || text.starts_with("min") || text.starts_with("max");
}

std::string relative_problem(std::string_view value, const SettingType& type) {
  Reader reader(value, 0);
  if (!reader.read()) return reader.problem();
  if (!is_size(type)) return fmt::format("is no amount of memory, and so cannot be {}", value);
  return {};
}

std::string resolve_relative(std::string_view value, const SettingType& type, std::uint64_t memory) {
  const double bytes = Reader(value, static_cast<double>(memory)).read().value_or(0);
  if (bytes >= 16 * megabyte)
    return setting_text(std::floor(bytes / megabyte), {.vartype = "integer", .unit = "MB"});
  const double unit = setting_number("1B", {.vartype = "real", .unit = type.unit}).value_or(1);
  return setting_text(std::max(1.0, std::floor(bytes * unit)), type);
}

}  // namespace kdb
