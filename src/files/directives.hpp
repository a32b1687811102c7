#pragma once

#include <string_view>
#include <vector>

namespace kdb::files {

/// A comment line that speaks to a migration tool: `-- migrate:up transaction:false`.
struct Directive {
  std::string_view text =
      {};            // from the prefix on, without white space at its end: `migrate:up transaction:false`
  size_t begin = 0;  // of the line, in bytes
  size_t end = 0;    // of the line, its newline included
  int line = 1;
  int column = 1;  // of the `--`; above 1 when the line is indented
};

/// The lines that are a `--` comment beginning with `prefix` (in any case), as its tool reads them, except
/// those inside a literal, a quoted name, a function body or a block comment.
std::vector<Directive> find_directives(std::string_view text, std::string_view prefix);

/// The same, lines inside of literals included.
std::vector<Directive> find_directive_lines(std::string_view text, std::string_view prefix);

/// Whether there is such a line that `accepts` likes, `prefix` in its own case only: fast, for telling
/// layouts apart.
bool has_directive_line(std::string_view text, std::string_view prefix,
                        bool (*accepts)(const Directive& line));

}  // namespace kdb::files
