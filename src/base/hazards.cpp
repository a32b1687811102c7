#include <algorithm>
#include <array>

#include <fmt/format.h>

#include "base/hazard_list.hpp"
#include "base/sql_outside.hpp"
#include "base/sql_words.hpp"
#include "base/statement.hpp"
#include "base/text.hpp"

namespace kdb::sql {

namespace {

/// More statements in statements than anybody writes: beyond that kdb does not look.
constexpr int deepest = 8;

struct DropRow {
  std::string_view tag;
  std::string_view id;
  std::string_view reason;  // before the name
  bool only_with_cascade = false;
  bool of_relation = true;
};

// What a DROP takes away. Without CASCADE the server refuses to drop a schema that holds something, or a type
// that a column has.
constexpr std::array drops{
    DropRow{"DROP TABLE", hazard::deletes_data, "drops table"},
    DropRow{"DROP MATERIALIZED VIEW", hazard::deletes_data, "drops materialized view"},
    DropRow{"DROP SEQUENCE", hazard::deletes_data, "loses the value of sequence"},
    DropRow{"DROP DATABASE", hazard::deletes_data, "drops database", false, false},
    DropRow{"DROP SCHEMA", hazard::deletes_data, "drops everything in schema", true, false},
    DropRow{"DROP TYPE", hazard::deletes_data, "drops every column of type", true, false},
    DropRow{"DROP DOMAIN", hazard::deletes_data, "drops every column of domain", true, false},
    DropRow{"DROP EXTENSION", hazard::deletes_data, "drops all columns and tables that need extension", true,
            false},
    DropRow{"DROP INDEX", hazard::index_dropped, "drops index"},
    DropRow{"DROP EXTENSION", hazard::dependencies, "functions and clients may use extension", false, false},
    DropRow{"DROP FUNCTION", hazard::dependencies, "functions and clients may call", false, false},
    DropRow{"DROP PROCEDURE", hazard::dependencies, "functions and clients may call", false, false},
    DropRow{"DROP ROUTINE", hazard::dependencies, "functions and clients may call", false, false},
    DropRow{"DROP AGGREGATE", hazard::dependencies, "functions and clients may call", false, false},
    DropRow{"DROP VIEW", hazard::dependencies, "functions and clients may read"},
    DropRow{"DROP FOREIGN TABLE", hazard::dependencies, "functions and clients may read"},
};

/// Collects the hazards of one statement.
class Finder {
 public:
  Finder(std::string_view statement, int depth)
      : words_(statement),
        command_(read_command(words_)),
        object_(words_.name(command_.object)),
        depth_(depth) {}

  std::vector<StatementHazard> find();

 private:
  bool is(std::string_view tag) const { return command_.tag == tag; }
  /// Of DELETE, UPDATE and MERGE, perhaps behind WITH.
  size_t main_verb() const { return words_.is(0, "with") ? words_.find(to_lower(command_.tag), 1) : 0; }
  bool has(std::string_view phrase) const { return words_.find(phrase, 1) != npos; }
  /// What the first argument of a call names: `drop_chunks('events')`.
  std::string argument(size_t call) const {
    return words_.is_literal(call + 2) ? literal_value(words_.text(call + 2)) : words_.name(call + 2);
  }
  /// The same as the relation that it surely is; empty if it may be another.
  std::string relation(size_t call) const {
    return words_.is_literal(call + 2) ? literal_value(words_.text(call + 2)) : "";
  }

  void find_drops();
  void find_truncated();
  void find_rows(size_t verb, size_t end);
  void find_merged(size_t verb, size_t end);
  void find_inner_rows();
  bool has_condition(size_t verb, size_t end) const;
  void find_indexes();
  void find_maintenance();
  void find_locks();
  void find_renames();
  void find_timescaledb();

