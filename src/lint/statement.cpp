#include "lint/statement.hpp"

#include <algorithm>

#include "base/allowance.hpp"
#include "base/hazard_list.hpp"

namespace kdb::lint {

namespace {

using Kind = TableAction::Kind;
using sql::Words;

/// PRIMARY KEY, CHECK … are reserved; a column may be called exclude.
bool is_constraint(const Words& words, size_t at) {
  for (const std::string_view start :
       {"primary", "unique", "check", "foreign", "exclude using", "exclude (", "not null"})
    if (words.match(at, start)) return true;
  return false;
}

TableAction read_add(const Words& words, TableAction action) {
  const size_t next = action.first + 1;
  if (words.is(next, "constraint")) {
    action.name = next + 1;
    action.body = words.skip_name(next + 1);
    action.kind = Kind::add_constraint;
  } else if (is_constraint(words, next)) {
    action.body = next;
    action.kind = Kind::add_constraint;
  } else {
    action.name = words.skip(words.skip(next, "column"), "if not exists");
    action.body = action.name + 1;
    action.kind = Kind::add_column;
  }
  return action;
}

struct Start {
  std::string_view phrase;
  Kind kind;
};

// A phrase before its own beginnings.
constexpr Start starts[] = {
    {"drop constraint if exists", Kind::drop_constraint},
    {"drop constraint", Kind::drop_constraint},
    {"drop column if exists", Kind::drop_column},
    {"drop column", Kind::drop_column},
    {"drop if exists", Kind::drop_column},
    {"drop", Kind::drop_column},
    {"alter constraint", Kind::other},
    {"alter column", Kind::alter_column},
    {"alter", Kind::alter_column},
    {"validate constraint", Kind::validate_constraint},
    {"rename constraint", Kind::other},
    {"rename to", Kind::rename_table},
    {"rename column", Kind::rename_column},
    {"rename", Kind::rename_column},
    {"detach partition", Kind::detach_partition},
};

TableAction read_action(const Words& words, std::pair<size_t, size_t> range) {
  TableAction action{.first = range.first, .last = range.second};
  if (words.is(action.first, "add")) return read_add(words, action);
  for (const Start& start : starts) {
    if (!words.match(action.first, start.phrase)) continue;
    action.kind = start.kind;
    action.name = words.skip(action.first, start.phrase);
    action.body = words.skip_name(action.name);
    break;
  }
  return action;
}

/// The columns of CREATE TABLE name (…).
std::vector<ColumnDefinition> created_columns(const Words& words, size_t object) {
  std::vector<ColumnDefinition> columns;
  const size_t open = words.skip_name(object);
  if (!words.is(open, "(")) return columns;
  for (const auto& [first, last] : parts(words, open + 1, words.skip_parentheses(open) - 1)) {
    if (words.is(first, "constraint") || words.is(first, "like") || is_constraint(words, first)) continue;
    columns.push_back({.name = first, .type = first + 1, .last = last});
  }
  return columns;
}

void read_columns(const Words& words, const TableAction& action, std::vector<ColumnDefinition>& columns) {
  if (action.kind == Kind::add_column)
    columns.push_back({.name = action.name, .type = action.body, .last = action.last});
  if (action.kind != Kind::alter_column) return;
  const size_t type = std::max(words.skip(action.body, "type"), words.skip(action.body, "set data type"));
  if (type != action.body) columns.push_back({.name = action.name, .type = type, .last = action.last});
}

}  // namespace

std::vector<std::pair<size_t, size_t>> parts(const Words& words, size_t from, size_t to) {
  std::vector<std::pair<size_t, size_t>> found;
  while (from < to) {
    const size_t comma = std::min(words.find(",", from, to), to);
    if (comma > from) found.emplace_back(from, comma);
    from = comma + 1;
  }
  return found;
}

Statement::Statement(const Script& in, const Step& of, const KnownTables& known,
                     const sql::NewRelations& new_ones)
    : script(in), step(of), tables(known), made(new_ones), words(of.sql) {
  object = sql::read_command(words).object;
  on_new = !table().empty() && made.is_most_likely_new(table());
  hazards = sql::hazards(step.sql);
  std::erase_if(hazards, [&](const sql::StatementHazard& hazard) {
    return made.is_new(hazard) || allows(hazard.id, hazard.object);
  });
  if (is("CREATE TABLE") && object != npos) columns = created_columns(words, object);
  if (!is("ALTER TABLE") || object == npos) return;
  for (const auto& range : words.list(words.skip(words.skip_name(object), "*"))) {
    actions.push_back(read_action(words, range));
    read_columns(words, actions.back(), columns);
  }
}

Source Statement::at(size_t word) const {
  Source place = step.where;
  if (word >= words.size()) return place;
  const auto offset = static_cast<size_t>(words.text(word).data() - step.sql.data());
  for (const char c : std::string_view(step.sql).substr(0, offset)) {
    if (c == '\n') {
      ++place.line;
      place.column = 1;
    } else if ((static_cast<unsigned char>(c) & 0xC0U) != 0x80U) {
      ++place.column;
    }
  }
  return place;
}

bool Statement::has_hazard(std::string_view id) const {
  return std::any_of(hazards.begin(), hazards.end(), [&](const auto& hazard) { return hazard.id == id; });
}

bool Statement::allows(std::string_view hazard, std::string_view on) const {
  const std::vector<std::string>& allow = script.plan.options.allow;
  return std::any_of(allow.begin(), allow.end(),
                     [&](const std::string& allowance) { return sql::permits(allowance, hazard, on); });
}

bool Statement::has_hazard(const TableAction& action, std::string_view id) const {
  if (on_new) return false;
  sql::HazardList list;
  sql::add_action_hazards(words, step.what.object, {action.first, action.last}, list);
  const std::vector<sql::StatementHazard> found = list.take();
  return std::any_of(found.begin(), found.end(), [&](const sql::StatementHazard& hazard) {
    return hazard.id == id && !allows(hazard.id, hazard.object);
  });
}

}  // namespace kdb::lint
