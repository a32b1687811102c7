#include "base/sql.hpp"

#include <algorithm>

#include <pg_query.h>

#include "base/sql_cut.hpp"
#include "base/sql_reader.hpp"
#include "base/sql_scan.hpp"
#include "base/text.hpp"

namespace kdb::sql {

namespace {

/// The parser takes about 30 times a text's size in memory, so it is given no more than this at once.
constexpr size_t parser_batch = size_t{256} * 1024;

/// A run of a script's tokens: one statement, without its semicolon.
struct Piece {
  size_t first = 0;
  size_t last = 0;  // exclusive
  bool newer_grammar = false;
};

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
    // The parser's statement begins behind the last semicolon before it: comments may come first.
    while (token < last && begin_of(token) < begin) ++token;
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

bool has_identifier(std::string_view text, std::string_view name) {
  const std::vector<Token> tokens = scan(text);
  return std::any_of(tokens.begin(), tokens.end(), [&](const Token& token) {
    if (token.kind != Token::Kind::identifier && token.kind != Token::Kind::keyword) return false;
    const std::string_view word = text.substr(token.begin, token.end - token.begin);
    return to_lower(word) == name || word == quote_ident(name) || to_lower(word).starts_with("u&");
  });
}

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
