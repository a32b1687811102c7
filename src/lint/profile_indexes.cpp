#include <algorithm>
#include <map>

#include <fmt/format.h>

#include "base/text.hpp"
#include "lint/fragment.hpp"
#include "lint/rules.hpp"

namespace kdb::lint {

namespace {

using DeclaredIndex = Declared<Index>;

/// An index as far as its use goes; name, comment and statistics left out.
struct Shape {
  const DeclaredIndex* index = nullptr;
  std::vector<std::string> columns;
  std::vector<std::string> include;
  std::string where;
};

/// Whether two indexes differ in their columns at most.
bool alike(const Shape& a, const Shape& b) {
  const Index& x = a.index->value;
  const Index& y = b.index->value;
  return x.method == y.method && a.where == b.where && x.with == y.with && x.tablespace == y.tablespace;
}

bool equal(const Shape& a, const Shape& b) {
  const Index& x = a.index->value;
  const Index& y = b.index->value;
  return alike(a, b) && a.columns == b.columns && a.include == b.include && x.unique == y.unique &&
         x.nulls_not_distinct == y.nulls_not_distinct;
}

/// Whether `wide` answers everything that `narrow` answers: its first columns are the same, and it holds all
/// that the other one includes.
bool covers(const Shape& wide, const Shape& narrow) {
  if (narrow.index->value.unique || narrow.index->value.method != "btree" || !alike(wide, narrow))
    return false;
  if (wide.columns.size() < narrow.columns.size()) return false;
  if (!std::equal(narrow.columns.begin(), narrow.columns.end(), wide.columns.begin())) return false;
  const auto holds = [&](const std::string& column) {
    return std::find(wide.columns.begin(), wide.columns.end(), column) != wide.columns.end() ||
           std::find(wide.include.begin(), wide.include.end(), column) != wide.include.end();
  };
  return std::all_of(narrow.include.begin(), narrow.include.end(), holds);
}

/// The declared indexes of each table, in the profile's order.
std::map<ObjectName, std::vector<Shape>> shapes(const Input& input) {
  std::map<ObjectName, std::vector<Shape>> tables;
  if (input.desired == nullptr) return tables;
  for (const DeclaredIndex& index : input.desired->of<Index>()) {
    if (index.absent) continue;
    tables[index.value.table].push_back({.index = &index,
                                         .columns = normalised(index.value.columns),
                                         .include = normalised(index.value.include),
                                         .where = normalised(index.value.where.sql)});
  }
  return tables;
}

void check_duplicates(const Input& input, const KnownTables&, Findings& findings) {
  for (const auto& [table, indexes] : shapes(input))
    for (auto later = indexes.begin(); later != indexes.end(); ++later) {
      const auto same =
          std::find_if(indexes.begin(), later, [&](const Shape& one) { return equal(one, *later); });
      if (same == later) continue;
      findings.add(later->index->where,
                   fmt::format("index {} is the same as {}", later->index->key, same->index->key),
                   "every write maintains both, and no query needs the second");
    }
}

void check_redundant(const Input& input, const KnownTables&, Findings& findings) {
  for (const auto& [table, indexes] : shapes(input))
    for (const Shape& narrow : indexes) {
      const auto wide = std::find_if(indexes.begin(), indexes.end(), [&](const Shape& one) {
        return &one != &narrow && covers(one, narrow) && !covers(narrow, one) && !equal(one, narrow);
      });
      if (wide == indexes.end()) continue;
      findings.add(narrow.index->where,
                   fmt::format("index {} begins as {} does, which answers the same queries",
                               narrow.index->key, wide->index->key),
                   "unless its smaller size is worth what every write pays for it, leave it out");
    }
}

/// The type of a column as the server knows it, else as a migration made it; empty where neither does.
std::string type_of(const Input& input, const KnownTables& tables, const ObjectName& table,
                    const std::string& column) {
  if (input.statistics != nullptr)
    if (const auto live = input.statistics->find(table); live != input.statistics->end())
      if (const auto found = live->second.columns.find(column); found != live->second.columns.end())
        return found->second.type;
  if (const KnownTables::Table* known = tables.find(table))
    if (const auto found = known->columns.find(column); found != known->columns.end())
      return found->second.name;
  return {};
}

void check_include(const Input& input, const KnownTables& tables, Findings& findings) {
  if (input.desired == nullptr) return;
  for (const DeclaredIndex& index : input.desired->of<Index>()) {
    if (index.absent || index.value.method != "btree") continue;
    for (const Fragment& include : index.value.include) {
      const std::string column = sql::folded(trim(include.sql));
      const std::string type = type_of(input, tables, index.value.table, column);
      if (!is_document(type)) continue;
      findings.add(index.where_of("include"),
                   fmt::format("index {} includes {}, a {}: a row whose value is too long for an index entry "
                               "cannot be inserted",
                               index.key, column, type),
                   "leave it out: queries fetch it from the table");
    }
    for (const Fragment& key : index.value.columns) {
      const std::string column = column_of(key.sql);
      const std::string type = column.empty() ? "" : type_of(input, tables, index.value.table, column);
      if (!is_document(type)) continue;
      findings.add(
          index.where_of("columns"),
          fmt::format("index {} has {}, a {}, in its key: a row whose value is too long for an index "
                      "entry cannot be inserted",
                      index.key, column, type),
          "a GIN index finds what is in a document, an index of an expression one value of it");
    }
  }
}

void check_beside(const Input& input, const KnownTables&, Findings& findings) {
  for (const auto& [table, indexes] : shapes(input))
    for (const Shape& brin : indexes) {
      if (brin.index->value.method != "brin" || brin.columns.size() != 1) continue;
      const std::string column = column_of(brin.columns.front());
      const auto btree = std::find_if(indexes.begin(), indexes.end(), [&](const Shape& one) {
        return one.index->value.method == "btree" && one.where.empty() && !column.empty() &&
               column_of(one.columns.front()) == column;
      });
      if (btree == indexes.end()) continue;
      findings.add(
          brin.index->where,
          fmt::format("index {}, a BRIN, is of the column that {} begins with: it finds nothing that "
                      "this one does not find with fewer pages",
                      brin.index->key, btree->index->key),
          "keep the btree for few rows, or the BRIN alone where only long ranges are asked for");
    }
}

void check_constant(const Input& input, const KnownTables&, Findings& findings) {
  if (input.desired == nullptr) return;
  for (const DeclaredIndex& index : input.desired->of<Index>()) {
    if (index.absent || index.value.where.sql.empty() || index.value.columns.size() < 2) continue;
    const std::string first = column_of(index.value.columns.front().sql);
    const std::vector<std::string> constant = constant_columns(index.value.where.sql);
    if (first.empty() || std::find(constant.begin(), constant.end(), first) == constant.end()) continue;
    findings.add(
        index.where_of("columns"),
        fmt::format("index {} begins with {}, which has one value in all of its rows", index.key, first),
        "its condition says so already: leave the column out");
  }
}

}  // namespace

Rule brin_beside_btree() {
  return {
      .name = "brin-beside-btree",
      .level = Finding::Level::note,
      .summary = "a BRIN index of the column that a btree index begins with",
      .why =
          "The btree answers each query that the BRIN does, and reads fewer pages for it. A BRIN is small "
          "and hardly costs a write, but the planner may take it by mistake, for it looks cheap. Measured "
          "on events by time: of 16 queries one used it, and took 58 ms with it and 28 ms without.",
      .lock = "",
      .instead =
          "Leave one of them out: a BRIN alone, in a thousandth of the space, is good for long ranges of "
          "rows that arrive in order. In chunks or partitions by that column both may be, for these are "
          "left out by their bounds.",
      .whole = check_beside};
}

Rule constant_index_column() {
  return {.name = "constant-index-column",
          .level = Finding::Level::note,
          .summary = "a partial index of the profile whose first column its condition fixes",
          .why =
              "Every entry begins with the same value: it makes the index larger and tells nothing. A query "
              "that has the condition finds the same rows by the columns behind it.",
          .lock = "",
          .instead = "Leave the column out of `columns`; `where` keeps it.",
          .whole = check_constant};
}

Rule duplicate_index() {
  return {.name = "duplicate-index",
          .summary = "two indexes of the profile that are the same but for their names",
          .why = "Every write maintains both, both take memory and disk, and the planner uses one.",
          .lock = "",
          .instead = "Declare one of them. `state = \"absent\"` drops the other.",
          .whole = check_duplicates};
}

Rule redundant_index() {
  return {
      .name = "redundant-index",
      .level = Finding::Level::note,
      .summary = "an index of the profile that another one begins with",
      .why =
          "A btree index on (a, b) answers every query that one on (a) does. The smaller one is faster by "
          "a little, and every write pays for it. Unique indexes are not reported, nor those that differ "
          "in their condition, parameters or tablespace.",
      .lock = "",
      .instead = "Leave the smaller one out, unless measurements say that it is worth it.",
      .whole = check_redundant};
}

Rule index_include_unbounded() {
  return {.name = "index-include-unbounded",
          .summary = "a btree index of the profile that holds a document",
          .why =
              "An entry of a btree index may have 2704 bytes, included columns counted and compressed. A row "
              "whose json, bytea or the like is longer cannot be inserted (54000): the index works until the "
              "first such row, months later. Measured on events of 304 bytes of jsonb: one in 2,000 is too "
              "long, and without those the index is as large as the table, 109 MB for 11 MB. The type is "
              "known from the migrations, or from the server; text, which may be short, is looked at on the "
              "server only: index-entry-too-wide.",
          .lock = "",
          .instead =
              "Hold what is short. An expression such as ((properties ->> 'price')) takes the part "
              "that is looked for.",
          .whole = check_include};
}

}  // namespace kdb::lint
