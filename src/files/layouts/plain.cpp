// Plain: 0001_name.sql, the whole file is up. Atlas' folders are of this form.
#include <algorithm>
#include <iterator>

#include <fmt/format.h>

#include "base/text.hpp"
#include "files/layouts.hpp"
#include "files/layouts/numbered.hpp"
#include "files/names.hpp"
#include "files/plain_file.hpp"

namespace kdb::files {
namespace plain {

// `1_a.undo.sql`: some tool's way back, which must not run as one more migration.
bool is_one_direction(std::string_view stem) {
  constexpr std::string_view endings[] = {".do", ".undo", ".rollback", ".revert", ".deploy", ".verify"};
  return std::any_of(std::begin(endings), std::end(endings), [&](std::string_view ending) {
    return stem.size() > ending.size() &&
           equals_ignore_case(stem.substr(stem.size() - ending.size()), ending);
  });
}

std::optional<Entry> classify(std::string_view path) {
  if (is_numbered_file(path)) {
    const std::string_view stem = path.substr(0, path.size() - std::string_view(".sql").size());
    if (is_one_direction(stem))
      return refused("is one direction of another tool's migration, and a plain file runs whole");
    auto version = dated_version(stem);
    if (!version) return std::nullopt;
    std::string name = name_after(stem.substr(version->text.size()));
    return Entry{.version = std::move(*version), .name = std::move(name)};
  }
  if (auto program = refuse_program(path)) return program;
  return refuse_unnumbered_sql(path);
}

std::vector<NewFile> create(std::string_view version, std::string_view name, std::string_view separator) {
  return {
      {.path = fmt::format("{}{}{}.sql", version, separator, name), .contents = std::string(new_up_text)}};
}

}  // namespace plain

LayoutRules plain_layout() {
  return {.layout = Layout::plain,
          .form = "0001_name.sql, the whole file",
          .claims = is_numbered_file,
          .recognises = [](std::string_view) { return true; },
          .classify = plain::classify,
          .parse = parse_plain,
          .create = plain::create};
}

}  // namespace kdb::files
