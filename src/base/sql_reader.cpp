#include "base/sql_reader.hpp"

#include <algorithm>

#include <fmt/format.h>

namespace kdb::sql {

bool Reader::read() {
  if (!has_valid_bytes()) return hand_over();
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
  return hand_over();
}

/// Gives the problems, in the script's order and with their places, to the caller; true if there are none.
bool Reader::hand_over() {
  std::stable_sort(found_.begin(), found_.end(),
                   [](const auto& a, const auto& b) { return a.first < b.first; });
  Position position(script_);
  for (auto& [offset, problem] : found_) {
    position.move_to(offset);
    problem.where.line = position.line;
    problem.where.column = position.column;
    problems_.push_back(std::move(problem));
  }
  return found_.empty();
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
  int depth = 0;  // COPY (SELECT * FROM stdin) TO … reads a table
  for (size_t i = statement_ + 1; i < tokens_.size(); ++i) {
    if (is(i, "(")) ++depth;
    if (is(i, ")")) --depth;
    if (depth == 0 && is(i, "from") && is(i + 1, "stdin")) return true;
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

}  // namespace kdb::sql
