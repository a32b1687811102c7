#include "files/sections.hpp"

#include <algorithm>

#include <fmt/format.h>

#include "base/sql.hpp"

namespace kdb::files {
namespace {

// The offset of the first byte that is neither white space nor comment, or npos.
size_t find_sql(std::string_view text) {
  constexpr std::string_view white = " \t\r\n\f\v";
  size_t scanned = 0;
  for (const sql::Token& token : sql::scan(text)) {
    if (token.kind != sql::Token::Kind::comment) return token.begin;
    scanned = token.end;
  }
  return text.find_first_not_of(white, scanned);
}

}  // namespace

Section join_pieces(const std::vector<Piece>& pieces, const std::string& file) {
  Section section{.text = {}, .file = file, .line = pieces.empty() ? 1 : pieces.front().line, .options = {}};
  int line = section.line;
  for (const Piece& piece : pieces) {
    if (&piece != &pieces.front()) {
      // Directive lines lie between two pieces; the last statement before them may lack its semicolon.
      const int gap = std::max(1, piece.line - line);
      section.text += ';';
      section.text.append(static_cast<size_t>(gap), '\n');
      line += gap;
    }
    section.text += piece.text;
    line += count_lines(piece.text);
  }
  return section;
}

void report_leading_sql(std::string_view text, const std::string& file, std::string_view before,
                        std::vector<Problem>& problems) {
  const size_t offset = find_sql(text);
  if (offset == std::string_view::npos) return;
  problems.push_back({.message = fmt::format("SQL before the first \"{}\"", before),
                      .where = {.file = file, .line = 1 + count_lines(text.substr(0, offset))},
                      .hint = fmt::format("only comments may stand before \"{}\"", before)});
}

std::string_view without_byte_order_mark(std::string_view bytes) {
  constexpr std::string_view mark = "\xEF\xBB\xBF";
  if (bytes.starts_with(mark)) bytes.remove_prefix(mark.size());
  return bytes;
}

int count_lines(std::string_view text) {
  return static_cast<int>(std::count(text.begin(), text.end(), '\n'));
}

}  // namespace kdb::files
