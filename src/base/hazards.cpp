#include <algorithm>
#include <array>
#include <set>

#include <fmt/format.h>

#include "base/sql_outside.hpp"
#include "base/sql_words.hpp"
#include "base/statement.hpp"
#include "base/text.hpp"

namespace kdb::sql {

namespace {

constexpr size_t npos = Words::npos;

constexpr std::string_view deletes_data = "DELETES_DATA";
constexpr std::string_view index_dropped = "INDEX_DROPPED";
constexpr std::string_view index_build = "INDEX_BUILD";
constexpr std::string_view table_rewrite = "TABLE_REWRITE";
constexpr std::string_view access_exclusive = "ACQUIRES_ACCESS_EXCLUSIVE_LOCK";
constexpr std::string_view share = "ACQUIRES_SHARE_LOCK";
constexpr std::string_view irreversible = "IRREVERSIBLE";
constexpr std::string_view long_running = "LONG_RUNNING";
constexpr std::string_view dependencies = "HAS_UNTRACKABLE_DEPENDENCIES";

/// A name for people: in quotes once.
std::string quoted(std::string_view name) {
  return !name.empty() && name[0] == '"' ? std::string(name) : fmt::format("\"{}\"", name);
}

/// Collects the hazards of one statement.
class Finder {
 public:
  explicit Finder(std::string_view statement) : words_(statement), command_(read_command(words_)) {}

  std::vector<StatementHazard> find();

 private:
  using Action = std::pair<size_t, size_t>;  // the words [first, second) of one ALTER TABLE action

  void add(std::string_view id, std::string_view object, std::string reason) {
    found_.push_back({.id = std::string(id), .object = std::string(object), .reason = std::move(reason)});
  }
  bool is(std::string_view tag) const { return command_.tag == tag; }
  bool has(std::string_view phrase) const { return words_.find(phrase, 1) != npos; }
  bool within(const Action& action, std::string_view phrase) const {
    return words_.find(phrase, action.first, action.second) != npos;
  }

  void find_drops();
  void find_rows();
  void find_indexes();
  void find_maintenance();
  void find_renames();
  void find_calls();
  void alter_table(const Action& action);
  void alter_column(const Action& action, const std::string& column);
  void add_column(const Action& action);
  void add_constraint(const Action& action, size_t at);
  bool default_is_volatile(size_t from, size_t to) const;
  void rewrite(std::string reason) {
    add(table_rewrite, object_, reason + ", which writes the whole table again");
    add(access_exclusive, object_, fmt::format("nobody can read or write {} until that is done", object_));
  }

