#include <algorithm>
#include <array>
#include <set>

#include <fmt/format.h>

#include "base/hazard_list.hpp"
#include "base/sql_outside.hpp"
#include "base/sql_words.hpp"
#include "base/statement.hpp"
#include "base/text.hpp"

namespace kdb::sql {

namespace {

constexpr size_t npos = Words::npos;

struct DropRow {
  std::string_view tag;
  std::string_view id;
  std::string_view reason;  // before the name
  bool only_with_cascade = false;
};

// What a DROP takes away. Without CASCADE the server refuses to drop a schema that holds something, or a type
// that a column has.
constexpr std::array drops{
    DropRow{"DROP TABLE", hazard::deletes_data, "drops table"},
    DropRow{"DROP MATERIALIZED VIEW", hazard::deletes_data, "drops materialized view"},
    DropRow{"DROP SEQUENCE", hazard::deletes_data, "loses the value of sequence"},
    DropRow{"DROP DATABASE", hazard::deletes_data, "drops database"},
    DropRow{"DROP SCHEMA", hazard::deletes_data, "drops everything in schema", true},
    DropRow{"DROP TYPE", hazard::deletes_data, "drops every column of type", true},
    DropRow{"DROP DOMAIN", hazard::deletes_data, "drops every column of domain", true},
    DropRow{"DROP EXTENSION", hazard::deletes_data, "drops all columns and tables that need extension", true},
    DropRow{"DROP INDEX", hazard::index_dropped, "drops index"},
    DropRow{"DROP EXTENSION", hazard::dependencies, "functions and clients may use extension"},
    DropRow{"DROP FUNCTION", hazard::dependencies, "functions and clients may call"},
    DropRow{"DROP PROCEDURE", hazard::dependencies, "functions and clients may call"},
    DropRow{"DROP ROUTINE", hazard::dependencies, "functions and clients may call"},
    DropRow{"DROP AGGREGATE", hazard::dependencies, "functions and clients may call"},
    DropRow{"DROP VIEW", hazard::dependencies, "functions and clients may read"},
    DropRow{"DROP FOREIGN TABLE", hazard::dependencies, "functions and clients may read"},
};

/// Collects the hazards of one statement.
class Finder {
 public:
  explicit Finder(std::string_view statement)
      : words_(statement), command_(read_command(words_)), object_(words_.name(command_.object)) {}

  std::vector<StatementHazard> find();

 private:
  bool is(std::string_view tag) const { return command_.tag == tag; }
  bool has(std::string_view phrase) const { return words_.find(phrase, 1) != npos; }
  /// What the first argument of a call names: `drop_chunks('events')`.
  std::string argument(size_t call) const {
    return words_.is_literal(call + 2) ? literal_value(words_.text(call + 2)) : words_.name(call + 2);
  }

  void find_drops();
  void find_rows();
  void find_indexes();
  void find_maintenance();
  void find_locks();
  void find_renames();
  void find_timescaledb();

