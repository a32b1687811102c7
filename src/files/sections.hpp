#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "base/error.hpp"
#include "model/migration.hpp"

namespace kdb::files {

/// Consecutive lines of a file that belong to one section.
struct Piece {
  std::string text;
  int line = 1;
};

/// Joins pieces, in the order of the file, to one section whose line numbers are those of the file. A
/// statement ends where its piece ends. `file` is what errors name.
Section join_pieces(const std::vector<Piece>& pieces, const std::string& file);

/// Reports every part of `text` (the file up to its first directive) that is SQL. `before` names that
/// directive.
void report_leading_sql(std::string_view text, const std::string& file, std::string_view before,
                        std::vector<Problem>& problems);

/// Without the UTF-8 byte order mark that some editors write.
std::string_view without_byte_order_mark(std::string_view bytes);

/// How many lines end in the text.
int count_lines(std::string_view text);

}  // namespace kdb::files
