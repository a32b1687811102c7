#pragma once

#include <functional>
#include <string>
#include <string_view>

#include "model/report.hpp"

namespace kdb::render {

/// A string in double quotes, which is one in YAML 1.1 and 1.2.
std::string yaml_string(std::string_view text);

/// The key of a mapping: bare where it cannot be taken for anything else.
std::string yaml_key(std::string_view name);

/// `text` as comments below each other, which nothing in it can end.
std::string yaml_comment(size_t indent, std::string_view text, size_t hang = 0);

/// What a document makes of a setting: its lines, without indentation; or why it has none.
struct YamlEntry {
  std::string lines;
  std::string left_out;
};

/// The settings at `indent`: a heading for each group, what is said of each setting, and the setting or why
/// it is not there.
struct YamlEntries {
  std::string text;
  bool any = false;  // not all were left out
};
YamlEntries yaml_entries(const std::vector<SettingLine>& settings, size_t indent,
                         const std::function<YamlEntry(const SettingLine&)>& entry_of);

/// The same below `key`, which has `nothing` behind it where no setting is left: `{}`.
std::string yaml_settings(const std::vector<SettingLine>& settings, size_t indent, std::string_view key,
                          std::string_view nothing,
                          const std::function<YamlEntry(const SettingLine&)>& entry_of);

/// The head of a document: `what` it is, and what the settings were made for.
std::string yaml_head(const Report& report, std::string_view what);

/// Its end: all else that the report says.
std::string yaml_foot(const Report& report);

}  // namespace kdb::render
