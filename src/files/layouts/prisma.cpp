// Prisma: 20260115093000_name/migration.sql; it has no down.
#include <fmt/format.h>

#include "files/layouts.hpp"
#include "files/layouts/numbered.hpp"
#include "files/names.hpp"
#include "files/sections.hpp"

namespace kdb::files {
namespace prisma {

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
  if (name->file != "migration.sql") return std::nullopt;
  const std::string_view digits = leading_digits(name->folder);
  if (digits.empty()) return refused("is in a folder whose name has no version number at its beginning");
  return Entry{.version = {.text = std::string(digits), .key = {"/" + std::string(name->folder)}},
               .name = name_after(name->folder.substr(digits.size()))};
}

void parse(const ParseInput& input, Migration& migration) {
  migration.up = join_pieces({{std::string(input.up), 1}}, input.file.path);
  // Prisma sends the file as it is, as golang-migrate does.
  migration.up->tool_adds_no_transaction = true;
  migration.up->tool_takes_lone_commit = true;
}

std::vector<NewFile> create(std::string_view version, std::string_view name, std::string_view /*separator*/) {
  return {{.path = fmt::format("{}_{}/migration.sql", version, name), .contents = std::string(new_up_text)}};
}

}  // namespace prisma

// The leading digits alone are no identity here, though they are what people call a migration by: Prisma
// sorts its folders by their whole names as text, and real projects have several of one moment (langfuse:
// six), and dates beside moments (20250701000000_init before 20250702_second).
LayoutRules prisma_layout() {
  return {.layout = Layout::prisma,
          .form = "20260115093000_name/migration.sql",
          .claims = prisma::claims,
          .classify = prisma::classify,
          .parse = prisma::parse,
          .create = prisma::create,
          .folder_file = "migration.sql"};
}

}  // namespace kdb::files
