#include <algorithm>
#include <array>

#include "base/sql_words.hpp"

namespace kdb::sql {

namespace {

struct Row {
  std::string_view phrase;
  std::string_view tag;
  bool has_object = false;
};

// What CREATE, ALTER, DROP and COMMENT ON are followed by; a phrase before its own beginnings.
constexpr std::array kinds{
    Row{"materialized view", "MATERIALIZED VIEW", true},
    Row{"foreign table", "FOREIGN TABLE", true},
    Row{"foreign data wrapper", "FOREIGN DATA WRAPPER", true},
    Row{"event trigger", "EVENT TRIGGER", true},
    Row{"access method", "ACCESS METHOD", true},
    Row{"text search configuration", "TEXT SEARCH CONFIGURATION", true},
    Row{"text search dictionary", "TEXT SEARCH DICTIONARY", true},
    Row{"text search parser", "TEXT SEARCH PARSER", true},
    Row{"text search template", "TEXT SEARCH TEMPLATE", true},
    Row{"operator class", "OPERATOR CLASS", true},
    Row{"operator family", "OPERATOR FAMILY", true},
    Row{"operator", "OPERATOR", false},
    Row{"user mapping for", "USER MAPPING", true},
    Row{"large object", "LARGE OBJECT", false},
    Row{"default privileges", "DEFAULT PRIVILEGES", false},
    Row{"table", "TABLE", true},
    Row{"index", "INDEX", true},
    Row{"view", "VIEW", true},
    Row{"sequence", "SEQUENCE", true},
    Row{"schema", "SCHEMA", true},
    Row{"database", "DATABASE", true},
    Row{"tablespace", "TABLESPACE", true},
    Row{"function", "FUNCTION", true},
    Row{"procedure", "PROCEDURE", true},
    Row{"routine", "ROUTINE", true},
    Row{"aggregate", "AGGREGATE", true},
    Row{"trigger", "TRIGGER", true},
    Row{"type", "TYPE", true},
    Row{"domain", "DOMAIN", true},
    Row{"extension", "EXTENSION", true},
    Row{"role", "ROLE", true},
    Row{"user", "ROLE", true},
    Row{"group", "ROLE", true},
    Row{"policy", "POLICY", true},
    Row{"publication", "PUBLICATION", true},
    Row{"subscription", "SUBSCRIPTION", true},
    Row{"rule", "RULE", true},
    Row{"cast", "CAST", false},
    Row{"collation", "COLLATION", true},
    Row{"conversion", "CONVERSION", true},
    Row{"language", "LANGUAGE", true},
    Row{"server", "SERVER", true},
    Row{"statistics", "STATISTICS", true},
    Row{"transform", "TRANSFORM", false},
    Row{"system", "SYSTEM", true},
    Row{"column", "COLUMN", true},
    Row{"constraint", "CONSTRAINT", true},
};

// All other commands. Where tag and phrase differ, the tag is what PostgreSQL reports.
constexpr std::array commands{
    Row{"drop owned", "DROP OWNED", false},
    Row{"insert into", "INSERT", true},
    Row{"update", "UPDATE", true},
    Row{"delete from", "DELETE", true},
    Row{"merge into", "MERGE", true},
    Row{"truncate table", "TRUNCATE TABLE", true},
    Row{"truncate", "TRUNCATE TABLE", true},
    Row{"copy binary", "COPY", true},
    Row{"copy", "COPY", true},
    Row{"vacuum", "VACUUM", true},
    Row{"analyze", "ANALYZE", true},
    Row{"analyse", "ANALYZE", true},
    Row{"cluster", "CLUSTER", true},
    Row{"reindex", "REINDEX", true},
    Row{"lock table", "LOCK TABLE", true},
    Row{"lock", "LOCK TABLE", true},
    Row{"refresh materialized view", "REFRESH MATERIALIZED VIEW", true},
    Row{"call", "CALL", true},
    Row{"security label", "SECURITY LABEL", false},
    Row{"import foreign schema", "IMPORT FOREIGN SCHEMA", true},
    Row{"reassign owned", "REASSIGN OWNED", false},
    Row{"values", "SELECT", false},
    Row{"table", "SELECT", false},
    Row{"(", "SELECT", false},
    Row{"declare", "DECLARE CURSOR", true},
    Row{"close", "CLOSE CURSOR", true},
    Row{"prepare transaction", "PREPARE TRANSACTION", false},
    Row{"prepare", "PREPARE", true},
    Row{"execute", "EXECUTE", true},
    Row{"commit prepared", "COMMIT PREPARED", false},
    Row{"rollback prepared", "ROLLBACK PREPARED", false},
    Row{"start transaction", "START TRANSACTION", false},
    Row{"end", "COMMIT", false},
    Row{"abort", "ROLLBACK", false},
    Row{"discard all", "DISCARD ALL", false},
    Row{"listen", "LISTEN", true},
    Row{"unlisten", "UNLISTEN", true},
    Row{"notify", "NOTIFY", true},
};

std::string upper(std::string_view text) {
  std::string result(text);
  std::transform(result.begin(), result.end(), result.begin(),
                 [](char c) { return c >= 'a' && c <= 'z' ? static_cast<char>(c - 'a' + 'A') : c; });
  return result;
}

template <size_t N>
const Row* find_row(const std::array<Row, N>& rows, const Words& words, size_t i) {
  const auto row =
      std::find_if(rows.begin(), rows.end(), [&](const Row& r) { return words.match(i, r.phrase); });
  return row == rows.end() ? nullptr : &*row;
}

size_t skip_any(const Words& words, size_t i, std::initializer_list<std::string_view> phrases) {
  const auto found = std::find_if(phrases.begin(), phrases.end(),
                                  [&](std::string_view phrase) { return words.match(i, phrase); });
  return found == phrases.end() ? i : skip_any(words, words.skip(i, *found), phrases);
}

/// Where the name begins, behind the words that may stand before it.
size_t object_at(const Words& words, size_t i) {
  return skip_any(words, i, {"concurrently", "if not exists", "if exists", "only"});
}

/// VACUUM, ANALYZE, CLUSTER, REINDEX: options in parentheses or as words, then perhaps the kind.
size_t maintained_object_at(const Words& words, size_t i) {
  i = words.skip_parentheses(i);
  i = skip_any(words, i, {"full", "freeze", "verbose", "analyze", "analyse"});
  return skip_any(words, i, {"index", "table", "schema", "database", "system", "concurrently", "only"});
}

Command read_definition(const Words& words) {
  const std::string verb = upper(words.text(0));
  size_t i = words.is(0, "comment") ? 2 : 1;
  const Row* kind = find_row(kinds, words, i);
  if (kind == nullptr || words.match(i, "constraint trigger")) {
    i = skip_any(words, i,
                 {"or replace", "local", "global", "temporary", "temp", "unlogged", "unique", "recursive",
                  "trusted", "procedural", "constraint", "default"});
    kind = find_row(kinds, words, i);
  }
  if (kind == nullptr) return {.tag = verb};
  Command command{.tag = words.is(0, "comment") ? verb : verb + " " + std::string(kind->tag)};
  if (!kind->has_object) return command;
  command.object = object_at(words, words.skip(i, kind->phrase));
  if (kind->tag == "SYSTEM") command.object = skip_any(words, command.object, {"set", "reset"});
  if (kind->tag == "SCHEMA") command.object = words.skip(command.object, "authorization");
  if (words.is(command.object, "on")) command.object = npos;  // CREATE INDEX without a name
  return command;
}

/// WITH … SELECT, INSERT and so on: the queries before the main one stand in parentheses.
size_t main_verb(const Words& words) {
  size_t first = npos;
  for (const std::string_view verb : {"select", "insert", "update", "delete", "merge", "values", "table"}) {
    first = std::min(first, words.find(verb, 1));
  }
  return first == npos ? 0 : first;
}

}  // namespace

Command read_command(const Words& words) {
  const size_t start = words.is(0, "with") ? main_verb(words) : 0;
  const Row* row = find_row(commands, words, start);
  const bool definition = words.is(0, "create") || words.is(0, "alter") || words.is(0, "drop");
  Command command;
  if (row != nullptr) {
    command.tag = row->tag;
    const size_t next = words.skip(start, row->phrase);
    const bool maintenance = row->tag == "VACUUM" || row->tag == "ANALYZE" || row->tag == "CLUSTER";
    if (row->has_object) {
      command.object =
          maintenance || row->tag == "REINDEX" ? maintained_object_at(words, next) : object_at(words, next);
    }
  } else if (definition || words.match(0, "comment on")) {
    command = read_definition(words);
    const bool query = words.find("as select", 0) != npos || words.find("as with", 0) != npos ||
                       words.find("as values", 0) != npos || words.find("as table", 0) != npos ||
                       words.find("as execute", 0) != npos || words.find("as (", 0) != npos;
    if (command.tag == "CREATE TABLE" && query) command.tag = "CREATE TABLE AS";
  } else {
    command.tag = upper(words.text(start));
    const size_t into = command.tag == "SELECT" ? words.find("into", start) : npos;
    if (into != npos) {
      command.tag = "SELECT INTO";
      command.object =
          skip_any(words, into + 1, {"local", "global", "temporary", "temp", "unlogged", "table"});
    }
  }
  if (words.skip_name(command.object) == command.object) command.object = npos;
  return command;
}

bool is_temporary(const Words& words, const Command& command) {
  const size_t from = command.tag == "SELECT INTO" ? words.find("into", 0) : 1;
  return words.find("temp", from, command.object) != npos ||
         words.find("temporary", from, command.object) != npos ||
         (words.is(command.object, "pg_temp") && words.is(command.object + 1, "."));
}

}  // namespace kdb::sql
