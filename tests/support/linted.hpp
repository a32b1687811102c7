#pragma once

#include <string>
#include <string_view>
#include <vector>

#include <doctest/doctest.h>
#include <fmt/format.h>

#include "core/steps.hpp"
#include "files/migrations.hpp"
#include "lint/check.hpp"

namespace kdb::test {

/// A migration of kdb's own layout by the text of its file.
inline lint::MigrationScripts migration_of(std::string_view text, const std::string& path = "1_x.sql") {
  const Migration read = files::parse_migration({}, Layout::native, {.path = path}, text, {});
  lint::MigrationScripts scripts{.file = read.file, .head = read.head};
  std::vector<Problem> malformed;
  const auto script = [&](Direction direction) {
    lint::Script made;
    made.plan = plan_migration(read, direction, malformed, made.refusals);
    return made;
  };
  if (read.up) scripts.up = script(Direction::up);
  if (read.down) scripts.down = script(Direction::down);
  if (!malformed.empty()) throw Error(Exit::usage, malformed);
  return scripts;
}

inline lint::Judgement judged(const std::vector<std::string>& texts) {
  lint::Input input;
  for (const std::string& text : texts)
    input.migrations.push_back(migration_of(text, fmt::format("{}_x.sql", input.migrations.size() + 1)));
  return lint::check(input);
}

/// `RULE LINE:COLUMN` of each finding, of one rule where it is named.
inline std::vector<std::string> places(const lint::Judgement& judgement, std::string_view rule = {}) {
  std::vector<std::string> result;
  for (const Finding& finding : judgement.findings) {
    const Source& where = finding.problem.where;
    if (rule.empty())
      result.push_back(fmt::format("{} {}:{}", finding.rule, where.line, where.column));
    else if (finding.rule == rule)
      result.push_back(fmt::format("{}:{}", where.line, where.column));
  }
  return result;
}

/// The statements as the up section of a file, from line 2 on.
inline std::string up(std::string_view sql, std::string_view options = {}) {
  return fmt::format("-- migrate:up{}{}\n{}\n-- migrate:down\n", options.empty() ? "" : " ", options, sql);
}

/// Where the rule finds something in an up section that begins in line 2.
inline std::vector<std::string> places_in(std::string_view rule, std::string_view sql,
                                          std::string_view options = {}) {
  return places(judged({up(sql, options)}), rule);
}

struct Linted {
  std::string sql;
  std::vector<std::string> places;  // LINE:COLUMN; the statements begin in line 2
};

inline void check(std::string_view rule, const std::vector<Linted>& rows) {
  for (const Linted& row : rows) {
    CAPTURE(row.sql);
    CHECK(places_in(rule, row.sql) == row.places);
  }
}

}  // namespace kdb::test
