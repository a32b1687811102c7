#include <set>
#include <string>

#include <fmt/format.h>

#include "base/text.hpp"
#include "lint/rules.hpp"

namespace kdb::lint {

namespace {

constexpr Finding::Level note = Finding::Level::note;

void check_enum(const Statement& statement, Findings& findings) {
  if (!statement.is("ALTER TYPE")) return;
  const sql::Words& words = statement.words;
  const size_t add = words.find("add value", 2);
  if (add == npos || words.find("before", add) != npos || words.find("after", add) != npos) return;
  findings.add(statement.at(add),
               fmt::format("the new value becomes the greatest one of {}, in ORDER BY too",
                           statement.step.what.object),
               "BEFORE or AFTER says where it belongs");
}

/// NAMEDATALEN - 1: what is longer is cut, and two names may become one.
constexpr size_t longest_name = 63;

void check_names(const Statement& statement, Findings& findings) {
  const sql::Words& words = statement.words;
  for (size_t i = 0; i < words.size(); ++i) {
    const std::string_view word = words.text(i);
    if (word.size() <= longest_name || words.is_literal(i) || words.skip_name(i) == i) continue;
    const std::string name = sql::folded(word);
    if (name.size() <= longest_name) continue;
    findings.add(statement.at(i),
                 fmt::format("the name {} has {} bytes, and the server keeps the first {}", name, name.size(),
                             longest_name),
                 "shorten it: otherwise it is known by a name that no file has");
  }
}

/// The server refuses it, at run time and not before.
void check_assignments(const Statement& statement, Findings& findings) {
  const sql::Words& words = statement.words;
  if (!statement.is("UPDATE") || !words.is(0, "update")) return;
  const size_t set = words.find("set", 1);
  if (set == npos) return;
  size_t end = words.size();
  for (const std::string_view clause : {"from", "where", "returning"})
    end = std::min(end, words.find(clause, set, end));
  std::set<std::string> seen;
  for (const auto& [first, last] : parts(words, set + 1, end)) {
    if (!words.is(first + 1, "=")) continue;  // (a, b) = …, and parts of arrays and of rows
    const std::string name = sql::folded(words.text(first));
    if (seen.insert(name).second) continue;
    findings.add(statement.at(first),
                 fmt::format("column {} is assigned twice, which the server refuses", name));
  }
}

void check_grammar(const Statement& statement, Findings& findings) {
  if (!statement.step.newer_grammar) return;
  findings.add(statement.at(0), "this is newer than the grammar that kdb was built with, or a mistake in it",
               "kdb runs it as it is, and the server decides");
}

void check_down(const MigrationScripts& migration, const Script& script, Findings& findings) {
  if (script.plan.direction != Direction::up || script.layout != Layout::native || migration.down) return;
  findings.add({.file = migration.file.path, .line = 1}, "there is no way back: no `-- migrate:down` section",
               "an empty one says that nothing has to be undone");
}

}  // namespace

Rule require_enum_value_ordering() {
  return {.name = "require-enum-value-ordering",
          .level = note,
          .summary = "ALTER TYPE … ADD VALUE without a place",
          .why = "Values of an enum compare in their order, and a value can neither be moved nor taken out.",
          .lock = "",
          .instead = "  ALTER TYPE size ADD VALUE 'medium' AFTER 'small';",
          .statement = check_enum};
}

Rule identifier_too_long() {
  return {.name = "identifier-too-long",
          .summary = "a name of more than 63 bytes",
          .why =
              "The server cuts it, with a notice that nobody reads. The object then has a name that is in no "
              "file, and two long names may turn out to be the same.",
          .lock = "",
          .instead = "A shorter name.",
          .statement = check_names};
}

Rule ban_duplicate_column_assignments() {
  return {.name = "ban-duplicate-column-assignments",
          .level = Finding::Level::error,
          .summary = "UPDATE that assigns a column twice",
          .why = "The server refuses it: multiple assignments to same column.",
          .lock = "",
          .instead = "One assignment for each column.",
          .statement = check_assignments};
}

Rule newer_grammar() {
  return {.name = "newer-grammar",
          .level = note,
          .summary = "a statement that kdb's grammar does not know",
          .why =
              "kdb is built with the parser of one PostgreSQL release. What that does not know is cut out by "
              "its tokens, runs as it is written, and is judged by its first words only. It may as well be a "
              "mistake, which the server will report.",
          .lock = "",
          .instead = "Nothing, if the server is newer than kdb's grammar and knows the statement.",
          .statement = check_grammar};
}

Rule missing_down() {
  return {.name = "missing-down",
          .level = note,
          .summary = "a migration without a down section",
          .why = "`kdb migrate down` stops at it.",
          .lock = "",
          .instead =
              "Write what undoes it; an empty section says that there is nothing to undo:\n"
              "  -- migrate:down",
          .script = check_down};
}

}  // namespace kdb::lint
