#include "base/sql.hpp"

#include <algorithm>
#include <optional>

#include <fmt/format.h>
#include <pg_query.h>

#include "base/sql_cut.hpp"
#include "base/sql_scan.hpp"
#include "base/text.hpp"

namespace kdb::sql {

namespace {

/// The parser takes about 30 times a text's size in memory, so it is given no more than this at once.
constexpr size_t parser_batch = size_t{256} * 1024;

/// Counts lines and columns on the way through a text; from where it is, so that a script costs one pass.
class Position {
 public:
  explicit Position(std::string_view text) : text_(text) {
    if (text.substr(0, 3) == "\xEF\xBB\xBF") at_ = 3;
  }

  void move_to(size_t offset) {
    if (offset < at_) *this = Position(text_);
    for (; at_ < offset; ++at_) {
      const char c = text_[at_];
      if (c == '\n') {
        ++line;
        column = 1;
      } else if ((static_cast<unsigned char>(c) & 0xC0U) != 0x80U) {  // not inside of a UTF-8 sequence
        ++column;
      }
    }
  }

  int line = 1;
  int column = 1;

 private:
  std::string_view text_;
  size_t at_ = 0;
};

/// A run of a script's tokens: one statement, without its semicolon.
struct Piece {
  size_t first = 0;
  size_t last = 0;  // exclusive
  bool newer_grammar = false;
};

/// A script as tokens, and everything in it that is no SQL.
class Reader {
 public:
  Reader(std::string_view script, std::vector<Problem>& problems)
      : script_(script), problems_(problems), position_(script) {}

  /// False if there are problems.
  bool read();

  /// Without comments.
  const std::vector<Token>& tokens() const { return tokens_; }
  /// The indices of the tokens that a `-- kdb:rerunnable` stands before.
  const std::vector<size_t>& rerunnable() const { return rerunnable_; }

 private:
  bool is(size_t i, std::string_view word) const {
    return i < tokens_.size() && equals_ignore_case(text_of(script_, tokens_[i]), word);
  }
  bool has_valid_bytes();
  void read_comment(const Token& comment);
  void refuse_meta_command(const Token& command);
  bool is_copy_from_stdin() const;
  void refuse_copy(Scanner& scanner);
  void refuse_fault(const Scanner& scanner);
  void report(size_t offset, std::string message, std::string hint) {
    position_.move_to(offset);
    problems_.push_back({.message = std::move(message),
                         .where = {.file = {}, .line = position_.line, .column = position_.column},
                         .hint = std::move(hint)});
  }

