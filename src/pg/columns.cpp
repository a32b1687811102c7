#include "pg/columns.hpp"

#include <array>
#include <map>
#include <set>
#include <utility>

#include <fmt/format.h>

#include "base/text.hpp"

namespace kdb::pg {

namespace {

using Table = Declared<TableProperties>;

/// The fields that are by column.
constexpr std::array<std::pair<std::string_view, Options TableProperties::*>, 4> fields_by_column = {
    {{"statistics", &TableProperties::statistics},
     {"column_storage", &TableProperties::column_storage},
     {"compression", &TableProperties::compression},
     {"comments", &TableProperties::comments}}};

std::string columns_of(const Table& table) {
  std::string rows;
  for (const auto& [name, member] : fields_by_column)
    for (const auto& [column, value] : table.value.*member)
      rows += fmt::format("{}({}, {}, {})", rows.empty() ? "" : ", ", quote_literal(table.value.name.schema),
                          quote_literal(table.value.name.name), quote_literal(column));
  return rows;
}

/// By table and column, how it is stored; nothing of a column that is not there.
std::map<std::pair<ObjectName, std::string>, std::string> read_storage(Connection& connection,
                                                                       const std::string& columns) {
  const Result rows = connection.exec(fmt::format(R"(
SELECT DISTINCT w.schema, w.name, w.attname,
       CASE a.attstorage WHEN 'p' THEN 'plain' WHEN 'e' THEN 'external' WHEN 'x' THEN 'extended' ELSE 'main' END
FROM (VALUES {}) AS w (schema, name, attname)
JOIN pg_catalog.pg_namespace n ON n.nspname = w.schema
JOIN pg_catalog.pg_class c ON c.relnamespace = n.oid AND c.relname = w.name
JOIN pg_catalog.pg_attribute a ON a.attrelid = c.oid AND a.attname = w.attname AND a.attnum > 0
  AND NOT a.attisdropped
ORDER BY 1, 2, 3)",
                                                  columns));
  std::map<std::pair<ObjectName, std::string>, std::string> storage;
  for (size_t row = 0; row < rows.size(); ++row)
    storage[{{rows.text(row, 0), rows.text(row, 1)}, rows.text(row, 2)}] = rows.text(row, 3);
  return storage;
}

bool has(const Options& options, std::string_view name) {
  for (const auto& option : options)
    if (option.first == name) return true;
  return false;
}

}  // namespace

std::vector<Problem> complete_columns(Connection& connection, const DesiredSchema& desired, LiveSchema& live,
                                      std::string_view default_schema) {
  std::vector<Problem> problems;
  std::string columns;
  for (const Table& table : desired.of<TableProperties>())
    if (const std::string more = columns_of(table); !more.empty())
      columns += (columns.empty() ? "" : ", ") + more;
  if (columns.empty()) return problems;
  const auto storage = read_storage(connection, columns);
  std::map<ObjectName, Live<TableProperties>*> tables;
  for (auto& table : live.of<TableProperties>()) tables[table.value.name] = &table;
  for (const Table& table : desired.of<TableProperties>()) {
    const auto there = tables.find(table.value.name);
    if (there == tables.end()) continue;  // the plan says so, or a migration makes it
    for (const auto& [field, member] : fields_by_column)
      for (const auto& [column, value] : table.value.*member) {
        const auto found = storage.find({table.value.name, column});
        if (found == storage.end())
          problems.push_back({.message = fmt::format("table {}: there is no column {}",
                                                     to_text(table.value.name, default_schema), column),
                              .where = table.where_of(std::string(field)),
                              .hint = "columns are made by migrations; names are as the catalog has them"});
        else if (Options& options = there->second->value.column_storage;
                 field == "column_storage" && !has(options, column))
          options[column] = found->second;
      }
  }
  return problems;
}

}  // namespace kdb::pg
