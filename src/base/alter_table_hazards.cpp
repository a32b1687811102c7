#include <algorithm>
#include <array>

#include <fmt/format.h>

#include "base/hazard_list.hpp"
#include "base/sql_outside.hpp"
#include "base/text.hpp"

namespace kdb::sql {

namespace {

/// A name for people: in quotes once.
std::string quoted(std::string_view name) {
  return !name.empty() && name[0] == '"' ? std::string(name) : fmt::format("\"{}\"", name);
}

/// Functions that a default is computed by once, because they are stable or immutable.
constexpr std::array<std::string_view, 31> not_volatile{
    // clang-format off
    "abs", "concat", "current_setting", "date_trunc", "daterange", "decode", "encode", "int4range",
    "int8range", "json_build_array", "json_build_object", "jsonb_build_array", "jsonb_build_object", "lower",
    "make_date", "make_interval", "md5", "now", "numrange", "round", "statement_timestamp", "timezone",
    "to_char", "to_date", "to_json", "to_jsonb", "to_timestamp", "transaction_timestamp", "tsrange",
    "tstzrange", "upper"
    // clang-format on
};

/// Words before a parenthesis that are no function: types with a modifier and expressions with a syntax of
/// their own.
constexpr std::array<std::string_view, 20> not_functions{
    // clang-format off
    "array", "bit", "cast", "char", "character", "coalesce", "decimal", "float", "greatest", "interval",
    "least", "nullif", "numeric", "row", "time", "timestamp", "timestamptz", "timetz", "varchar", "varying"
    // clang-format on
};

/// One action of an ALTER TABLE: the words [first, last).
class Action {
 public:
  Action(const Words& words, std::string_view table, std::pair<size_t, size_t> range, HazardList& found)
      : words_(words), table_(table), first_(range.first), last_(range.second), found_(found) {}

  void find();

 private:
  bool has(std::string_view phrase) const { return words_.find(phrase, first_, last_) != npos; }
  void find_storage();
  void alter_column(size_t at);
  void add_column(size_t at);
  bool add_constraint(size_t at);
  bool default_is_volatile(size_t at) const;

  const Words& words_;
  std::string_view table_;
  size_t first_ = 0;
  size_t last_ = 0;
  HazardList& found_;
};

void Action::find() {
  const size_t next = first_ + 1;
  if (words_.is(first_, "drop") && !words_.is(next, "constraint")) {
    const size_t column = words_.skip(words_.skip(next, "column"), "if exists");
    found_.add(hazard::deletes_data, table_,
               fmt::format("drops column {} of {}", quoted(words_.text(column)), table_));
  } else if (words_.is(first_, "alter") && !words_.is(next, "constraint")) {
    alter_column(words_.skip(next, "column"));
  } else if (words_.is(first_, "add")) {
    const bool named = words_.is(next, "constraint");
    if (!add_constraint(named ? words_.skip_name(next + 1) : next) && !named) {
      add_column(words_.skip(words_.skip(next, "column"), "if not exists"));
    }
  } else {
    find_storage();
  }
}

void Action::find_storage() {
  for (const std::string_view phrase :
       {"set logged", "set unlogged", "set tablespace", "set access method"}) {
    if (words_.match(first_, phrase)) found_.add_rewrite(table_, phrase);
  }
  if (words_.match(first_, "attach partition")) {
    found_.add_lockout(words_.name(first_ + 2), "while its rows are checked against the bounds");
  }
}

void Action::alter_column(size_t at) {
  const std::string column = quoted(words_.text(at));
  const size_t change = at + 1;
  if (words_.is(change, "type") || words_.match(change, "set data type")) {
    found_.add_rewrite(table_, fmt::format("changes the type of column {}", column));
  }
  if (words_.match(change, "set expression")) {
    found_.add_rewrite(table_, fmt::format("computes generated column {}", column));
  }
  if (words_.match(change, "set not null")) {
    found_.add_lockout(table_, fmt::format("while column {} is searched for nulls", column));
  }
}

/// True if the words at `at` are a table constraint: PRIMARY KEY, UNIQUE, CHECK … are reserved, so no column
/// is called like that. NOT NULL as a constraint is new in 18.
bool Action::add_constraint(size_t at) {
  const bool foreign = words_.is(at, "foreign");
  const bool indexed = words_.is(at, "primary") || words_.is(at, "unique") ||
                       words_.match(at, "exclude using") || words_.match(at, "exclude (");
  const bool checked = words_.is(at, "check") || words_.match(at, "not null");
  if (!foreign && !indexed && !checked) return false;
  const size_t index = words_.find("using index", at, last_);
  const bool has_index = index != npos && !words_.is(index + 2, "tablespace");
  if (has_index || has("not valid") || has("not enforced")) return true;
  if (foreign) {
    found_.add(
        hazard::share, table_,
        fmt::format("nobody can write to {} or the table it refers to while rows are checked", table_));
  } else if (indexed) {
    found_.add(hazard::index_build, table_, fmt::format("builds an index on {}", table_));
    found_.add_lockout(table_, "while the index is built");
  } else {
    found_.add_lockout(table_, "while its rows are checked");
  }
  return true;
}

void Action::add_column(size_t at) {
  const std::string column = quoted(words_.text(at));
  const std::string type = to_lower(words_.text(at + 1));
  const bool serial = one_of(type, {"serial", "bigserial", "smallserial", "serial2", "serial4", "serial8"});
  const bool stored = has("generated always as") && has("stored");
  if (serial || stored || has("as identity") || default_is_volatile(at + 1)) {
    found_.add_rewrite(table_, fmt::format("gives each row its own value of column {}", column));
  }
  if (has("unique") || has("primary key")) {
    found_.add(hazard::index_build, table_, fmt::format("builds an index on column {}", column));
    found_.add_lockout(table_, "while the index is built");
  } else if (words_.find("check", at + 1, last_) != npos) {
    found_.add_lockout(table_, "while its rows are checked");
  }
}

/// A default that is computed for each row makes ADD COLUMN write the table again (PG docs, ALTER TABLE,
/// Notes). A function that kdb does not know counts as such.
bool Action::default_is_volatile(size_t at) const {
  const size_t begin = words_.find("default", at, last_);
  if (begin == npos) return false;
  const auto known = [](const auto& names, const std::string& name) {
    return std::find(names.begin(), names.end(), name) != names.end();
  };
  // The parentheses of the column's other constraints are not the default's.
  const size_t end =
      std::min({words_.find("check", begin, last_), words_.find("references", begin, last_), last_});
  for (size_t i = begin + 2; i < end; ++i) {
    if (!words_.is(i, "(") || words_.skip_name(i - 1) != i) continue;
    const std::string function = to_lower(words_.text(i - 1));
    if (!known(not_functions, function) && !known(not_volatile, function)) return true;
  }
  return false;
}

}  // namespace

void add_action_hazards(const Words& words, std::string_view table, std::pair<size_t, size_t> action,
                        HazardList& found) {
  Action(words, table, action, found).find();
}

void add_alter_table_hazards(const Words& words, std::string_view table, size_t actions, HazardList& found) {
  for (const auto& action : words.list(actions)) add_action_hazards(words, table, action, found);
}

}  // namespace kdb::sql
