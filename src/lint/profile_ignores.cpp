// Comments of profiles that keep rules quiet.

#include <limits>

#include "base/text.hpp"
#include "lint/ignores.hpp"

namespace kdb::lint {

namespace {

/// A piece of TOML that matters here, at its place.
struct Piece {
  enum class Kind { header, key, comment };
  Kind kind = Kind::key;
  Ignore::Place place;
  std::string_view text;     // of a comment, without its mark
  bool behind_code = false;  // a comment on a line that has something else too
  bool inside = false;       // of a value that has not ended
};

/// Cuts a file that toml++ has read without complaint: strings, brackets, comments, and nothing else.
class TomlPieces {
 public:
  explicit TomlPieces(std::string_view text) : text_(text) {}

  std::vector<Piece> take() {
    while (at_ < text_.size()) step();
    return std::move(pieces_);
  }

 private:
  void step() {
    const char c = text_[at_];
    if (c == '\n') return end_line();
    if (c == '#') return read_comment();
    if (c != ' ' && c != '\t' && c != '\r' && c != '\xEF' && c != '\xBB' && c != '\xBF') begin_code(c);
    if (c == '"' || c == '\'') return skip_string(c);
    if (c == '[' || c == '{') ++depth_;
    if (c == ']' || c == '}') --depth_;
    advance(1);
  }

  void end_line() {
    advance(1);
    line_has_code_ = false;
  }

  /// The first character of a line that is not inside of a value begins a header or a key.
  void begin_code(char c) {
    if (!line_has_code_ && depth_ == 0)
      pieces_.push_back(
          {.kind = c == '[' ? Piece::Kind::header : Piece::Kind::key, .place = place_, .text = {}});
    line_has_code_ = true;
  }

  void read_comment() {
    const size_t end = std::min(text_.find('\n', at_), text_.size());
    pieces_.push_back({.kind = Piece::Kind::comment,
                       .place = place_,
                       .text = text_.substr(at_ + 1, end - at_ - 1),
                       .behind_code = line_has_code_,
                       .inside = depth_ > 0});
    advance(end - at_);
  }

  void skip_string(char quote) {
    const std::string three(3, quote);
    const bool lines = text_.substr(at_).starts_with(three);
    const std::string_view end = lines ? std::string_view(three) : std::string_view(three).substr(0, 1);
    size_t close = at_ + end.size();
    while (close < text_.size() && !text_.substr(close).starts_with(end))
      close += quote == '"' && text_[close] == '\\' ? 2U : 1U;
    close += end.size();
    while (lines && close < text_.size() && text_[close] == quote) ++close;  // up to two of the string itself
    advance(std::min(close, text_.size()) - at_);
    line_has_code_ = true;
  }

  void advance(size_t bytes) {
    for (const size_t end = at_ + bytes; at_ < end; ++at_) {
      if (text_[at_] == '\n') {
        ++place_.line;
        place_.column = 1;
      } else if ((static_cast<unsigned char>(text_[at_]) & 0xC0U) != 0x80U) {
        ++place_.column;
      }
    }
  }

  std::string_view text_;
  size_t at_ = 0;
  Ignore::Place place_{.line = 1, .column = 1};
  int depth_ = 0;
  bool line_has_code_ = false;
  std::vector<Piece> pieces_;
};

constexpr Ignore::Place end_of_file{.line = std::numeric_limits<int>::max(), .column = 0};

/// What the comment `pieces[i]` is about.
void set_scope(const std::vector<Piece>& pieces, size_t i, Ignore& ignore) {
  const Piece& comment = pieces[i];
  const auto next = [&](size_t from, bool header_only) {
    while (from < pieces.size() && (pieces[from].kind == Piece::Kind::comment ||
                                    (header_only && pieces[from].kind != Piece::Kind::header)))
      ++from;
    return from;
  };
  size_t before = 0;
  while (before < i && pieces[before].kind == Piece::Kind::comment) ++before;
  if (ignore.file) {
    if (before == i && !comment.behind_code) ignore.end = end_of_file;
  } else if (comment.behind_code || comment.inside) {
    const int line = comment.place.line + (comment.behind_code ? 0 : 1);
    ignore.begin = {.line = line, .column = 0};
    ignore.end = {.line = line + 1, .column = 0};
  } else if (const size_t of = next(i + 1, false); of < pieces.size()) {
    const size_t end = next(of + 1, pieces[of].kind == Piece::Kind::header);
    ignore.begin = {.line = pieces[of].place.line, .column = 0};
    ignore.end =
        end < pieces.size() ? Ignore::Place{.line = pieces[end].place.line, .column = 0} : end_of_file;
  }
}

}  // namespace

std::vector<Ignore> read_ignores(const SourceText& profile) {
  std::vector<Ignore> ignores;
  const std::vector<Piece> pieces = TomlPieces(profile.text).take();
  for (size_t i = 0; i < pieces.size(); ++i) {
    if (pieces[i].kind != Piece::Kind::comment) continue;
    std::optional<Ignore> ignore = read_ignore(pieces[i].text);
    if (!ignore || ignore->foreign) continue;
    ignore->mark = "#";
    ignore->where = {.file = profile.file, .line = pieces[i].place.line, .column = pieces[i].place.column};
    set_scope(pieces, i, *ignore);
    ignores.push_back(std::move(*ignore));
  }
  return ignores;
}

}  // namespace kdb::lint
