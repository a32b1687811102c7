#include "render/formats.hpp"

namespace kdb::render {

const std::vector<Format>& formats() {
  static const std::vector<Format> rows = {
      {.name = "text", .extension = ".txt", .only_scripts = false, .render = render_text},
      {.name = "json", .extension = ".json", .only_scripts = false, .render = render_json},
      {.name = "sql", .extension = ".sql", .only_scripts = true, .render = render_sql},
  };
  return rows;
}

std::vector<std::string_view> format_names(bool with_scripts) {
  std::vector<std::string_view> names;
  for (const Format& format : formats())
    if (with_scripts || !format.only_scripts) names.push_back(format.name);
  return names;
}

const Format* find_format(std::string_view name) {
  for (const Format& format : formats())
    if (format.name == name) return &format;
  return nullptr;
}

const Format* format_of_file(std::string_view path) {
  for (const Format& format : formats())
    if (path.size() > format.extension.size() &&
        path.substr(path.size() - format.extension.size()) == format.extension)
      return &format;
  return nullptr;
}

}  // namespace kdb::render