  Words words_;
  Command command_;
  std::string object_;
  HazardList found_;
};

void Finder::find_drops() {
  for (const DropRow& row : drops) {
    if (!is(row.tag) || (row.only_with_cascade && !has("cascade"))) continue;
    for (const auto& part : words_.list(command_.object)) {
      const std::string name = words_.name(part.first);
      if (!name.empty()) found_.add(row.id, name, fmt::format("{} {}", row.reason, name));
    }
  }
  if (is("DROP OWNED")) {
    const std::string role = words_.name(words_.skip(2, "by"));
    found_.add(hazard::deletes_data, role, fmt::format("drops everything that {} owns", role));
  }
}

void Finder::find_rows() {
  if (is("TRUNCATE TABLE")) {
    for (const auto& part : words_.list(command_.object)) {
      const std::string name = words_.name(words_.skip(part.first, "only"));
      found_.add(hazard::deletes_data, name, fmt::format("deletes all rows of {}", name));
    }
  }
  if (has("where")) return;
  if (is("DELETE")) found_.add(hazard::deletes_data, object_, fmt::format("deletes all rows of {}", object_));
  if (is("UPDATE")) found_.add(hazard::long_running, object_, fmt::format("writes every row of {}", object_));
}

void Finder::find_indexes() {
  const bool concurrent = is_concurrent(words_, command_.tag);
  if (is("CREATE INDEX")) {
    const size_t on = words_.find("on", 2);
    // ON ONLY makes an empty parent; its partitions' indexes are attached later.
    if (on == npos || words_.is(on + 1, "only")) return;
    const std::string table = words_.name(on + 1);
    if (!concurrent) found_.add(hazard::share, table, fmt::format("nobody can write to {} meanwhile", table));
    found_.add(hazard::index_build, object_.empty() ? table : object_,
               fmt::format("builds an index on {}", table));
  }
  if (is("REINDEX")) {
    if (!concurrent) found_.add(hazard::share, object_, "nobody can write to the table meanwhile");
    const std::string what = object_.empty() ? "the indexes" : object_;
    found_.add(hazard::index_build, object_, fmt::format("builds {} again", what));
  }
}

void Finder::find_maintenance() {
  if (is("VACUUM") && (words_.is(1, "full") || has_option(words_, "full")))
    found_.add_rewrite(object_, "VACUUM FULL");
  if (is("CLUSTER")) found_.add_rewrite(object_, "CLUSTER");
  if (is("REFRESH MATERIALIZED VIEW") && !is_concurrent(words_, command_.tag)) {
    found_.add_lockout(object_, "while it is filled again");
  }
  if (!is("ALTER INDEX") && !is("ALTER MATERIALIZED VIEW")) return;
  for (const std::string_view phrase : {"set tablespace", "set access method"}) {
    if (has(phrase)) found_.add_rewrite(object_, phrase);
  }
}

void Finder::find_locks() {
  if (!is("LOCK TABLE")) return;
  for (const std::string_view mode :
       {"access share", "row share", "row exclusive", "share update exclusive"}) {
    if (has(fmt::format("in {} mode", mode))) return;
  }
  for (const std::string_view mode : {"share", "share row exclusive", "exclusive"}) {
    if (!has(fmt::format("in {} mode", mode))) continue;
    found_.add(hazard::share, object_,
               fmt::format("nobody can write to {} until the transaction ends", object_));
    return;
  }
  found_.add_lockout(object_, "until the transaction ends");
}

void Finder::find_renames() {
  if (!words_.is(0, "alter") || command_.object == npos) return;
  if (is("ALTER TYPE") && has("add value")) {
    found_.add(hazard::irreversible, object_,
               fmt::format("no value can be taken from enum {} again", object_));
  }
  if (is("ALTER EXTENSION") && has("update")) {
    found_.add(hazard::dependencies, object_,
               fmt::format("functions and clients may need the old version of {}", object_));
  }
  // Clients know relations, columns and routines by name, but not indexes, triggers, policies …
  if (one_of(command_.tag,
             {"ALTER INDEX", "ALTER TRIGGER", "ALTER POLICY", "ALTER RULE", "ALTER STATISTICS"}))
    return;
  const size_t rename = words_.find("rename", command_.object);
  if (rename == npos || words_.is(rename + 1, "constraint")) return;
  found_.add(hazard::dependencies, object_,
             fmt::format("functions and clients may use the old name, in {}", object_));
}

/// Functions and procedures that destroy or move data.
void Finder::find_timescaledb() {
  if (!is("SELECT") && !is("CALL")) return;
  if (const size_t call = words_.find_call("drop_chunks", 1); call != npos) {
    found_.add(hazard::deletes_data, argument(call), fmt::format("drops chunks of {}", argument(call)));
  }
  for (const std::string_view function : {"add_retention_policy", "add_drop_chunks_policy"}) {
    const size_t call = words_.find_call(function, 1);
    if (call == npos) continue;
    found_.add(hazard::deletes_data, argument(call),
               fmt::format("drops old chunks of {} from now on", argument(call)));
  }
  const size_t call = words_.find_call("create_hypertable", 1);
  const size_t moves = call == npos ? npos : words_.find("migrate_data", call + 2);
  if (moves != npos && !words_.is(moves + 2, "false")) {
    found_.add_rewrite(argument(call), "moves all rows into chunks");
  }
}

std::vector<StatementHazard> Finder::find() {
  find_drops();
  find_rows();
  find_indexes();
  find_maintenance();
  find_locks();
  find_renames();
  find_timescaledb();
  if (is("ALTER TABLE") && command_.object != npos) {
    const size_t actions = words_.skip(words_.skip_name(command_.object), "*");
    add_alter_table_hazards(words_, object_, actions, found_);
  }
  return found_.take();
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
