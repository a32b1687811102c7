#include "core/refusals.hpp"

#include <fmt/format.h>

namespace kdb {

Problem no_table(const std::string& title, const std::string& table, const Source& where) {
  return {.message = fmt::format("{}: there is no table {}", title, table),
          .where = where,
          .hint = "tables are made by migrations; names are as the catalog has them"};
}

std::vector<Problem> no_indexes(const std::string& title, const Declared<TableProperties>& table,
                                const Surroundings& around) {
  std::vector<Problem> problems;
  for (const auto& [field, index] : missing_indexes(table.value, around)) {
    const std::string whole = around.whole_of(table.value.name, index);
    problems.push_back(
        {.message = fmt::format("{}: there is no index \"{}\" on it", title, index),
         .where = table.where_of(field),
         .hint = whole.empty() ? "indexes are declared with [indexes.NAME], or made by migrations; names are "
                                 "as the catalog has them"
                               : fmt::format("it is a part of index {}: name that", whole)});
  }
  return problems;
}

Problem has_readers(const std::string& title, const std::vector<std::string>& readers, std::string_view done,
                    const Source& where) {
  return {.message = fmt::format("{}: it cannot be {} while {} {} it", title, done, fmt::join(readers, ", "),
                                 readers.size() == 1 ? "reads" : "read"),
          .where = where,
          .hint = "with state = \"absent\" they are dropped before it; a later apply makes them again"};
}

Problem name_is_held(const std::string& title, const std::string& holder, const Source& where) {
  return {.message = fmt::format("{}: the name is that of {}", title, holder),
          .where = where,
          .hint = "indexes share their names with tables, views, sequences and constraints of the schema"};
}

}  // namespace kdb
