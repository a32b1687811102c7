#include "pg/foreign_keys.hpp"

#include <fmt/format.h>

#include "base/text.hpp"

namespace kdb::pg {

std::map<ObjectName, std::string> read_foreign_keys(Connection& connection,
                                                    const std::set<ObjectName>& indexes,
                                                    std::string_view default_schema) {
  std::map<ObjectName, std::string> keys;
  if (indexes.empty()) return keys;
  std::string rows;
  for (const ObjectName& index : indexes)
    rows += fmt::format("{}({}, {})", rows.empty() ? "" : ", ", quote_literal(index.schema),
                        quote_literal(index.name));
  const Result found = connection.exec(fmt::format(R"(
SELECT w.schema, w.name, k.conname, tn.nspname, t.relname
FROM (VALUES {}) AS w (schema, name)
JOIN pg_catalog.pg_namespace n ON n.nspname = w.schema
JOIN pg_catalog.pg_class c ON c.relnamespace = n.oid AND c.relname = w.name
JOIN pg_catalog.pg_constraint k ON k.conindid = c.oid AND k.contype = 'f' AND k.conparentid = 0
JOIN pg_catalog.pg_class t ON t.oid = k.conrelid
JOIN pg_catalog.pg_namespace tn ON tn.oid = t.relnamespace
ORDER BY 1, 2, 4, 5, 3)",
                                                   rows));
  for (size_t row = 0; row < found.size(); ++row) {
    std::string& text = keys[{found.text(row, 0), found.text(row, 1)}];
    text += fmt::format("{}{} of table {}", text.empty() ? "" : ", ", found.text(row, 2),
                        to_text({found.text(row, 3), found.text(row, 4)}, default_schema));
  }
  return keys;
}

}  // namespace kdb::pg
