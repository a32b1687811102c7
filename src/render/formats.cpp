#include "render/formats.hpp"

namespace kdb::render {

const std::vector<Format>& formats() {
  static const std::vector<Format> rows = {
      {.name = "text", .extension = ".txt", .only = {}, .render = render_text},
      {.name = "json",
       .extension = ".json",
       .only = {},
       .render = render_json,
       .render_error = render_error_json},
      {.name = "sql", .extension = ".sql", .only = {.scripts = true}, .render = render_sql},
      {.name = "sarif", .extension = ".sarif", .only = {.findings = true}, .render = render_sarif},
      {.name = "github",
       .extension = "",
       .only = {.findings = true},
       .render = render_github,
       .render_error = render_error_github},
  };
  return rows;
}

std::vector<std::string_view> format_names(const Contents& contents) {
  std::vector<std::string_view> names;
  for (const Format& format : formats()) {
    const bool lacks =
        (format.only.scripts && !contents.scripts) || (format.only.findings && !contents.findings);
    if (!lacks) names.push_back(format.name);
  }
  return names;
}

std::vector<std::string_view> format_names() { return format_names({.scripts = true, .findings = true}); }

const Format* find_format(std::string_view name) {
  for (const Format& format : formats())
    if (format.name == name) return &format;
  return nullptr;
}

const Format* format_of_file(std::string_view path) {
  for (const Format& format : formats())
    if (!format.extension.empty() && path.size() > format.extension.size() &&
        path.substr(path.size() - format.extension.size()) == format.extension)
      return &format;
  return nullptr;
}

}  // namespace kdb::render
