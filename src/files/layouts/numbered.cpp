#include "files/layouts/numbered.hpp"

#include <fmt/format.h>

#include "files/names.hpp"

namespace kdb::files {

Entry numbered_entry(std::string_view path) {
  const std::string_view digits = leading_digits(path);
  const std::string_view stem = path.substr(0, path.size() - std::string_view(".sql").size());
  return {.version = number_version(digits), .name = name_after(stem.substr(digits.size()))};
}

Entry refused(std::string_view reason) {
  return {.role = Entry::Role::refused, .reason = std::string(reason)};
}

Entry refused_program(std::string_view language) {
  Entry entry =
      refused(fmt::format("is numbered like a migration, and is written in {}: kdb runs SQL only", language));
  entry.hint =
      "write what it does as SQL under its version; a program that is no migration belongs elsewhere";
  return entry;
}

std::optional<Entry> refuse_program(std::string_view path) {
  const std::string_view language = program_language(path);
  if (language.empty() || leading_digits(path).empty() || path.ends_with("_test.go")) return std::nullopt;
  return refused_program(language);
}

std::optional<Entry> refuse_unnumbered_sql(std::string_view path) {
  if (!ends_in_sql(path) || path.find('/') != std::string_view::npos) return std::nullopt;
  if (parse_up_down(path)) return refused("is named as golang-migrate names its files");
  if (!path.ends_with(".sql")) return refused("does not end in .sql in lower case");
  return refused("has no version number at its beginning");
}

}  // namespace kdb::files
