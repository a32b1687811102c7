// diesel: 2026-01-15-093000_name/up.sql and down.sql, options in metadata.toml.
#include <fmt/format.h>

#include "files/layouts.hpp"
#include "files/layouts/numbered.hpp"
#include "files/names.hpp"
#include "files/sections.hpp"
#include "files/toml.hpp"

namespace kdb::files {
namespace diesel {

constexpr std::string_view metadata = "metadata.toml";

std::string companion(std::string_view path) {
  return std::string(path.substr(0, path.rfind('/') + 1)).append(metadata);
}

bool claims(std::string_view path) {
  const auto name = parse_folder(path);
  return name && name->file == "up.sql";
}

std::optional<Entry> classify(std::string_view path) {
  const auto name = parse_folder(path);
  if (!name) {
    if (auto program = refuse_program(path)) return program;
    if (ends_in_sql(path) && is_numbered_file(path))
      return refused("is a file, and diesel's migrations are folders");
    return std::nullopt;
  }
  if (name->file == metadata) return Entry{.role = Entry::Role::companion};
  if (name->file != "up.sql" && name->file != "down.sql") return std::nullopt;
  auto version = dated_version(name->folder);
  if (!version) return refused("is in a folder whose name has no version number at its beginning");
  std::string title = name_after(name->folder.substr(version->text.size()));
  return Entry{.role = name->file == "up.sql" ? Entry::Role::up : Entry::Role::down,
               .version = std::move(*version),
               .name = std::move(title)};
}

// `run_in_transaction = false` in metadata.toml; whatever else is there is diesel's own business.
std::optional<bool> read_transaction(const ParseInput& input) {
  if (input.companion.empty()) return std::nullopt;
  const std::string file = companion(input.file.path);
  try {
    const TomlValue root = parse_toml(input.companion, file);
    const TomlValue* value = root.find("run_in_transaction");
    if (value == nullptr) return std::nullopt;
    if (value->kind == TomlValue::Kind::boolean) return value->boolean;
    input.problems.push_back(
        {.message = "run_in_transaction must be true or false", .where = value->where, .hint = {}});
  } catch (const Error& error) {
    input.problems.insert(input.problems.end(), error.problems().begin(), error.problems().end());
  }
  return std::nullopt;
}

Section make_section(std::string_view text, const std::string& file, std::optional<bool> transaction) {
  Section section = join_pieces({{std::string(text), 1}}, file);
  section.options.transaction = transaction;
  section.tool_takes_lone_commit = true;
  section.without_transaction = "`run_in_transaction = false` in metadata.toml beside it";
  return section;
}

void parse(const ParseInput& input, Migration& migration) {
  const auto transaction = read_transaction(input);
  migration.up = make_section(input.up, input.file.path, transaction);
  if (input.down) migration.down = make_section(*input.down, input.file.down_path, transaction);
}

// 20260115093000 as diesel writes it: 2026-01-15-093000, in newer versions with four digits more (-0000).
std::string dashed(std::string_view version) {
  if (version.size() != 14 && version.size() != 18) return std::string(version);
  return fmt::format("{}-{}-{}-{}{}{}", version.substr(0, 4), version.substr(4, 2), version.substr(6, 2),
                     version.substr(8, 6), version.size() == 18 ? "-" : "", version.substr(14));
}

std::vector<NewFile> create(std::string_view version, std::string_view name, std::string_view /*separator*/) {
  const std::string folder = fmt::format("{}_{}", dashed(version), name);
  return {{.path = folder + "/up.sql", .contents = std::string(new_up_text)},
          {.path = folder + "/down.sql", .contents = std::string(new_down_text)}};
}

}  // namespace diesel

LayoutRules diesel_layout() {
  return {.layout = Layout::diesel,
          .form = "2026-01-15-093000_name/up.sql",
          .claims = diesel::claims,
          .classify = diesel::classify,
          .parse = diesel::parse,
          .create = diesel::create,
          .companion = diesel::companion,
          .folder_file = "up.sql"};
}

}  // namespace kdb::files
