#include "core/dump.hpp"

#include <fmt/format.h>

#include "base/text.hpp"

namespace kdb {

namespace {

bool changes_from_run_to_run(std::string_view line) {
  for (const std::string_view prefix : {"\\restrict ", "\\unrestrict ", "-- Dumped from database version",
                                        "-- Dumped by pg_dump version", "SET transaction_timeout = "})
    if (line.substr(0, prefix.size()) == prefix) return true;
  return false;
}

/// The trigger that TimescaleDB puts on every hypertable until 2.22; create_hypertable makes it again.
bool is_inner_trigger(std::string_view line) {
  return line.substr(0, 33) == "CREATE TRIGGER ts_insert_blocker " ||
         (line.substr(0, 3) == "-- " &&
          line.find(" ts_insert_blocker; Type: TRIGGER;") != std::string_view::npos);
}

std::string create_hypertable(const DumpedHypertable& table) {
  const DumpedDimension& time = table.dimensions.front();
  const std::string interval = time.integer_interval.empty()
                                   ? fmt::format("INTERVAL {}", quote_literal(time.interval))
                                   : time.integer_interval;
  std::string sql = fmt::format(
      "SELECT public.create_hypertable({}, {}, chunk_time_interval => {}, create_default_indexes => "
      "false);\n",
      quote_literal(table.name), quote_literal(time.column), interval);
  if (!time.now_function.empty())
    sql += fmt::format("SELECT public.set_integer_now_func({}, {});\n", quote_literal(table.name),
                       quote_literal(time.now_function));
  for (size_t i = 1; i < table.dimensions.size(); ++i) {
    const DumpedDimension& space = table.dimensions[i];
    sql += fmt::format("SELECT public.add_dimension({}, {}, number_partitions => {});\n",
                       quote_literal(table.name), quote_literal(space.column), space.partitions);
  }
  return sql;
}

/// pg_dump has no name for "make a hypertable of it", which has to come before the indexes and foreign keys.
bool ends_tables(std::string_view line) {
  for (const std::string_view type :
       {"Type: CONSTRAINT;", "Type: INDEX;", "Type: TRIGGER;", "Type: FK CONSTRAINT;", "Type: RULE;",
        "Type: EVENT TRIGGER;", "PostgreSQL database dump complete"})
    if (line.substr(0, 3) == "-- " && line.find(type) != std::string_view::npos) return true;
  return false;
}

}  // namespace

std::string stable_dump(std::string_view text, const std::vector<DumpedHypertable>& hypertables) {
  std::vector<std::string> lines;
  bool hypertables_written = hypertables.empty();
  for (const std::string_view line : split(text, '\n')) {
    if (changes_from_run_to_run(line) || is_inner_trigger(line)) continue;
    if (!hypertables_written && ends_tables(line)) {
      hypertables_written = true;
      lines.pop_back();  // the "--" above the comment
      for (const DumpedHypertable& table : hypertables) lines.push_back(create_hypertable(table));
      lines.emplace_back("--");
    }
    lines.emplace_back(line);
  }
  // What was left out leaves runs of empty lines and of empty comment boxes behind.
  std::string result;
  int empty = 0;
  for (const std::string& line : lines) {
    empty = line.empty() ? empty + 1 : 0;
    if (empty > 1 || (result.empty() && line.empty())) continue;
    result += line + "\n";
  }
  while (result.size() > 1 && result[result.size() - 2] == '\n') result.pop_back();
  return result;
}

}  // namespace kdb
