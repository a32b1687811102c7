#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "model/report.hpp"
#include "render/formats.hpp"
#include "render/paint.hpp"

namespace kdb::render {

/// Settings under one heading.
struct SettingGroup {
  std::string_view name;  // may be empty
  std::vector<const SettingLine*> lines;
};

/// The headings in the order in which they first come, each with all of its settings. First what has no
/// heading, which would seem to belong to another's behind that.
std::vector<SettingGroup> by_group(const std::vector<SettingLine>& settings);

/// Who says so, and when it takes effect: `From pgtune's formula; needs a restart.`
std::string provenance(const SettingLine& line);

/// The value as pg_settings.setting has it: `1048576` for 1GB, `on` for yes. Nothing where nobody knows the
/// type, or the value is none of that type.
std::optional<std::string> raw_value(const SettingLine& line);

/// Why no file or statement can hold this setting; empty where they can. What is not written has to be said.
std::string why_unwritable(const SettingLine& line);

/// A value as it stands behind `name = ` in a postgresql.conf.
std::string conf_value(std::string_view value);
/// The same inside of its single quotes, whatever it is.
std::string conf_escaped(std::string_view value);

/// `text` as comments, each line of it behind `prefix`, and wrapped together with that.
std::string commented(std::string_view prefix, std::string_view text, size_t hang = 0);

/// `# ---- Memory -----…`, for files whose comments begin with `prefix`.
std::string heading(std::string_view prefix, std::string_view name);

/// What the settings were made for: the labelled fields, below each other.
std::string fields_text(const Report& report);

/// Everything that a report says besides its settings and its fields, as text.
std::string remarks_text(const Report& report);

/// What is said of a setting above it: the reason, where it is from, the verdicts.
std::string setting_comment(const SettingLine& line, std::string_view prefix, const Painter& paint);

/// A report's settings as ALTER SYSTEM statements.
std::string settings_sql(const Report& report, const Style& style);

/// A report's settings as tables in GitHub's Markdown.
std::string settings_markdown(const std::vector<SettingLine>& settings);

}  // namespace kdb::render
