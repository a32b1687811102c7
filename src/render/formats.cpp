#include "render/formats.hpp"

namespace kdb::render {

namespace {

bool always(const Report&) { return true; }
bool has_scripts(const Report& report) { return !report.scripts.empty(); }

}  // namespace

const std::vector<Format>& formats() {
  static const std::vector<Format> rows = {
      {.name = "text", .extension = ".txt", .can_render = always, .render = render_text},
      {.name = "json", .extension = ".json", .can_render = always, .render = render_json},
      {.name = "sql", .extension = ".sql", .can_render = has_scripts, .render = render_sql},
  };
  return rows;
}

const Format* find_format(std::string_view name) {
  for (const Format& format : formats())
    if (format.name == name) return &format;
  return nullptr;
}

const Format* format_of_file(std::string_view path) {
  for (const Format& format : formats())
    if (path.size() > format.extension.size() && path.substr(path.size() - format.extension.size()) == format.extension)
      return &format;
  return nullptr;
}

}  // namespace kdb::render
