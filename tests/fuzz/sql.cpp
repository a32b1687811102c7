// Feeds whatever to the SQL room: nothing may crash, and what split() returns must be a cut of the input.
#include "base/sql.hpp"

#include <cstdint>
#include <cstdio>
#include <cstdlib>

#include "../support/pg_query_tokens.hpp"
#include "base/sql_cut.hpp"
#include "base/statement.hpp"

namespace {

void require(bool holds, const char* what) {
  if (holds) return;
  std::fprintf(stderr, "broken: %s\n", what);
  std::abort();
}

void check_statements(std::string_view script, const std::vector<kdb::sql::Statement>& statements) {
  size_t end = 0;
  for (const auto& statement : statements) {
    require(!statement.text.empty(), "a statement is not empty");
    require(statement.offset >= end, "statements are in order and do not overlap");
    require(script.substr(statement.offset, statement.text.size()) == statement.text,
            "a text is part of the script");
    require(statement.line >= 1 && statement.column >= 1, "a position counts from 1");
    end = statement.offset + statement.text.size();
    kdb::sql::classify(statement.text);
    kdb::sql::hazards(statement.text);

    // Cut out, it is the same statement: neither the parser nor the cutter saw more of it than that. Only a
    // byte order mark in the middle of a script is another thing at the start of one.
    if (statement.text.compare(0, 3, "\xEF\xBB\xBF") == 0) continue;
    std::vector<kdb::Problem> problems;
    const auto again = kdb::sql::split(statement.text, problems);
    require(again.size() == 1 && problems.empty(), "a statement is one statement");
    require(again[0].text == statement.text, "a statement is itself");
    require(again[0].newer_grammar == statement.newer_grammar,
            "a statement is known alone and in company alike");
  }
  kdb::sql::script_hazards(statements);
}

/// Where the parser knows the whole script, the cutter that stands in for it must find the same statements.
void check_cutter(std::string_view script, const std::vector<kdb::sql::Statement>& statements) {
  std::vector<kdb::sql::Token> tokens;
  for (const auto& token : kdb::sql::scan(script)) {
    if (token.kind != kdb::sql::Token::Kind::comment) tokens.push_back(token);
  }
  size_t known = 0;
  for (size_t first = 0; first < tokens.size();) {
    const size_t last = kdb::sql::statement_end(script, tokens, first);
    if (last > first) {
      require(known < statements.size(), "the cutter finds no more than the parser");
      require(statements[known].offset == tokens[first].begin, "the cutter begins where the parser does");
      require(statements[known].offset + statements[known].text.size() == tokens[last - 1].end,
              "the cutter ends where the parser does");
      ++known;
    }
    first = last + 1;
  }
  require(known == statements.size(), "the cutter finds no fewer than the parser");
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, size_t size) {
  const std::string script(reinterpret_cast<const char*>(data), size);
  std::vector<kdb::Problem> problems;
  const auto statements = kdb::sql::split(script, problems);
  require(problems.empty() || statements.empty(), "nothing of a script with problems is returned");
  check_statements(script, statements);
  if (problems.empty()) check_cutter(script, statements);
  require(kdb::sql::equal_tokens(script, script), "a script equals itself");
  kdb::sql::equal_tokens(script, std::string_view(script).substr(size / 2));
  // Its scanner takes text that ends in NUL, and trusts that it is UTF-8.
  if (problems.empty()) require(!kdb::test::scan_difference(script), "the scanner is PostgreSQL's");
  return 0;
}