  std::string_view script_;
  std::vector<Problem>& problems_;
  Position position_;
  std::vector<Token> tokens_;
  std::vector<size_t> rerunnable_;
  size_t statement_ = 0;  // the first token after the last semicolon
};

bool Reader::read() {
  const size_t known = problems_.size();
  if (!has_valid_bytes()) return false;
  tokens_.reserve(script_.size() / 5);
  Scanner scanner(script_);
  while (const auto token = scanner.next()) {
    const char c = script_[token->begin];
    if (token->kind == Token::Kind::comment) {
      read_comment(*token);
    } else if (c == '\\') {
      refuse_meta_command(*token);
    } else {
      tokens_.push_back(*token);
      if (c != ';') continue;
      if (is_copy_from_stdin()) refuse_copy(scanner);
      statement_ = tokens_.size();
    }
  }
  if (is_copy_from_stdin()) refuse_copy(scanner);
  refuse_fault(scanner);
  return problems_.size() == known;
}

bool Reader::has_valid_bytes() {
  const size_t zero = script_.find('\0');
  const auto invalid = find_invalid_utf8(script_);
  const std::string_view start = script_.substr(0, 2);
  const bool utf16 =
      start == "\xFF\xFE" || start == "\xFE\xFF" || (zero != std::string_view::npos && zero < 2);
  const std::string hint =
      utf16 ? "the file looks like UTF-16: save it as UTF-8" : "save the file as UTF-8 text";
  if (invalid) {
    const auto byte = static_cast<unsigned char>(script_[*invalid]);
    report(*invalid, fmt::format("invalid UTF-8: byte 0x{:02x}", byte), hint);
  }
  if (zero != std::string_view::npos) report(zero, "NUL byte", hint);
  return !invalid && zero == std::string_view::npos;
}

/// An annotation counts for the statement whose first token comes next, unless it ends the line of the one
/// before.
void Reader::read_comment(const Token& comment) {
  if (tokens_.size() != statement_) return;
  std::string_view text = text_of(script_, comment);
  text = text[0] == '-' ? text.substr(2) : text.substr(2, text.size() - 4);
  constexpr std::string_view annotation = "kdb:rerunnable";
  text = trim(text);
  if (text.substr(0, annotation.size()) != annotation) return;
  const std::string_view rest = text.substr(annotation.size());
  if (!rest.empty() && rest[0] != ' ' && rest[0] != ':' && rest[0] != ',') return;
  if (!tokens_.empty()) {
    const std::uint32_t end = tokens_.back().end;
    if (script_.substr(end, comment.begin - end).find('\n') == std::string_view::npos) return;
  }
  rerunnable_.push_back(tokens_.size());
}

void Reader::refuse_meta_command(const Token& command) {
  const std::string_view text = text_of(script_, command);
  const std::string_view name = text.substr(0, text.find_first_of(" \t;", 1));
  std::string hint = "remove it: kdb sends SQL to the server and runs no psql";
  if (name == "\\i" || name == "\\ir" || name == "\\include" || name == "\\include_relative") {
    hint = "put the other file's statements here, or make it a migration of its own";
  } else if (name == "\\c" || name == "\\connect") {
    hint = "remove it: kdb connects to the one database that it was given";
  } else if (name == "\\copy") {
    hint = "load data with INSERT, or with psql after the migration";
  } else if (name == "\\restrict" || name == "\\unrestrict") {
    hint = "remove the line: pg_dump writes it for psql only";
  }
  report(command.begin, fmt::format("psql meta-command \"{}\" is not SQL", name), std::move(hint));
}

bool Reader::is_copy_from_stdin() const {
  if (!is(statement_, "copy")) return false;
  for (size_t i = statement_ + 1; i < tokens_.size(); ++i) {
    if (is(i, "from") && is(i + 1, "stdin")) return true;
  }
  return false;
}

/// Skips the data too, which is no SQL: from the next line up to a line with only `\.`.
void Reader::refuse_copy(Scanner& scanner) {
  report(tokens_[statement_].begin, "COPY ... FROM stdin: its data is not SQL",
         "write the rows as INSERT ... VALUES, or load them with psql after the migration");
  size_t line = script_.find('\n', scanner.offset());
  while (line != std::string_view::npos) {
    const size_t end = script_.find('\n', ++line);
    const std::string_view text = script_.substr(line, end == std::string_view::npos ? end : end - line);
    if (trim(text) == "\\.") break;
    line = end;
  }
  const size_t next = line == std::string_view::npos ? script_.size() : script_.find("\\.", line) + 2;
  scanner.skip_to(static_cast<std::uint32_t>(next));
}

void Reader::refuse_fault(const Scanner& scanner) {
  const std::uint32_t at = scanner.fault_at();
  switch (scanner.fault()) {
    case Scanner::Fault::none:
      return;
    case Scanner::Fault::quoted_string:
      report(at, "unterminated quoted string", "close it with ', and write a quote inside of it twice");
      return;
    case Scanner::Fault::quoted_identifier:
      report(at, "unterminated quoted identifier", "close it with \"");
      return;
    case Scanner::Fault::dollar_quote: {
      const std::string_view tag = script_.substr(at, script_.find('$', at + 1) + 1 - at);
      report(at, fmt::format("unterminated dollar-quoted string {}", tag),
             fmt::format("close it with {}", tag));
      return;
    }
    case Scanner::Fault::comment:
      report(at, "unterminated comment", "close it with */; comments nest, so each /* needs its own");
      return;
  }
}

/// Cuts a script's tokens into statements: the parser decides, and where it fails statement_end() does.
class Splitter {
 public:
  Splitter(std::string_view script, const std::vector<Token>& tokens) : script_(script), tokens_(tokens) {}

  std::vector<Piece> split();

 private:
  size_t begin_of(size_t i) const { return tokens_[i].begin; }
  std::vector<Piece> cut() const;
  bool parse(size_t first, size_t last, std::vector<Piece>& pieces) const;