  Words words_;
  Command command_;
  std::string object_;
  std::vector<StatementHazard> found_;
};

struct DropRow {
  std::string_view tag;
  std::string_view id;
  std::string_view reason;  // before the name
  bool only_with_cascade = false;
};

// What a DROP takes away. Without CASCADE the server refuses to drop a schema that holds something, or a type
// that a column has.
constexpr std::array drops{
    DropRow{"DROP TABLE", deletes_data, "drops table"},
    DropRow{"DROP MATERIALIZED VIEW", deletes_data, "drops materialized view"},
    DropRow{"DROP SEQUENCE", deletes_data, "loses the value of sequence"},
    DropRow{"DROP DATABASE", deletes_data, "drops database"},
    DropRow{"DROP SCHEMA", deletes_data, "drops everything in schema", true},
    DropRow{"DROP TYPE", deletes_data, "drops every column of type", true},
    DropRow{"DROP DOMAIN", deletes_data, "drops every column of domain", true},
    DropRow{"DROP EXTENSION", deletes_data, "drops every column and table that needs extension", true},
    DropRow{"DROP INDEX", index_dropped, "drops index"},
    DropRow{"DROP EXTENSION", dependencies, "functions and clients may use extension"},
    DropRow{"DROP FUNCTION", dependencies, "functions and clients may call"},
    DropRow{"DROP PROCEDURE", dependencies, "functions and clients may call"},
    DropRow{"DROP ROUTINE", dependencies, "functions and clients may call"},
    DropRow{"DROP AGGREGATE", dependencies, "functions and clients may call"},
    DropRow{"DROP VIEW", dependencies, "functions and clients may read"},
    DropRow{"DROP FOREIGN TABLE", dependencies, "functions and clients may read"},
    DropRow{"ALTER EXTENSION", dependencies, "functions and clients may need the old version of"},
};

void Finder::find_drops() {
  const bool cascade = has("cascade");
  for (const DropRow& row : drops) {
    if (!is(row.tag) || (row.only_with_cascade && !cascade)) continue;
    if (is("ALTER EXTENSION") && !has("update")) continue;
    for (const auto& [first, last] : words_.list(command_.object)) {
      const std::string name = words_.name(first);
      if (!name.empty()) add(row.id, name, fmt::format("{} {}", row.reason, name));
      if (is("ALTER EXTENSION")) break;
    }
  }
  if (is("DROP OWNED")) {
    const std::string role = words_.name(words_.skip(2, "by"));
    add(deletes_data, role, fmt::format("drops everything that {} owns", role));
  }
}

void Finder::find_rows() {
  if (is("TRUNCATE TABLE")) {
    for (const auto& [first, last] : words_.list(command_.object)) {
      const std::string name = words_.name(words_.skip(first, "only"));
      add(deletes_data, name, fmt::format("deletes all rows of {}", name));
    }
  }
  if (is("DELETE") && !has("where"))
    add(deletes_data, object_, fmt::format("deletes all rows of {}", object_));
  if (is("UPDATE") && !has("where"))
    add(long_running, object_, fmt::format("writes every row of {}", object_));
}

void Finder::find_indexes() {
  if (is("CREATE INDEX")) {
    const size_t on = words_.find("on", 2);
    const std::string table = words_.name(words_.skip(on == npos ? npos : on + 1, "only"));
    if (on != npos && words_.is(on + 1, "only")) return;  // an empty parent: partitions are attached later
    if (!is_concurrent(words_, "CREATE INDEX")) {
      add(share, table, fmt::format("nobody can write to {} while the index is built", table));
    }
    add(index_build, object_.empty() ? table : object_, fmt::format("builds an index on {}", table));
  }
  if (is("REINDEX")) {
    if (!is_concurrent(words_, "REINDEX")) {
      add(share, object_, fmt::format("nobody can write to the table while {} is built", object_));
    }
    add(index_build, object_, fmt::format("builds {} again", object_));
  }
}

void Finder::find_maintenance() {
  const bool full = words_.is(1, "full") || has_option(words_, "full");
  if (is("VACUUM") && full) rewrite("VACUUM FULL");
  if (is("CLUSTER")) rewrite("CLUSTER");
  if (is("REFRESH MATERIALIZED VIEW") && !is_concurrent(words_, command_.tag)) {
    add(access_exclusive, object_, fmt::format("nobody can read {} while it is filled again", object_));
  }
  if (is("LOCK TABLE")) {
    const bool lesser = has("in access share mode") || has("in row share mode") ||
                        has("in row exclusive mode") || has("in share update exclusive mode");
    const bool blocks_writers =
        has("in share mode") || has("in share row exclusive mode") || has("in exclusive mode");
    if (blocks_writers)
      add(share, object_, fmt::format("nobody can write to {} until the transaction ends", object_));
    if (!lesser && !blocks_writers) {
      add(access_exclusive, object_,
          fmt::format("nobody can read or write {} until the transaction ends", object_));
    }
  }
  if ((is("ALTER INDEX") || is("ALTER MATERIALIZED VIEW")) &&
      (has("set tablespace") || has("set access method"))) {
    rewrite("it moves");
  }
}

void Finder::find_renames() {
  const size_t value = is("ALTER TYPE") ? words_.find("add value", 3) : npos;
  if (value != npos) add(irreversible, object_, "a value of an enum cannot be taken away again");
  const size_t rename = words_.is(0, "alter") ? words_.find("rename", 2) : npos;
  const bool internal = is("ALTER INDEX") || is("ALTER TRIGGER") || is("ALTER POLICY") || is("ALTER RULE") ||
                        is("ALTER STATISTICS") || words_.is(rename + 1, "constraint") ||
                        words_.is(rename + 1, "value");
  if (rename != npos && !internal) {
    add(dependencies, object_, fmt::format("functions and clients may use the old name of {}", object_));
  }
}

/// Functions and procedures of TimescaleDB that destroy or move data.
void Finder::find_calls() {
  if (!is("SELECT") && !is("CALL")) return;
  const auto argument = [&](size_t call) {
    return words_.is_literal(call + 2) ? literal_value(words_.text(call + 2)) : words_.name(call + 2);
  };
  if (const size_t call = words_.find_call("drop_chunks", 1); call != npos) {
    object_ = argument(call);
    add(deletes_data, object_, fmt::format("drops chunks of {}", object_));
  }
  for (const std::string_view function : {"add_retention_policy", "add_drop_chunks_policy"}) {
    const size_t call = words_.find_call(function, 1);
    if (call == npos) continue;
    object_ = argument(call);
    add(deletes_data, object_, fmt::format("drops old chunks of {} from now on", object_));
  }
  const size_t call = words_.find_call("create_hypertable", 1);
  const size_t moves = call == npos ? npos : words_.find("migrate_data", call + 2);
  if (moves != npos && !words_.is(moves + 2, "false")) {
    object_ = argument(call);
    rewrite("create_hypertable moves all rows into chunks");
  }
}

// --- ALTER TABLE
// ---------------------------------------------------------------------------------------------

void Finder::alter_table(const Action& action) {
  const size_t i = action.first;
  if (words_.is(i, "drop") && !words_.is(i + 1, "constraint")) {
    const size_t column = words_.skip(words_.skip(i + 1, "column"), "if exists");
    add(deletes_data, object_, fmt::format("drops column {} of {}", quoted(words_.text(column)), object_));
  }
  if (words_.is(i, "alter") && !words_.is(i + 1, "constraint")) {
    const size_t column = words_.skip(i + 1, "column");
    alter_column({column + 1, action.second}, quoted(words_.text(column)));
  }
  if (words_.is(i, "add")) {
    const size_t at = words_.match(i + 1, "constraint") ? words_.skip_name(i + 2) : i + 1;
    const bool constraint = words_.is(i + 1, "constraint") || words_.match(at, "primary key") ||
                            words_.match(at, "foreign key") || words_.match(at, "unique (") ||
                            words_.match(at, "unique using") || words_.match(at, "unique nulls") ||
                            words_.match(at, "check (") || words_.match(at, "exclude (") ||
                            words_.match(at, "exclude using") || words_.match(at, "not null");
    constraint ? add_constraint(action, at) : add_column(action);
  }
  if (words_.match(i, "set logged")) rewrite("SET LOGGED");
  if (words_.match(i, "set unlogged")) rewrite("SET UNLOGGED");
  if (words_.match(i, "set tablespace")) rewrite("SET TABLESPACE");
  if (words_.match(i, "set access method")) rewrite("SET ACCESS METHOD");
  if (words_.match(i, "attach partition")) {
    const std::string partition = words_.name(i + 2);
    add(access_exclusive, partition,
        fmt::format("nobody can read or write {} while its rows are checked against the bounds", partition));
  }
}

void Finder::alter_column(const Action& action, const std::string& column) {
  const size_t i = action.first;
  if (words_.is(i, "type") || words_.match(i, "set data type"))
    rewrite(fmt::format("column {} changes type", column));
  if (words_.match(i, "set expression"))
    rewrite(fmt::format("generated column {} is computed again", column));
  if (words_.match(i, "set not null")) {
    add(access_exclusive, object_,
        fmt::format("nobody can read or write {} while column {} is searched for nulls", object_, column));
  }
}

/// Functions in a default that the server evaluates once (they are stable or immutable), and types with
/// modifiers.
constexpr std::array<std::string_view, 30> not_volatile{"now",
                                                        "transaction_timestamp",
                                                        "statement_timestamp",
                                                        "current_setting",
                                                        "to_timestamp",
                                                        "to_date",
                                                        "timezone",
                                                        "date_trunc",
                                                        "make_interval",
                                                        "make_date",
                                                        "lower",
                                                        "upper",
                                                        "md5",
                                                        "encode",
                                                        "decode",
                                                        "to_jsonb",
                                                        "to_json",
                                                        "jsonb_build_object",
                                                        "json_build_object",
                                                        "jsonb_build_array",
                                                        "json_build_array",
                                                        "int4range",
                                                        "int8range",
                                                        "numrange",
                                                        "tstzrange",
                                                        "tsrange",
                                                        "daterange",
                                                        "concat",
                                                        "abs",
                                                        "round"};

/// A default that is computed for each row makes ADD COLUMN write the table again (PG docs, ALTER TABLE,
/// Notes). What kdb does not know counts as such.
bool Finder::default_is_volatile(size_t from, size_t to) const {
  constexpr std::array<std::string_view, 20> types{
      "numeric",   "decimal",     "varchar", "character", "char",     "bit",   "varying",
      "timestamp", "timestamptz", "time",    "timetz",    "interval", "float", "coalesce",
      "nullif",    "greatest",    "least",   "array",     "row",      "cast"};
  for (size_t i = from + 1; i < to; ++i) {
    if (!words_.is(i, "(") || words_.skip_name(i - 1) != i) continue;
    const std::string function = to_lower(words_.text(i - 1));
    if (std::find(types.begin(), types.end(), function) != types.end()) continue;
    if (std::find(not_volatile.begin(), not_volatile.end(), function) == not_volatile.end()) return true;
  }
  return false;
}

void Finder::add_column(const Action& action) {
  const size_t column = words_.skip(words_.skip(action.first + 1, "column"), "if not exists");
  const std::string name = quoted(words_.text(column));
  const std::string type = to_lower(words_.text(column + 1));
  const size_t def = words_.find("default", column + 1, action.second);
  const bool serial = one_of(type, {"serial", "bigserial", "smallserial", "serial2", "serial4", "serial8"});
  const bool identity = within(action, "as identity");
  const bool stored = within(action, "stored");
  if (serial || identity || stored || (def != npos && default_is_volatile(def + 1, action.second))) {
    rewrite(fmt::format("column {} gets a value of its own in each row", name));
  }
  if (within(action, "unique") || within(action, "primary key")) {
    add(index_build, object_, fmt::format("builds an index on column {}", name));
    add(access_exclusive, object_,
        fmt::format("nobody can read or write {} while the index is built", object_));
  } else if (within(action, "check")) {
    add(access_exclusive, object_,
        fmt::format("nobody can read or write {} while its rows are checked", object_));
  }
}

void Finder::add_constraint(const Action& action, size_t at) {
  if (within(action, "using index") && !words_.is(at, "exclude") && !within(action, "using index tablespace"))
    return;
  if (within(action, "not valid") || within(action, "not enforced")) return;
  if (words_.is(at, "foreign")) {
    add(share, object_,
        fmt::format("nobody can write to {} and to the table it refers to while rows are checked", object_));
  } else if (words_.is(at, "primary") || words_.is(at, "unique") || words_.is(at, "exclude")) {
    add(index_build, object_, fmt::format("builds an index on {}", object_));
    add(access_exclusive, object_,
        fmt::format("nobody can read or write {} while the index is built", object_));
  } else if (words_.is(at, "check") || words_.is(at, "not")) {
    add(access_exclusive, object_,
        fmt::format("nobody can read or write {} while its rows are checked", object_));
  }
}

/// A name as the server compares it; `public` is where an unqualified name nearly always is.
std::string folded(std::string_view name) {
  std::string result = name.find('"') == std::string_view::npos ? to_lower(name) : std::string(name);
  return result.rfind("public.", 0) == 0 ? result.substr(7) : result;
}

/// Whether the statement surely makes a relation that holds nothing yet.
bool creates_relation(std::string_view statement, const Classified& what) {
  if (!one_of(what.command, {"CREATE TABLE", "CREATE SEQUENCE", "CREATE INDEX"}) || what.object.empty())
    return false;
  return Words(statement).find("if not exists", 1) == npos;
}

std::vector<StatementHazard> Finder::find() {
  object_ = words_.name(command_.object);
  find_drops();
  find_rows();
  find_indexes();
  find_maintenance();
  find_renames();
  find_calls();
  if (is("ALTER TABLE") && command_.object != npos) {
    for (const Action& action : words_.list(words_.skip(words_.skip_name(command_.object), "*")))
      alter_table(action);
  }
  return std::move(found_);
}

}  // namespace

std::vector<StatementHazard> hazards(std::string_view statement) { return Finder(statement).find(); }

std::vector<StatementHazard> script_hazards(const std::vector<Statement>& statements) {
  std::vector<StatementHazard> found;
  std::set<std::string> created;
  for (const Statement& statement : statements) {
    const Classified what = classify(statement.text);
    const bool on_new = created.count(folded(what.table)) != 0;
    for (StatementHazard& hazard : hazards(statement.text)) {
      if (!on_new && created.count(folded(hazard.object)) == 0) found.push_back(std::move(hazard));
    }
    if (creates_relation(statement.text, what)) created.insert(folded(what.object));
  }
  return found;
}

}  // namespace kdb::sql
