// Native: 20260115093000_name.sql with `-- migrate:up` and `-- migrate:down` sections, dbmate's form.
#include <fmt/format.h>

#include "files/layouts.hpp"
#include "files/layouts/numbered.hpp"
#include "files/names.hpp"
#include "files/native_sections.hpp"

namespace kdb::files {
namespace native {

std::optional<Entry> classify(std::string_view path) {
  if (is_numbered_file(path)) return numbered_entry(path);
  if (auto program = refuse_program(path)) return program;
  return refuse_unnumbered_sql(path);
}

std::vector<NewFile> create(std::string_view version, std::string_view name, std::string_view separator) {
  return {{.path = fmt::format("{}{}{}.sql", version, separator, name),
           .contents = "-- migrate:up\n\n\n-- migrate:down\n\n"}};
}

}  // namespace native

LayoutRules native_layout() {
  return {.layout = Layout::native,
          .form = "20260115093000_name.sql with -- migrate:up",
          .claims = is_numbered_file,
          .recognises = has_native_directive,
          .classify = native::classify,
          .parse = parse_native,
          .create = native::create};
}

}  // namespace kdb::files
