#include "lint/known_tables.hpp"

#include <algorithm>

#include "base/sql_outside.hpp"
#include "base/text.hpp"
#include "lint/fragment.hpp"
#include "lint/statement.hpp"

namespace kdb::lint {

namespace {

using Kind = TableAction::Kind;

/// The column of `CHECK (column IS NOT NULL)`; empty for another condition.
std::string not_null_column(const sql::Words& words, size_t check) {
  const size_t column = check + 2;
  if (!words.match(check, "check (") || !words.match(column + 1, "is not null )")) return {};
  return sql::folded(words.text(column));
}

/// The columns between the parenthesis at `open` and its end.
std::vector<std::string> key_columns(const sql::Words& words, size_t open) {
  std::vector<std::string> columns;
  for (const auto& [first, last] : parts(words, open + 1, words.skip_parentheses(open) - 1))
    columns.push_back(column_of(words.between(first, last)));
  return columns;
}

void add_unique(std::string name, std::vector<std::string> columns, KnownTables::Table& table) {
  if (columns.size() == 1) table.alone.insert(columns.front());
  table.keys.push_back({.name = std::move(name), .columns = std::move(columns), .unique = true});
}

/// Notes the `PRIMARY KEY (…)` or `UNIQUE (…)` that stands at `at`.
void add_key(const sql::Words& words, size_t at, std::string name, KnownTables::Table& table) {
  size_t open = std::max(words.skip(at, "primary key"), words.skip(at, "unique"));
  if (open == at) return;
  if (name.empty() && words.is(at, "primary")) name = table.name + "_pkey";
  open = std::max(words.skip(open, "nulls not distinct"), words.skip(open, "nulls distinct"));
  if (words.is(open, "(")) add_unique(std::move(name), key_columns(words, open), table);
}

/// Notes the key that a column is by itself: `id bigint PRIMARY KEY`.
void add_key(const sql::Words& words, const ColumnDefinition& column, KnownTables::Table& table) {
  const bool primary = words.find("primary key", column.type, column.last) != npos;
  if (!primary && words.find("unique", column.type, column.last) == npos) return;
  add_unique(primary ? table.name + "_pkey" : "", {sql::folded(words.text(column.name))}, table);
}

/// Notes the keys among the constraints of CREATE TABLE name (…), and that LIKE brings others.
void add_keys(const Statement& statement, KnownTables::Table& table) {
  const sql::Words& words = statement.words;
  const size_t open = words.skip_name(statement.object);
  if (!words.is(open, "(")) return;
  for (const auto& [first, last] : parts(words, open + 1, words.skip_parentheses(open) - 1)) {
    const bool named = words.is(first, "constraint");
    if (words.is(first, "like") && (words.find("including all", first, last) != npos ||
                                    words.find("including indexes", first, last) != npos))
      table.more_keys = true;
    add_key(words, named ? first + 2 : first, named ? sql::folded(words.text(first + 1)) : "", table);
  }
}

void rename_column(const std::string& from, const std::string& to, KnownTables::Table& table) {
  if (auto column = table.columns.extract(from); !column.empty()) {
    column.key() = to;
    table.columns.insert(std::move(column));
  }
  for (KnownTables::Key& key : table.keys) std::replace(key.columns.begin(), key.columns.end(), from, to);
  if (table.alone.erase(from) > 0) table.alone.insert(to);
}

}  // namespace

ObjectName KnownTables::name_of(std::string_view written) const {
  return name_in_catalog(written, default_schema_);
}

const KnownTables::Table* KnownTables::find(const ObjectName& name) const {
  const auto found = tables_.find(name);
  return found == tables_.end() ? nullptr : &found->second;
}

void KnownTables::read(const Statement& statement) {
  if (statement.is("CREATE INDEX")) read_index(statement);
  if (statement.object == npos && !statement.is("SELECT")) return;
  if (statement.is("CREATE TABLE")) read_create(statement);
  if (statement.is("ALTER TABLE")) read_alter(statement);
  if (statement.is("SELECT")) read_hypertable(statement);
  if (!statement.is("DROP TABLE")) return;
  for (const auto& part : statement.words.list(statement.object))
    tables_.erase(name_of(statement.words.name(part.first)));
}

void KnownTables::read_create(const Statement& statement) {
  const sql::Words& words = statement.words;
  Table table{.name = name_of(statement.step.what.object).name};
  for (const ColumnDefinition& column : statement.columns)
    table.columns.emplace(sql::folded(words.text(column.name)), read_type(words, column.type, column.last));
  for (const ColumnDefinition& column : statement.columns) add_key(words, column, table);
  add_keys(statement, table);
  table.partitioned = words.find("partition by", statement.object) != npos;
  if (words.find("partition of", statement.object) != npos) table.more_keys = true;
  table.hypertable = sql::has_timescaledb_option(words, "hypertable");
  tables_.try_emplace(name_of(statement.step.what.object), std::move(table));  // IF NOT EXISTS keeps the old
}

void KnownTables::read_alter(const Statement& statement) {
  const sql::Words& words = statement.words;
  const auto found = tables_.find(name_of(statement.step.what.object));
  if (found == tables_.end()) return;
  Table& table = found->second;
  for (const ColumnDefinition& column : statement.columns)
    table.columns[sql::folded(words.text(column.name))] = read_type(words, column.type, column.last);
  for (const TableAction& action : statement.actions) read_action(statement, action, table);
  if (statement.actions.size() != 1 || statement.actions.front().kind != Kind::rename_table) return;
  auto renamed = tables_.extract(found);
  renamed.key().name = sql::folded(words.text(statement.actions.front().name));
  tables_.insert(std::move(renamed));
}

void KnownTables::read_action(const Statement& statement, const TableAction& action, Table& table) {
  const sql::Words& words = statement.words;
  if (action.kind == Kind::add_column)
    add_key(words, {.name = action.name, .type = action.body, .last = action.last}, table);
  const std::string name = action.name == npos ? "" : sql::folded(words.text(action.name));
  if (action.kind == Kind::drop_column) table.columns.erase(name);
  if (action.kind == Kind::rename_column && words.is(action.body, "to"))
    rename_column(name, sql::folded(words.text(action.body + 1)), table);
  if (action.kind == Kind::add_constraint) {
    const std::string column = not_null_column(words, action.body);
    const bool valid = words.find("not valid", action.body, action.last) == npos;
    if (!column.empty()) table.not_null_checks[name] = {.column = column, .valid = valid};
    add_key(words, action.body, name, table);
  }
  if (action.kind == Kind::drop_constraint) {
    table.not_null_checks.erase(name);
    std::erase_if(table.keys, [&](const Key& key) { return key.name == name; });
  }
  const auto check = table.not_null_checks.find(name);
  if (action.kind == Kind::validate_constraint && check != table.not_null_checks.end())
    check->second.valid = true;
}

void KnownTables::read_index(const Statement& statement) {
  const sql::Words& words = statement.words;
  const auto found = tables_.find(name_of(statement.table()));
  if (found == tables_.end()) return;
  size_t open = words.skip_name(words.skip(words.find("on", 1) + 1, "only"));
  const bool btree = !words.is(open, "using") || words.is(open + 1, "btree");
  if (words.is(open, "using")) open += 2;
  if (!words.is(open, "(")) return;
  const bool all = words.find("where", open) == npos;
  found->second.keys.push_back(
      {.name = statement.object == npos ? "" : sql::folded(words.text(statement.object)),
       .columns = key_columns(words, open),
       .unique = all && words.is(1, "unique"),
       .btree = btree});
}

void KnownTables::read_hypertable(const Statement& statement) {
  const size_t call = statement.words.find_call("create_hypertable", 1);
  if (call == npos || !statement.words.is_literal(call + 2)) return;
  const auto found = tables_.find(name_of(sql::literal_value(statement.words.text(call + 2))));
  if (found != tables_.end()) found->second.hypertable = true;
}

}  // namespace kdb::lint
