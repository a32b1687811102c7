// Prisma: 20260115093000_name/migration.sql; it has no down.
#include <fmt/format.h>

#include "files/layouts.hpp"
#include "files/layouts/numbered.hpp"
#include "files/names.hpp"
#include "files/sections.hpp"

namespace kdb::files {
namespace {

bool claims(std::string_view path) {
  const auto name = parse_folder(path);
  return name && name->file == "migration.sql";
}

std::optional<Entry> classify(std::string_view path) {
  const auto name = parse_folder(path);
  if (!name) {
    if (auto program = refuse_program(path)) return program;
    if (is_numbered_file(path)) return refused("is a file, and Prisma's migrations are folders");
    return std::nullopt;
  }
  const bool is_empty_folder = name->file.empty();
  if (is_empty_folder && !leading_digits(name->folder).empty()) return refused("has no migration.sql");
  if (name->file != "migration.sql") return std::nullopt;
  auto version = dated_version(name->folder);
  if (!version) return refused("is in a folder whose name has no version number at its beginning");
  std::string title = name_after(name->folder.substr(version->text.size()));
  return Entry{.version = std::move(*version), .name = std::move(title)};
}

void parse(const ParseInput& input, Migration& migration) {
  migration.up = join_pieces({{std::string(input.up), 1}}, input.file.path);
  // Prisma sends the file as it is, as golang-migrate does.
  migration.up->tool_adds_no_transaction = true;
}

std::vector<NewFile> create(std::string_view version, std::string_view name) {
  return {{.path = fmt::format("{}_{}/migration.sql", version, name), .contents = {}}};
}

}  // namespace

LayoutRules prisma_layout() {
  return {.layout = Layout::prisma,
          .form = "20260115093000_name/migration.sql",
          .claims = claims,
          .classify = classify,
          .parse = parse,
          .create = create};
}

}  // namespace kdb::files
