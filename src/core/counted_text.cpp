#include "core/counted_text.hpp"

#include <algorithm>
#include <set>
#include <vector>

#include "base/sql_words.hpp"
#include "model/query.hpp"

namespace kdb {

namespace {

using sql::npos;
using sql::Words;

bool is_any(const Words& words, size_t i, std::initializer_list<std::string_view> list) {
  return std::any_of(list.begin(), list.end(), [&](std::string_view word) { return words.is(i, word); });
}

/// The names before `AS (`: of the queries of WITH, which FROM names like a table.
std::set<std::string> names_of_with(const Words& words) {
  std::set<std::string> names;
  if (!words.is(0, "with")) return names;
  for (size_t i = 1; i < words.size(); ++i) {
    const size_t as = words.skip_parentheses(i + 1);
    if (words.match(as, "as (") || words.match(as, "as materialized (") ||
        words.match(as, "as not materialized ("))
      names.insert(sql::folded(words.text(i)));
  }
  return names;
}

/// Whether a relation is the server's, an extension's or kdb's own.
bool is_catalog(const Words& words, size_t name) {
  const size_t last = words.skip_name(name) - 1;
  const std::string schema = last > name ? sql::folded(words.text(name)) : "";
  return schema == "pg_catalog" || schema == "information_schema" || schema == "kdb" ||
         schema == "timescaledb_information" || schema.starts_with("_timescaledb_") ||
         sql::folded(words.text(last)).starts_with("pg_");
}

/// Which relations FROM and JOIN name, functions and queries of WITH not counted.
class Relations {
 public:
  explicit Relations(const Words& words) : words_(words), with_(names_of_with(words)) {
    if (words.is(0, "table")) add(1);
    for (size_t i = 0; i < words.size(); ++i) {
      if (words.is(i, "(")) calls_.push_back(i == 0 ? npos : i - 1);
      if (words.is(i, ")") && !calls_.empty()) calls_.pop_back();
      if (words.is(i, "join")) add(i + 1);
      if (words.is(i, "from") && !is_argument(i)) add_list(i + 1);
    }
  }

  bool own = false;
  bool catalog = false;

 private:
  /// EXTRACT (epoch FROM at), IS DISTINCT FROM.
  bool is_argument(size_t from) const {
    if (words_.is(from - 1, "distinct")) return true;
    return !calls_.empty() && is_any(words_, calls_.back(), {"extract", "substring", "trim", "overlay"});
  }

  void add(size_t at) {
    while (is_any(words_, at, {"only", "lateral"})) ++at;
    const size_t end = words_.skip_name(at);
    if (end == at || words_.is(end, "(") || is_end(at)) return;
    if (end == at + 1 && with_.count(sql::folded(words_.text(at))) > 0) return;
    (is_catalog(words_, at) ? catalog : own) = true;
  }

  bool is_end(size_t i) const {
    return i >= words_.size() || is_any(words_, i,
                                        {")", "where", "group", "having", "window", "order", "limit",
                                         "offset", "fetch", "for", "union", "intersect", "except", ";"});
  }

  void add_list(size_t at) {
    add(at);
    while (!is_end(at)) {
      if (words_.is(at, ",")) add(at + 1);
      at = std::max(at + 1, words_.skip_parentheses(at));
    }
  }

  const Words& words_;
  std::set<std::string> with_;
  std::vector<size_t> calls_;  // what stands before each open parenthesis
};

bool has_no_constants(const std::string& tag) {
  return tag == "SELECT" || tag == "INSERT" || tag == "UPDATE" || tag == "DELETE" || tag == "MERGE";
}

}  // namespace

CountedText read_counted_text(const CountedStatement& statement) {
  const Words words(statement.text);
  CountedText text;
  if (words.size() == 0) return text;
  const sql::Command command = sql::read_command(words);
  text.explain = words.is(0, "explain");
  if (has_no_constants(command.tag)) {
    text.shown = statement.text.substr(static_cast<size_t>(words.text(0).data() - statement.text.data()));
  } else {
    text.shown = words.is_literal(0) ? "" : command.tag;
    if (command.object != npos) text.shown += " " + words.name(command.object);
  }
  text.reads = why_no_read(words).empty();
  const Relations relations(words);
  text.rows = text.reads && relations.own;
  text.catalog =
      (relations.catalog && !relations.own) || statement.text.find("pg_catalog.") != std::string::npos;
  return text;
}

}  // namespace kdb
