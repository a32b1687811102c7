#include "files/plain_file.hpp"

#include <algorithm>
#include <initializer_list>
#include <iterator>

#include <fmt/format.h>

#include "base/text.hpp"
#include "files/directives.hpp"
#include "files/sections.hpp"

namespace kdb::files {
namespace {

// Marks of formats that keep the way back in the same file: to run such a file whole would undo what it did.
struct ForeignMark {
  std::string_view mark;
  std::string_view tool;
};
constexpr ForeignMark foreign_marks[] = {
    {"migrate:up", "dbmate's (layout native)"},
    {"migrate:down", "dbmate's (layout native)"},
    {"+goose Up", "goose's (layout goose)"},
    {"+goose Down", "goose's (layout goose)"},
    {"+migrate Down", "sql-migrate's"},
    {"Down Migration", "node-pg-migrate's"},
    {"@UNDO", "MyBatis Migrations'"},
    {"//@UNDO", "MyBatis Migrations'"},
    {"!Downs", "Play's"},
    {"# --- !Downs", "Play's"},
    {"rambler down", "rambler's"},
    {"-- create above / drop below ----", "tern's"},
    {"liquibase formatted sql", "Liquibase's"},
};

// Whether a comment is nothing but a word for a direction, in whatever form its tool wants it: `-- UP`, `--
// +down`,
// `-- *** rollback ***`.
bool is_direction(std::string_view comment, std::initializer_list<std::string_view> words) {
  constexpr std::string_view letters = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789";
  const size_t first = comment.find_first_of(letters);
  if (first == std::string_view::npos) return false;
  const std::string_view word = comment.substr(first, comment.find_last_of(letters) - first + 1);
  return std::any_of(words.begin(), words.end(),
                     [&](std::string_view one) { return equals_ignore_case(word, one); });
}

// Whether the comment is the mark, options behind it allowed for those that are no plain words.
bool is_mark(std::string_view comment, const ForeignMark& foreign) {
  const std::string_view mark = foreign.mark;
  if (equals_ignore_case(comment, mark)) return true;
  const bool takes_options = mark.find(':') != std::string_view::npos || mark.front() == '+';
  return takes_options && comment.size() > mark.size() && comment[mark.size()] == ' ' &&
         equals_ignore_case(comment.substr(0, mark.size()), mark);
}

void report_foreign(const ParseInput& input) {
  bool after_up = false;  // a lone `-- undo` may be a remark; after `-- up` it is the other half
  for (const Directive& line : find_directive_lines(input.up, "")) {
    const auto* foreign = std::find_if(std::begin(foreign_marks), std::end(foreign_marks),
                                       [&](const ForeignMark& row) { return is_mark(line.text, row); });
    const bool known = foreign != std::end(foreign_marks);
    after_up |= is_direction(line.text, {"up", "do", "forward", "apply"});
    if (!known && !(after_up && is_direction(line.text, {"down", "undo", "rollback", "revert"}))) continue;
    // Inside of a string or a function's body it is no mark.
    const auto outside = find_directives(input.up, known ? foreign->mark : line.text);
    const bool is_directive = std::any_of(outside.begin(), outside.end(),
                                          [&](const Directive& one) { return one.begin == line.begin; });
    if (!is_directive) continue;
    input.problems.push_back(
        {.message = fmt::format("\"--{}{}\" is {}, but the file is read as plain: all of it would run",
                                line.text.front() == '-' ? "" : " ", line.text,
                                known ? foreign->tool : "the way back of some tool"),
         .where = {.file = input.file.path, .line = line.line},
         .hint = "keep only the statements of the way up, or name the layout with [migrations] layout"});
    return;
  }
}

// Atlas' directives: https://atlasgo.io, "file directives".
void read_atlas(const ParseInput& input, SectionOptions& options) {
  constexpr std::string_view prefix = "atlas:";
  for (const Directive& directive : find_directives(input.up, prefix)) {
    std::string_view rest = directive.text.substr(prefix.size());
    const std::string_view word = rest.substr(0, rest.find_first_of(" \t"));
    const std::string_view value = trim(rest.substr(word.size()));
    if (word == "nolint" || word == "sum") continue;
    if (word == "txmode" && (value == "none" || value == "file" || value == "all")) {
      if (value == "none") options.transaction = false;
      continue;
    }
    input.problems.push_back({.message = fmt::format("\"-- {}\" is not supported", directive.text),
                              .where = {.file = input.file.path, .line = directive.line},
                              .hint = "of Atlas' directives kdb knows txmode (none, file, all) and nolint"});
  }
}

}  // namespace

void parse_plain(const ParseInput& input, Migration& migration) {
  report_foreign(input);
  migration.up = join_pieces({{std::string(input.up), 1}}, input.file.path);
  read_atlas(input, migration.up->options);
  migration.up->tool_takes_lone_commit = true;
  migration.up->without_transaction = "`-- atlas:txmode none` at the head of the file";
}

}  // namespace kdb::files
