#include "pg/canonical_kinds.hpp"

#include <algorithm>
#include <optional>

#include "base/sql.hpp"
#include "base/text.hpp"
#include "kinds/parameter.hpp"

namespace kdb::pg {

namespace {

bool have_identifier(const std::vector<Fragment>& fragments, std::string_view name) {
  return std::any_of(fragments.begin(), fragments.end(),
                     [&](const Fragment& fragment) { return sql::has_identifier(fragment.sql, name); });
}

}  // namespace

bool is_as_live(const Index& declared, const Index& live) {
  return declared.table == live.table && declared.method == live.method && declared.columns == live.columns &&
         declared.include == live.include && declared.where == live.where;
}

bool is_as_live(const Statistics& declared, const Statistics& live) {
  return declared.table == live.table && declared.columns == live.columns && declared.kinds == live.kinds;
}

void spell_as_live(Index& declared, const Index& live) {
  Options with;
  for (const auto& [name, value] : declared.with) {
    const std::string* same = live.with.find(name);
    with[name] = same != nullptr && same_parameter(value, *same) ? *same : value;
  }
  declared.with = std::move(with);
}

std::string create_on_copy(const Index& index, std::string_view name, std::string_view copy) {
  Index here = index;
  here.tablespace.clear();  // no fact of the definition, and perhaps not this role's to use
  return create_sql(here, name, copy, false);
}

std::string create_on_copy(const Statistics& statistics, std::string_view name, std::string_view copy) {
  return create_sql(statistics, name, copy);
}

Index with_definition(Index declared, const Index& made) {
  declared.method = made.method;
  declared.columns = made.columns;
  declared.include = made.include;
  declared.where = made.where;
  declared.with = made.with;
  return declared;
}

Statistics with_definition(Statistics declared, const Statistics& made) {
  declared.columns = made.columns;
  declared.kinds = made.kinds;
  return declared;
}

Suspects<Index> suspects(const Index& index) {
  Suspects<Index> suspects;
  const auto suspect = [&](std::string_view field, const auto& change) {
    Index without = index;
    change(without);
    if (without != index) suspects.emplace_back(field, std::move(without));
  };
  suspect("where", [](Index& one) { one.where = {}; });
  suspect("include", [](Index& one) { one.include.clear(); });
  suspect("with", [](Index& one) { one.with = {}; });
  suspect("nulls_not_distinct", [](Index& one) { one.nulls_not_distinct = false; });
  suspect("unique", [](Index& one) { one.unique = one.nulls_not_distinct = false; });
  suspect("columns", [](Index& one) { one.columns = {{"(1)"}}; });
  return suspects;
}

Suspects<Statistics> suspects(const Statistics& statistics) {
  if (statistics.kinds.empty()) return {};
  Statistics without = statistics;
  without.kinds.clear();
  return {{"kinds", without}};
}

std::string_view last_suspect(const Index&) { return "method"; }
std::string_view last_suspect(const Statistics&) { return "columns"; }

bool names_table(const Index& index) {
  const std::string& name = index.table.name;
  return have_identifier(index.columns, name) || have_identifier(index.include, name) ||
         sql::has_identifier(index.where.sql, name);
}

bool names_table(const Statistics& statistics) {
  return have_identifier(statistics.columns, statistics.table.name);
}

}  // namespace kdb::pg
