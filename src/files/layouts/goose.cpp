// goose: 00001_name.sql with `-- +goose Up` and `-- +goose Down`.
#include <fmt/format.h>

#include "files/goose_sections.hpp"
#include "files/layouts.hpp"
#include "files/layouts/numbered.hpp"
#include "files/names.hpp"

namespace kdb::files {
namespace goose {

std::optional<Entry> classify(std::string_view path) {
  if (is_numbered_file(path)) {
    if (path[leading_digits(path).size()] != '_')
      return refused("has no _ after its version, as goose wants it");
    return numbered_entry(path);
  }
  if (auto program = refuse_program(path)) return program;
  // goose passes over every other file, so a seed.sql beside the migrations is only listed.
  return leading_digits(path).empty() ? std::nullopt : refuse_unnumbered_sql(path);
}

std::vector<NewFile> create(std::string_view version, std::string_view name, std::string_view /*separator*/) {
  return {
      {.path = fmt::format("{}_{}.sql", version, name), .contents = "-- +goose Up\n\n\n-- +goose Down\n\n"}};
}

}  // namespace goose

LayoutRules goose_layout() {
  return {.layout = Layout::goose,
          .form = "00001_name.sql with -- +goose Up",
          .claims = is_numbered_file,
          .recognises = has_goose_directive,
          .classify = goose::classify,
          .parse = parse_goose,
          .create = goose::create};
}

}  // namespace kdb::files
