#include "kinds/extension.hpp"

#include <fmt/format.h>

namespace kdb {

std::string Extension::catalog_query(const ServerFacts&) {
  // pg_available_extensions reads the control files of all that the server could have.
  return R"(
SELECT e.extname AS name, n.nspname AS schema, e.extversion AS version, e.oid, e.extrelocatable AS relocatable,
       a.default_version
FROM pg_catalog.pg_extension e
JOIN pg_catalog.pg_namespace n ON n.oid = e.extnamespace
LEFT JOIN pg_catalog.pg_available_extensions a ON a.name = e.extname
WHERE e.extname <> 'plpgsql'
ORDER BY e.extname)";
}

Extension Extension::read(const Row& row) {
  return {.name = {"", row.text("name")}, .schema = row.text("schema"), .version = row.text("version")};
}

ExtensionFacts Extension::read_facts(const Row& row) {
  return {.oid = row.text("oid"),
          .default_version = row.text("default_version"),
          .relocatable = row.boolean("relocatable")};
}

Extension as_written(const Extension& extension, std::string_view default_schema) {
  Extension written = extension;
  written.version.clear();
  if (written.schema == default_schema || written.schema == "pg_catalog") written.schema.clear();
  return written;
}

std::vector<std::string> remarks(const Extension& extension, const ExtensionFacts& facts) {
  if (facts.default_version.empty())
    return {fmt::format("version {}; the server has no files for it any more", extension.version)};
  if (facts.default_version != extension.version)
    return {fmt::format("version {}; the server would install {}", extension.version, facts.default_version)};
  return {fmt::format("version {}", extension.version)};
}

std::vector<std::pair<std::string, std::string>> check(const Extension& extension) {
  if (extension.name.name.empty()) return {{"schema", "belongs to an extension without a name"}};
  return {};
}

}  // namespace kdb
