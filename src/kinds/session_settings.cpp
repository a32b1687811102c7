#include "kinds/session_settings.hpp"

#include <algorithm>

#include <fmt/format.h>

#include "base/text.hpp"

namespace kdb {

namespace {

/// `work_mem`, `timescaledb.max_background_workers`: identifiers with dots in between, which is what the
/// server asks of a name. -- valid_custom_variable_name() of guc.c
bool is_setting_name(std::string_view name) {
  const auto begins = [](char c) {
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c == '_' ||
           static_cast<unsigned char>(c) >= 0x80;
  };
  const std::vector<std::string_view> parts = split(name, '.');
  return std::all_of(parts.begin(), parts.end(), [&](std::string_view part) {
    return !part.empty() && begins(part.front()) && std::all_of(part.begin(), part.end(), [&](char c) {
      return begins(c) || is_digit(c) || c == '$';
    });
  });
}

}  // namespace

bool is_reset(std::string_view value) { return equals_ignore_case(value, reset_word); }

void compare_session_settings(std::string_view field, const Options& desired, const Options& live,
                              const std::map<std::string, SettingType>& types,
                              std::vector<FieldChange>& changes) {
  for (const auto& [name, value] : desired) {
    const std::string* now = live.find(name);
    const auto type = types.find(name);
    const bool same =
        is_reset(value)
            ? now == nullptr
            : now != nullptr &&
                  same_setting(name, type == types.end() ? SettingType{} : type->second, *now, value);
    if (!same) changes.push_back({fmt::format("{}.{}", field, name), now == nullptr ? "" : *now, value});
  }
}

void check_session_settings(const std::string& field, const Options& settings,
                            std::vector<std::pair<std::string, std::string>>& problems) {
  std::map<std::string, std::string> spellings;
  for (const auto& [name, value] : settings) {
    const std::string path = fmt::format("{}.{}", field, name);
    if (!is_setting_name(name)) problems.emplace_back(path, "is no name of a setting");
    const auto [other, is_new] = spellings.emplace(to_lower(name), name);
    if (!is_new) problems.emplace_back(path, fmt::format("is there as {} too", other->second));
    if (value.find('\0') != std::string::npos) problems.emplace_back(path, "has a NUL byte");
    if (!is_reset(value) && is_setting_list(name) && !setting_list(name, value))
      problems.emplace_back(path, fmt::format("is no list of names with commas in between: {}", value));
  }
}

ChangeStep session_setting_step(std::string_view whose, const std::string& setting, const std::string& value,
                                std::string_view scope) {
  const bool reset = is_reset(value);
  return {
      .sql = fmt::format("ALTER {} {} {}{}", whose, reset ? "RESET" : "SET", setting_name_sql(setting),
                         reset ? "" : " TO " + setting_sql(setting, value)),
      .purpose = fmt::format("{}for sessions that begin from now on{}", reset ? "takes it back " : "", scope),
      .lock = {},
      .hazards = {}};
}

}  // namespace kdb
