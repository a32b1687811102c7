#include "base/setting_value.hpp"

#include <algorithm>
#include <cerrno>
#include <charconv>
#include <cmath>
#include <cstdlib>
#include <limits>
#include <span>

#include <fmt/format.h>
#include <fmt/ranges.h>

#include "base/text.hpp"

namespace kdb {

namespace {

bool is_space(char c) { return c == ' ' || (c >= '\t' && c <= '\r'); }

std::string_view without_spaces(std::string_view text) {
  while (!text.empty() && is_space(text.front())) text.remove_prefix(1);
  while (!text.empty() && is_space(text.back())) text.remove_suffix(1);
  return text;
}

/// A unit that a value may have, as a multiple of the smallest of its family.
struct Unit {
  std::string_view name;
  double size;
};

// From the largest down: a fraction is rounded to a multiple of the next smaller one first.
constexpr Unit memory_factors[] = {{"TB", 1024.0 * 1024 * 1024 * 1024},
                                   {"GB", 1024.0 * 1024 * 1024},
                                   {"MB", 1024.0 * 1024},
                                   {"kB", 1024},
                                   {"B", 1}};
constexpr Unit time_factors[] = {{"d", 86'400e6}, {"h", 3'600e6}, {"min", 60e6},
                                 {"s", 1e6},      {"ms", 1e3},    {"us", 1}};

const Unit* find_unit(std::span<const Unit> family, std::string_view name) {
  const auto found =
      std::find_if(family.begin(), family.end(), [&](const Unit& one) { return one.name == name; });
  return found == family.end() ? nullptr : &*found;
}

/// The family of a setting's own unit, and how large that is: `8kB` is eight of `kB`.
struct BaseUnit {
  std::span<const Unit> family;
  double size = 0;
};

std::optional<BaseUnit> base_unit(std::string_view unit) {
  double times = 1;
  const auto [end, error] = std::from_chars(unit.data(), unit.data() + unit.size(), times);
  if (error == std::errc()) unit.remove_prefix(static_cast<size_t>(end - unit.data()));
  for (const std::span<const Unit> family :
       {std::span<const Unit>(memory_factors), std::span<const Unit>(time_factors)})
    if (const Unit* found = find_unit(family, unit))
      return BaseUnit{.family = family, .size = (error == std::errc() ? times : 1) * found->size};
  return std::nullopt;
}

std::optional<double> converted(double number, std::string_view unit, std::string_view setting_unit) {
  const auto base = base_unit(setting_unit);
  const Unit* given = base ? find_unit(base->family, unit) : nullptr;
  if (given == nullptr) return std::nullopt;
  double value = number * (given->size / base->size);
  if (given != &base->family.back()) {
    const double smaller = (given + 1)->size / base->size;
    value = std::rint(value / smaller) * smaller;
  }
  return value;
}

/// `kB, MB, GB`, as the server's own hint has them.
std::string units_of(std::string_view setting_unit) {
  const auto base = base_unit(setting_unit);
  std::vector<std::string_view> names;
  if (base)
    for (const Unit& unit : base->family) names.insert(names.begin(), unit.name);
  return fmt::format("{}", fmt::join(names, ", "));
}

std::string range_of(const SettingType& type) {
  const std::string least = setting_text(type.least, type);
  if (type.most >= std::numeric_limits<float>::max()) return fmt::format("{} or more", least);
  return fmt::format("{} to {}", least, setting_text(type.most, type));
}

bool keeps_case(std::string_view setting) {
  return setting != "search_path" && setting != "temp_tablespaces";
}

}  // namespace

std::optional<bool> setting_boolean(std::string_view text) {
  const std::string word = to_lower(text);
  if (word.empty()) return std::nullopt;
  for (const std::string_view yes : {"true", "yes"})
    if (yes.starts_with(word)) return true;
  for (const std::string_view no : {"false", "no"})
    if (no.starts_with(word)) return false;
  if (word == "on" || word == "1") return true;
  if (word == "of" || word == "off" || word == "0") return false;
  return std::nullopt;
}

std::optional<double> setting_number(const std::string& text, const SettingType& type) {
  if (text.find('\0') != std::string::npos) return std::nullopt;
  const char* const begin = text.c_str();
  const bool integer = type.vartype == "integer";
  char* end = nullptr;
  double number = 0;
  errno = 0;
  if (integer) number = static_cast<double>(std::strtol(begin, &end, 0));
  if (!integer || *end == '.' || *end == 'e' || *end == 'E' || errno == ERANGE) {
    errno = 0;
    number = std::strtod(begin, &end);
  }
  if (end == begin || errno == ERANGE || std::isnan(number)) return std::nullopt;
  std::string_view unit(end);
  while (!unit.empty() && is_space(unit.front())) unit.remove_prefix(1);
  if (!unit.empty()) {
    if (type.unit.empty()) return std::nullopt;
    const auto value = converted(number, without_spaces(unit), type.unit);
    if (!value) return std::nullopt;
    number = *value;
  }
  if (!integer) return number;
  number = std::rint(number);
  if (number > std::numeric_limits<int>::max() || number < std::numeric_limits<int>::min())
    return std::nullopt;
  return number;
}

std::string setting_text(double number, const SettingType& type) {
  const auto base = base_unit(type.unit);
  if (!base) return fmt::format("{}{}", number, type.unit);
  if (number <= 0) return fmt::format("{}", number);
  const double smallest = number * base->size;
  const auto fits = [&](const Unit& unit) { return std::fmod(smallest, unit.size) == 0; };
  const auto unit = std::find_if(base->family.begin(), base->family.end(), fits);
  if (unit == base->family.end()) return fmt::format("{}{}", number, type.unit);
  return fmt::format("{}{}", smallest / unit->size, unit->name);
}

std::string shown_setting(const std::string& value, const SettingType& type) {
  if (type.vartype == "bool")
    if (const auto on = setting_boolean(value)) return *on ? "on" : "off";
  const bool is_number = type.vartype == "integer" || type.vartype == "real";
  const auto number = is_number ? setting_number(value, type) : std::nullopt;
  return number ? setting_text(*number, type) : value;
}

std::string setting_problem(const SettingType& type, const std::string& value) {
  if (type.vartype == "bool" && !setting_boolean(value)) return fmt::format("takes on or off, not {}", value);
  if (type.vartype == "integer" || type.vartype == "real") {
    SettingType unbounded = type;
    unbounded.vartype = "real";  // what is too much for an int is a number too
    const auto number = setting_number(value, type);
    if (!number && !setting_number(value, unbounded))
      return fmt::format(
          "takes a {}number{}, not {}", type.vartype == "real" ? "" : "whole ",
          type.unit.empty() ? "" : fmt::format(" with or without a unit ({})", units_of(type.unit)), value);
    if (!number || *number < type.least || *number > type.most)
      return fmt::format("takes {}, not {}", range_of(type), value);
  }
  if (type.vartype == "enum") {
    const auto is_value = [&](std::string_view word) { return equals_ignore_case(word, value); };
    const auto has = [&](std::string_view word) {
      return std::find(type.choices.begin(), type.choices.end(), word) != type.choices.end();
    };
    // What it takes and does not show, in all enums of 14 to 18.
    constexpr std::string_view switches[] = {"true", "false", "yes", "no", "1", "0"};
    const bool hidden = (has("replica") && (is_value("hot_standby") || is_value("archive"))) ||  // wal_level
                        (has("on") && std::any_of(std::begin(switches), std::end(switches), is_value)) ||
                        (has("debug1") && (is_value("debug") || is_value("info")));
    if (!hidden && std::none_of(type.choices.begin(), type.choices.end(), is_value))
      return fmt::format("takes {}, not {}", fmt::join(type.choices, ", "), value);
  }
  return {};
}

bool may_hold_password(std::string_view setting) {
  return equals_ignore_case(setting, "primary_conninfo") ||
         equals_ignore_case(setting, "ssl_passphrase_command");
}

bool is_setting_list(std::string_view setting) {
  constexpr std::string_view lists[] = {
      "local_preload_libraries",   "output_plugin_libraries",  "search_path",
      "session_preload_libraries", "shared_preload_libraries", "temp_tablespaces",
      "unix_socket_directories"};
  return std::any_of(std::begin(lists), std::end(lists),
                     [&](std::string_view one) { return equals_ignore_case(one, setting); });
}

std::optional<std::vector<std::string>> setting_list(std::string_view setting, std::string_view value) {
  value = without_spaces(value);
  if (value.empty()) return std::vector<std::string>{""};
  std::vector<std::string> names;
  for (size_t at = 0;;) {
    while (at < value.size() && is_space(value[at])) ++at;
    std::string name;
    if (at < value.size() && value[at] == '"') {
      for (++at;; ++at) {
        if (at == value.size()) return std::nullopt;
        if (value[at] == '"' && value.substr(at + 1, 1) != "\"") break;
        if (value[at] == '"') ++at;
        name += value[at];
      }
      ++at;
    } else {
      const size_t end = std::min(value.find(',', at), value.size());
      name = without_spaces(value.substr(at, end - at));
      if (name.empty()) return std::nullopt;
      if (!keeps_case(to_lower(setting))) name = to_lower(name);
      at = end;
    }
    names.push_back(std::move(name));
    while (at < value.size() && is_space(value[at])) ++at;
    if (at == value.size()) return names;
    if (value[at] != ',') return std::nullopt;
    ++at;
  }
}

bool same_setting(std::string_view setting, const SettingType& type, const std::string& a,
                  const std::string& b) {
  if (a == b) return true;
  if (is_setting_list(setting)) {
    const auto names = setting_list(setting, a);
    return names && names == setting_list(setting, b);
  }
  if (type.vartype == "bool") {
    const auto value = setting_boolean(a);
    return value && value == setting_boolean(b);
  }
  if (type.vartype == "integer" || type.vartype == "real") {
    const auto number = setting_number(a, type);
    return number && number == setting_number(b, type);
  }
  return type.vartype == "enum" && equals_ignore_case(a, b);
}

std::string setting_sql(std::string_view setting, std::string_view value) {
  if (!is_setting_list(setting)) return quote_literal(value);
  const auto names = setting_list(setting, value);
  if (!names) return quote_literal(value);
  std::string sql;
  for (const std::string& name : *names) sql += (sql.empty() ? "" : ", ") + quote_literal(name);
  return sql;
}

std::string_view alter_system_problem(std::string_view setting, std::string_view value) {
  if (!is_setting_list(setting) || setting_list(setting, value) != std::vector<std::string>{""} ||
      equals_ignore_case(setting, "search_path") || equals_ignore_case(setting, "temp_tablespaces"))
    return {};
  return "ALTER SYSTEM would leave one empty name in this list, with which the server does not start; empty "
         "it "
         "in postgresql.conf";
}

std::string setting_name_sql(std::string_view setting) {
  std::string sql;
  for (const std::string_view part : split(setting, '.')) sql += (sql.empty() ? "" : ".") + quote_ident(part);
  return sql;
}

}  // namespace kdb
