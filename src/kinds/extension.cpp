#include "kinds/extension.hpp"

#include <fmt/format.h>

#include "base/hazard_list.hpp"
#include "base/text.hpp"
#include "kinds/difference.hpp"

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

std::optional<Extension> as_written(const Extension& extension, const ExtensionFacts&,
                                    std::string_view default_schema) {
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

std::vector<ChangeStep> steps(const Difference<Extension>& difference, const Surroundings&) {
  const Extension& extension = difference.desired != nullptr ? *difference.desired : difference.live->value;
  const std::string name = quote_ident(extension.name.name);
  std::vector<ChangeStep> steps;
  if (difference.action == Action::drop) {
    steps.push_back(
        {.sql = "DROP EXTENSION " + name, .purpose = "drops it, and fails where something needs it"});
    steps.back().hazards.push_back(
        {.id = std::string(sql::hazard::dependencies),
         .object = extension.name.name,
         .reason = "functions and clients may use extension " + extension.name.name});
    return steps;
  }
  if (difference.action == Action::create) {
    std::string sql = "CREATE EXTENSION " + name;
    if (!extension.schema.empty()) sql += " SCHEMA " + quote_ident(extension.schema);
    if (!extension.version.empty()) sql += " VERSION " + quote_literal(extension.version);
    steps.push_back({.sql = std::move(sql), .purpose = "installs it"});
    return steps;
  }
  if (difference.differs_in("schema"))
    steps.push_back(
        {.sql = fmt::format("ALTER EXTENSION {} SET SCHEMA {}", name, quote_ident(extension.schema)),
         .purpose = "moves its objects"});
  if (difference.differs_in("version"))
    steps.push_back(
        {.sql = fmt::format("ALTER EXTENSION {} UPDATE TO {}", name, quote_literal(extension.version)),
         .purpose = "runs its own update scripts"});
  return steps;
}

}  // namespace kdb