  Words words_;
  Command command_;
  std::string object_;
  int depth_ = 0;  // how many statements this one stands inside of
  HazardList found_;
};

void Finder::find_drops() {
  for (const DropRow& row : drops) {
    if (!is(row.tag) || (row.only_with_cascade && !has("cascade"))) continue;
    for (const auto& part : words_.list(command_.object)) {
      const std::string name = words_.name(part.first);
      if (!name.empty())
        found_.add(row.id, name, fmt::format("{} {}", row.reason, name), row.of_relation ? name : "");
    }
  }
  if (is("DROP OWNED")) {
    const std::string role = words_.name(words_.skip(2, "by"));
    found_.add(hazard::deletes_data, role, fmt::format("drops everything that {} owns", role), "");
  }
}

void Finder::find_truncated() {
  if (!is("TRUNCATE TABLE")) return;
  const bool cascade = has("cascade");  // to tables that nobody names here
  for (const auto& part : words_.list(command_.object)) {
    const std::string name = words_.name(words_.skip(part.first, "only"));
    found_.add(hazard::deletes_data, name, fmt::format("deletes all rows of {}", name), cascade ? "" : name);
  }
}

/// Whether the statement has a WHERE that may leave some rows out.
bool Finder::has_condition(size_t verb, size_t end) const {
  const size_t where = words_.find("where", verb, end);
  if (where == npos) return false;
  const size_t behind = std::max(words_.skip(where + 1, "true"), words_.skip(where + 1, "1 = 1"));
  return behind == where + 1 || (behind < end && !words_.is(behind, "returning"));
}

/// DELETE, UPDATE or MERGE, whose verb is at `verb`.
void Finder::find_rows(size_t verb, size_t end) {
  if (words_.is(verb, "merge")) return find_merged(verb, end);
  if (has_condition(verb, end)) return;
  const size_t target = words_.is(verb, "update") ? verb + 1 : verb + 2;
  const std::string table = words_.name(words_.skip(target, "only"));
  if (words_.is(verb, "delete"))
    found_.add(hazard::deletes_data, table, fmt::format("deletes all rows of {}", table));
  if (words_.is(verb, "update"))
    found_.add(hazard::long_running, table, fmt::format("writes every row of {}", table));
}

/// A WHEN … THEN DELETE without a condition of its own deletes whatever the join brings.
void Finder::find_merged(size_t verb, size_t end) {
  const std::string table = words_.name(words_.skip(verb + 2, "only"));
  for (size_t when = words_.find("when", verb, end); when != npos;
       when = words_.find("when", when + 1, end)) {
    const size_t then = std::min(words_.find("then", when, end), words_.size());
    if (words_.is(then + 1, "delete") && words_.find("and", when, then) == npos)
      found_.add(hazard::deletes_data, table,
                 fmt::format("deletes every row of {} that the join brings", table));
  }
}

/// What writes in WITH, COPY (…) and so on: in parentheses, and run although it is not the main verb.
void Finder::find_inner_rows() {
  if (words_.is(0, "create") || words_.is(0, "alter")) return;
  for (size_t i = 2; i < words_.size(); ++i) {
    if (!words_.is(i - 1, "(") && !words_.is(i - 1, ")")) continue;
    if (!words_.match(i, "delete from") && !words_.match(i, "merge into") && !words_.is(i, "update"))
      continue;
    const size_t end = words_.end_of_group(i);
    if (end == words_.size()) continue;  // the main verb
    if (!words_.is(i, "update") || words_.find("set", i, end) != npos) find_rows(i, end);
  }
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
               fmt::format("builds an index on {}", table), table);
  }
  if (is("REINDEX")) {
    const size_t kind = words_.skip_parentheses(1);
    const std::string relation = words_.is(kind, "table") || words_.is(kind, "index") ? object_ : "";
    if (!concurrent) found_.add(hazard::share, object_, "nobody can write to the table meanwhile", relation);
    const std::string what = object_.empty() ? "the indexes" : object_;
    found_.add(hazard::index_build, object_, fmt::format("builds {} again", what), relation);
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
               fmt::format("no value can be taken from enum {} again", object_), "");
  }
  if (is("ALTER EXTENSION") && has("update")) {
    found_.add(hazard::dependencies, object_,
               fmt::format("functions and clients may need the old version of {}", object_), "");
  }
  // Clients know relations, columns and routines by name, but not indexes, triggers, policies …
  if (one_of(command_.tag,
             {"ALTER INDEX", "ALTER TRIGGER", "ALTER POLICY", "ALTER RULE", "ALTER STATISTICS"}))
    return;
  const size_t rename = words_.find("rename", command_.object);
  if (rename == npos || words_.is(rename + 1, "constraint")) return;
  const bool relation = one_of(command_.tag, {"ALTER TABLE", "ALTER VIEW", "ALTER SEQUENCE",
                                              "ALTER MATERIALIZED VIEW", "ALTER FOREIGN TABLE"});
  found_.add(hazard::dependencies, object_,
             fmt::format("functions and clients may use the old name, in {}", object_),
             relation ? object_ : "");
}

/// Functions and procedures that destroy or move data.
void Finder::find_timescaledb() {
  if (!is("SELECT") && !is("SELECT INTO") && !is("CALL")) return;
  if (const size_t call = words_.find_call("drop_chunks", 1); call != npos) {
    found_.add(hazard::deletes_data, argument(call), fmt::format("drops chunks of {}", argument(call)),
               relation(call));
  }
  for (const std::string_view function : {"add_retention_policy", "add_drop_chunks_policy"}) {
    const size_t call = words_.find_call(function, 1);
    if (call == npos) continue;
    found_.add(hazard::deletes_data, argument(call),
               fmt::format("drops old chunks of {} from now on", argument(call)), relation(call));
  }
  const size_t call = words_.find_call("create_hypertable", 1);
  const size_t moves = call == npos ? npos : words_.find("migrate_data", call + 2);
  if (moves != npos && !words_.is(moves + 2, "false")) {
    found_.add_rewrite(argument(call), "moves all rows into chunks");
  }
}

std::vector<StatementHazard> Finder::find() {
  if (depth_ > deepest) {
    found_.add_unseen("", "statements in statements");
    return found_.take();
  }
  add_wrapped_hazards(words_, command_, depth_, found_);
  if (is("DO")) add_do_hazards(words_, depth_, found_);
  if (is("EXPLAIN") || is("PREPARE") || is("DO")) return found_.take();
  add_call_hazards(words_, command_, found_);
  find_drops();
  find_truncated();
  if (is("DELETE") || is("UPDATE") || is("MERGE")) find_rows(main_verb(), words_.size());
  find_inner_rows();
  find_indexes();
  find_maintenance();
  find_locks();
  find_renames();
  find_timescaledb();
  if (is("ALTER TABLE") && command_.object != npos) {
    const size_t actions = words_.skip(words_.skip_name(command_.object), "*");
    add_alter_table_hazards(words_, object_, actions, found_);
  }
  std::vector<StatementHazard> found = found_.take();
  // The first name stands for all that are meant.
  const bool several = (is("VACUUM") || is("LOCK TABLE")) && words_.list(command_.object).size() > 1;
  if (several || has("all in tablespace")) {
    for (StatementHazard& hazard : found) hazard.relation.clear();
  }
  return found;
}

}  // namespace

std::vector<StatementHazard> hazards_inside(std::string_view statement, int depth) {
  return Finder(statement, depth).find();
}

std::vector<StatementHazard> hazards(std::string_view statement) { return hazards_inside(statement, 0); }

}  // namespace kdb::sql
