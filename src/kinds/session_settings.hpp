#pragma once

#include <map>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "base/setting_value.hpp"
#include "kinds/row.hpp"
#include "model/change.hpp"

namespace kdb {

// What the kinds have in common that give sessions other settings: ALTER ROLE … SET, ALTER DATABASE … SET.

/// The declared value that takes a setting back, in any case.
inline constexpr std::string_view reset_word = "default";
bool is_reset(std::string_view value);

/// Notes the declared settings that differ, spellings of one value not counted. `types`: as the server told.
void compare_session_settings(std::string_view field, const Options& desired, const Options& live,
                              const std::map<std::string, SettingType>& types,
                              std::vector<FieldChange>& changes);

/// What is wrong with them, by field: names, twins, NUL bytes, lists.
void check_session_settings(const std::string& field, const Options& settings,
                            std::vector<std::pair<std::string, std::string>>& problems);

/// One of them for the sessions of `whose` (`ROLE "r" IN DATABASE "d"`), or taken back. `scope`: what is said
/// behind: `, in this database`.
ChangeStep session_setting_step(std::string_view whose, const std::string& setting, const std::string& value,
                                std::string_view scope);

}  // namespace kdb
