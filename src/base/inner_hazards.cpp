#include <array>

#include "base/hazard_list.hpp"
#include "base/sql.hpp"
#include "base/sql_outside.hpp"
#include "base/sql_scan.hpp"
#include "base/text.hpp"

namespace kdb::sql {

namespace {

// --- functions
// ----------------------------------------------------------------------------------------------

/// Functions that ordinary migrations call for what they do, and that touch no row. All of pg_catalog's with
/// pg_ in their names belong here too; what TimescaleDB's destroy is found by name.
constexpr std::array<std::string_view, 72> known_functions{
    // clang-format off
    "add_columnstore_policy", "add_compression_policy", "add_continuous_aggregate_policy", "add_dimension",
    "add_drop_chunks_policy", "add_job", "add_reorder_policy", "add_retention_policy", "addgeometrycolumn",
    "alter_job", "array_agg", "attach_tablespace", "avg", "bool_and", "bool_or", "cagg_migrate",
    "clock_timestamp", "compress_chunk", "concat", "convert_to_columnstore", "convert_to_rowstore", "count",
    "create_distributed_hypertable", "create_distributed_table", "create_hypertable",
    "create_reference_table", "current_schemas", "current_setting", "currval", "decompress_chunk",
    "delete_job", "diesel_manage_updated_at", "drop_chunks", "enable_chunk_skipping", "format",
    "gen_random_uuid", "generate_series", "has_schema_privilege", "has_table_privilege", "json_agg",
    "jsonb_agg", "lastval", "length", "lower", "max", "merge_chunks", "min", "move_chunk", "nextval", "now",
    "recompress_chunk", "refresh_continuous_aggregate", "remove_columnstore_policy",
    "remove_compression_policy", "remove_continuous_aggregate_policy", "remove_reorder_policy",
    "remove_retention_policy", "reorder_chunk", "set_chunk_time_interval", "set_config",
    "set_integer_now_func", "setseed", "setval", "show_chunks", "split_chunk", "statement_timestamp",
    "string_agg", "sum", "to_regclass", "unnest", "upper", "version"
    // clang-format on
};

bool is_known(const Words& words, size_t name) {
  const std::string function = to_lower(words.text(words.skip_name(name) - 1));
  return words.match(name, "pg_catalog .") || function.starts_with("pg_") ||
         std::find(known_functions.begin(), known_functions.end(), function) != known_functions.end();
}

/// Where the name of the call is that is all of `SELECT f(…)` or `SELECT * FROM f(…)`; npos otherwise.
size_t bare_call(const Words& words) {
  const size_t name = words.skip(1, "* from");
  const size_t open = words.skip_name(name);
  if (!words.is(0, "select") || open == name || !words.is(open, "(")) return npos;
  if (open == name + 1 && is_keyword(words.text(name))) return npos;
  return words.skip_parentheses(open) == words.size() ? name : npos;
}

// --- PL/pgSQL
// ----------------------------------------------------------------------------------------------

/// Reads a body of PL/pgSQL as the SQL commands in it: each begins where one may, and ends at a semicolon.
class Body {
 public:
  Body(const Words& words, int depth, HazardList& found) : words_(words), depth_(depth), found_(found) {}

  void find() {
    for (size_t i = 0; i < words_.size();) i = read_statement(i);
  }

 private:
  size_t read_statement(size_t i);
  bool read_query(size_t i, size_t end);
  void read_execute(size_t i, size_t end);
  size_t next_start(size_t i) const;
  size_t find_end(std::string_view word, size_t from) const {
    return std::min(words_.find(word, from), words_.size());
  }
  void add(std::string_view sql) {
    for (StatementHazard& hazard : hazards_inside(sql, depth_ + 1)) found_.add(std::move(hazard));
  }

  const Words& words_;
  int depth_ = 0;
  HazardList& found_;
};

/// Returns where the next statement begins.
size_t Body::read_statement(size_t i) {
  const size_t end = find_end(";", i);
  if (read_query(i, end)) return end + 1;
  if (words_.is(i, "for")) {
    const size_t loop = find_end("loop", i);
    if (const size_t in = words_.find("in", i, loop); in != npos) read_query(in + 1, loop);
    return loop + 1;
  }
  if (words_.is(i, "open")) {  // a cursor
    if (const size_t query = words_.find("for execute", i, end); query != npos) read_execute(query + 2, end);
    return end + 1;
  }
  return next_start(i);
}

/// Whether [i, end) is an SQL command, or stands for one.
bool Body::read_query(size_t i, size_t end) {
  if (words_.is(i, "execute")) {
    read_execute(i + 1, end);
  } else if (words_.is(i, "perform")) {
    add("SELECT " + std::string(words_.between(i + 1, end)));
  } else if (one_of(to_lower(words_.text(i)),
                    {"alter", "call", "cluster", "copy", "create", "delete", "do", "drop", "explain",
                     "insert", "lock", "merge", "prepare", "refresh", "reindex", "select", "truncate",
                     "update", "with"})) {
    add(words_.between(i, end));
  } else {
    return false;
  }
  return true;
}

/// A constant text is as good as a statement; of any other nobody knows what it will be.
void Body::read_execute(size_t i, size_t end) {
  const std::string_view literal = words_.text(i);
  const bool constant = words_.is_literal(i) && literal.find('\\') == std::string_view::npos &&
                        (i + 1 >= end || words_.is(i + 1, "into") || words_.is(i + 1, "using"));
  std::vector<Problem> problems;
  const std::string script = constant ? literal_value(literal) : "";
  const std::vector<Statement> statements = split(script, problems);
  if (!constant || !problems.empty()) return found_.add_unseen("", "EXECUTE");
  for (const Statement& statement : statements) add(statement.text);
}

size_t Body::next_start(size_t i) const {
  for (int depth = 0; i < words_.size(); ++i) {
    if (words_.is(i, "(")) ++depth;
    if (words_.is(i, ")")) --depth;
    if (depth <= 0 && one_of(to_lower(words_.text(i)), {";", "begin", "then", "else", "loop", ">>"})) break;
  }
  return i + 1;
}

}  // namespace

void add_do_hazards(const Words& words, int depth, HazardList& found) {
  const DoBlock block = read_do_block(words);
  if (block.language != "plpgsql") return found.add_unseen("", "DO in " + block.language);
  Body(Words(block.source), depth, found).find();
}

void add_wrapped_hazards(const Words& words, const Command& command, int depth, HazardList& found) {
  if (command.tag == "PREPARE") {
    const size_t as = words.find("as", 2);
    if (as == npos) return;
    for (StatementHazard& hazard : hazards_inside(words.between(as + 1, words.size()), depth + 1)) {
      hazard.relation.clear();  // names are looked up when it is executed
      found.add(std::move(hazard));
    }
  }
  if (command.tag != "EXPLAIN") return;
  size_t i = words.skip_parentheses(1);
  bool runs = i > 1 && (has_option(words, "analyze") || has_option(words, "analyse"));
  for (; words.is(i, "analyze") || words.is(i, "analyse") || words.is(i, "verbose"); ++i) {
    runs |= !words.is(i, "verbose");
  }
  if (!runs) return;
  for (StatementHazard& hazard : hazards_inside(words.between(i, words.size()), depth + 1))
    found.add(std::move(hazard));
}

void add_call_hazards(const Words& words, const Command& command, HazardList& found) {
  size_t name = npos;
  if (command.tag == "CALL") name = command.object;
  if (command.tag == "SELECT") name = bare_call(words);
  if (name == npos || is_known(words, name)) return;
  found.add_unseen(words.name(name), "calls " + words.name(name));
}

}  // namespace kdb::sql
