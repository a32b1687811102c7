#include <algorithm>

#include <fmt/format.h>

#include "base/text.hpp"
#include "render/formats.hpp"
#include "render/setting_lines.hpp"
#include "render/yaml.hpp"

namespace kdb::render {

namespace {

/// The role writes `option = 'value'` without a look at the value, so that the server's escapes have to be in
/// it. What Jinja would act on is marked as not to be looked at.
std::string role_value(std::string_view value) {
  const std::string escaped = conf_escaped(value);
  const bool acts = escaped.find("{{") != std::string::npos || escaped.find("{%") != std::string::npos ||
                    escaped.find("{#") != std::string::npos;
  return (acts ? "!unsafe " : "") + yaml_string(escaped);
}

YamlEntry option_entry(const SettingLine& line) {
  return {.lines = fmt::format("- option: {}\n  value: {}", yaml_string(line.name), role_value(line.value)),
          .left_out = ""};
}

}  // namespace

std::string render_ansible(const Report& report, const Style&) {
  std::vector<SettingLine> settings = report.settings.value_or(std::vector<SettingLine>{});
  // The role replaces the last line that begins with an option's name, be it the whole of that line's or not:
  // `autovacuum` would overwrite what was set of `autovacuum_naptime` before, and does not in this order.
  std::stable_sort(settings.begin(), settings.end(),
                   [](const SettingLine& a, const SettingLine& b) { return a.name < b.name; });
  for (SettingLine& line : settings) line.group.clear();
  std::string text = yaml_head(report, "The server's settings for the Ansible role geerlingguy.postgresql");
  text += yaml_comment(
      0,
      "\nThe role takes a list of options, in place of its own default: add what that has and you "
      "need (unix_socket_directories). By name, so that none overwrites another: to the role, "
      "any line that begins with an option's name is that option's.");
  return text + "---\n" + yaml_settings(settings, 0, "postgresql_global_config_options", "[]", option_entry) +
         yaml_foot(report);
}

}  // namespace kdb::render
