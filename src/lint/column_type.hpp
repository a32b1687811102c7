#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "base/sql_words.hpp"

namespace kdb::lint {

/// A column that a statement defines, or gives another type: its name and where its type begins. What belongs
/// to it ends before word `last`.
struct ColumnDefinition {
  size_t name = 0;
  size_t type = 0;
  size_t last = 0;
};

/// A type as it is written, under one of its names: `int4` for int, integer and int4; `bpchar`, `varchar`,
/// `timestamp`, `timestamptz`. Others in lower case, quotes kept.
struct ColumnType {
  std::string name;
  std::vector<std::string> modifiers;  // {"10", "2"}
  bool array = false;

  bool operator==(const ColumnType&) const = default;
};

/// Types whose values have no bound and in practice are long: `jsonb`.
bool is_document(std::string_view type);

ColumnType read_type(const sql::Words& words, size_t at, size_t last);

/// Whether a column can be given the type `to` with neither its rows nor its indexes written again (PG docs,
/// ALTER TABLE, Notes; the casts' support functions).
bool is_free_change(const ColumnType& from, const ColumnType& to);

}  // namespace kdb::lint