  std::string_view script_;
  const std::vector<Token>& tokens_;
};

std::vector<Piece> Splitter::split() {
  const std::vector<Piece> cuts = cut();
  std::vector<Piece> pieces;
  pieces.reserve(cuts.size());
  for (size_t i = 0; i < cuts.size();) {
    size_t next = i + 1;
    const size_t limit = begin_of(cuts[i].first) + parser_batch;
    while (next < cuts.size() && tokens_[cuts[next].last - 1].end <= limit) ++next;
    if (!parse(cuts[i].first, cuts[next - 1].last, pieces)) {
      // One by one: the parser confirms those that it knows.
      for (size_t k = i; k < next; ++k) {
        if (parse(cuts[k].first, cuts[k].last, pieces)) continue;
        pieces.push_back({.first = cuts[k].first, .last = cuts[k].last, .newer_grammar = true});
      }
    }
    i = next;
  }
  return pieces;
}

std::vector<Piece> Splitter::cut() const {
  std::vector<Piece> pieces;
  for (size_t first = 0; first < tokens_.size();) {
    const size_t last = statement_end(script_, tokens_, first);
    if (last > first) pieces.push_back({.first = first, .last = last});
    first = last + 1;
  }
  return pieces;
}

/// Appends the parser's statements among the tokens [first, last); false, and nothing appended, if it fails.
bool Splitter::parse(size_t first, size_t last, std::vector<Piece>& pieces) const {
  const size_t base = begin_of(first);
  const std::string text(
      script_.substr(base, tokens_[last - 1].end - base));  // ends in NUL, as the parser wants
  const PgQuerySplitResult result = pg_query_split_with_parser(text.c_str());
  size_t token = first;
  for (int i = 0; i < result.n_stmts; ++i) {
    const PgQuerySplitStmt& statement = *result.stmts[i];
    const size_t begin = base + static_cast<size_t>(statement.stmt_location);
    const size_t end = begin + static_cast<size_t>(statement.stmt_len);
    // The parser's statement begins behind the semicolon before it, and more semicolons may follow that one.
    while (token < last && (begin_of(token) < begin || script_[begin_of(token)] == ';')) ++token;
    Piece piece{.first = token};
    while (token < last && begin_of(token) < end) ++token;
    piece.last = token;
    if (piece.last > piece.first) pieces.push_back(piece);
  }
  const bool parsed = result.error == nullptr;
  pg_query_free_split_result(result);
  return parsed;
}

}  // namespace

std::vector<Statement> split(std::string_view script, std::vector<Problem>& problems) {
  Reader reader(script, problems);
  if (!reader.read()) return {};
  const std::vector<Token>& tokens = reader.tokens();
  const std::vector<size_t>& rerunnable = reader.rerunnable();
  std::vector<Statement> statements;
  Position position(script);
  for (const Piece& piece : Splitter(script, tokens).split()) {
    const std::uint32_t begin = tokens[piece.first].begin;
    position.move_to(begin);
    statements.push_back(
        {.text = std::string(script.substr(begin, tokens[piece.last - 1].end - begin)),
         .offset = begin,
         .line = position.line,
         .column = position.column,
         .newer_grammar = piece.newer_grammar,
         .rerunnable = std::binary_search(rerunnable.begin(), rerunnable.end(), piece.first)});
  }
  return statements;
}

namespace {

/// The text without its carriage returns before line feeds.
bool equal_but_for_crlf(std::string_view a, std::string_view b) {
  if (a == b) return true;
  const auto skip = [](std::string_view text, size_t i) {
    return i + 1 < text.size() && text[i] == '\r' && text[i + 1] == '\n' ? i + 1 : i;
  };
  size_t i = 0;
  size_t j = 0;
  for (; i < a.size() && j < b.size(); ++i, ++j) {
    i = skip(a, i);
    j = skip(b, j);
    if (a[i] != b[j]) return false;
  }
  return i == a.size() && j == b.size();
}

/// The next token's text that is no comment; at the end, what could not be scanned, which mostly is nothing.
std::string_view next_text(Scanner& scanner, std::string_view script) {
  while (const auto token = scanner.next()) {
    if (token->kind != Token::Kind::comment) return text_of(script, *token);
  }
  return scanner.fault() == Scanner::Fault::none ? std::string_view() : script.substr(scanner.fault_at());
}

}  // namespace

bool equal_tokens(std::string_view a, std::string_view b) {
  Scanner in_a(a);
  Scanner in_b(b);
  while (true) {
    const std::string_view text_a = next_text(in_a, a);
    const std::string_view text_b = next_text(in_b, b);
    if (!equal_but_for_crlf(text_a, text_b)) return false;
    if (text_a.empty() || in_a.fault() != Scanner::Fault::none) return in_a.fault() == in_b.fault();
  }
}

}  // namespace kdb::sql
