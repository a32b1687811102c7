#include "render/formats.hpp"

namespace kdb::render {

const std::vector<Format>& formats() {
  static const std::vector<Format> rows = {
      {.name = "text", .extension = ".txt", .shows = {}, .render = render_text},
      {.name = "json",
       .extension = ".json",
       .shows = {},
       .render = render_json,
       .render_error = render_error_json},
      {.name = "sql",
       .extension = ".sql",
       .shows = {.scripts = true, .changes = true, .settings = true},
       .render = render_sql},
      {.name = "markdown",
       .extension = ".md",
       .shows = {.changes = true, .settings = true, .queries = true, .plots = true},
       .render = render_markdown},
      {.name = "sarif",
       .extension = ".sarif",
       .shows = {.findings = true, .changes = true},
       .render = render_sarif},
      {.name = "github",
       .extension = "",
       .shows = {.findings = true, .changes = true, .queries = true},
       .render = render_github,
       .render_error = render_error_github},
      {.name = "html", .extension = ".html", .shows = {.plots = true}, .render = render_html},
      {.name = "conf", .extension = ".conf", .shows = {.settings = true}, .render = render_conf},
      {.name = "rds", .extension = "", .shows = {.settings = true}, .render = render_rds},
      {.name = "cnpg", .extension = "", .shows = {.settings = true}, .render = render_cnpg},
      {.name = "patroni", .extension = "", .shows = {.settings = true}, .render = render_patroni},
      {.name = "ansible", .extension = "", .shows = {.settings = true}, .render = render_ansible},
  };
  return rows;
}

std::vector<std::string_view> format_names(const Contents& contents) {
  std::vector<std::string_view> names;
  for (const Format& format : formats()) {
    const Contents& shows = format.shows;
    if (shows.none() || (shows.scripts && contents.scripts) || (shows.findings && contents.findings) ||
        (shows.changes && contents.changes) || (shows.settings && contents.settings) ||
        (shows.queries && contents.queries) || (shows.plots && contents.plots))
      names.push_back(format.name);
  }
  return names;
}

std::vector<std::string_view> format_names() {
  return format_names(
      {.scripts = true, .findings = true, .changes = true, .settings = true, .queries = true, .plots = true});
}

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
