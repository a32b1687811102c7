// golang-migrate: 1_name.up.sql and 1_name.down.sql, paired by their version.
#include <fmt/format.h>

#include "files/layouts.hpp"
#include "files/layouts/numbered.hpp"
#include "files/names.hpp"
#include "files/sections.hpp"

namespace kdb::files {
namespace golang_migrate {

bool claims(std::string_view path) { return parse_up_down(path).has_value(); }

std::optional<Entry> classify(std::string_view path) {
  if (const auto name = parse_up_down(path)) {
    return Entry{.role = name->up ? Entry::Role::up : Entry::Role::down,
                 .version = number_version(name->digits),
                 .name = std::string(name->title)};
  }
  if (auto program = refuse_program(path)) return program;
  const bool was_meant =
      !leading_digits(path).empty() || path.ends_with(".up.sql") || path.ends_with(".down.sql");
  const bool in_subfolder = path.find('/') != std::string_view::npos;
  if (!ends_in_sql(path) || !was_meant || in_subfolder) return std::nullopt;
  return refused("is neither VERSION_name.up.sql nor VERSION_name.down.sql");
}

// golang-migrate sends the file as it is: what its author wrote decides about transactions.
Section make_section(std::string_view text, const std::string& file) {
  Section section = join_pieces({{std::string(text), 1}}, file);
  section.tool_adds_no_transaction = true;
  section.tool_takes_lone_commit = true;
  return section;
}

void parse(const ParseInput& input, Migration& migration) {
  migration.up = make_section(input.up, input.file.path);
  if (input.down) migration.down = make_section(*input.down, input.file.down_path);
}

std::vector<NewFile> create(std::string_view version, std::string_view name, std::string_view /*separator*/) {
  return {{.path = fmt::format("{}_{}.up.sql", version, name), .contents = std::string(new_up_text)},
          {.path = fmt::format("{}_{}.down.sql", version, name), .contents = std::string(new_down_text)}};
}

}  // namespace golang_migrate

LayoutRules golang_migrate_layout() {
  return {.layout = Layout::golang_migrate,
          .form = "1_name.up.sql",
          .claims = golang_migrate::claims,
          .classify = golang_migrate::classify,
          .parse = golang_migrate::parse,
          .create = golang_migrate::create};
}

}  // namespace kdb::files
