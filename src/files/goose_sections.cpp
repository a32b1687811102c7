#include "files/goose_sections.hpp"

#include <algorithm>
#include <array>

#include <fmt/format.h>

#include "base/text.hpp"
#include "files/directives.hpp"
#include "files/placeholders.hpp"
#include "files/sections.hpp"

namespace kdb::files {
namespace {

constexpr std::string_view goose_mark = "+goose";

enum class Word { up, down, statement_begin, statement_end, no_transaction, envsub_on, envsub_off };

struct WordRow {
  std::string_view text;
  Word word;
};
// goose compares in any case; ENVSUBST is how older versions spelt it.
constexpr WordRow goose_words[] = {
    {"Up", Word::up},
    {"Down", Word::down},
    {"StatementBegin", Word::statement_begin},
    {"StatementEnd", Word::statement_end},
    {"NO TRANSACTION", Word::no_transaction},
    {"ENVSUB ON", Word::envsub_on},
    {"ENVSUB OFF", Word::envsub_off},
    {"ENVSUBST ON", Word::envsub_on},
    {"ENVSUBST OFF", Word::envsub_off},
};

std::optional<Word> find_word(std::string_view text) {
  const auto* row =
      std::find_if(std::begin(goose_words), std::end(goose_words),
                   [&](const WordRow& candidate) { return equals_ignore_case(candidate.text, text); });
  return row == std::end(goose_words) ? std::nullopt : std::optional(row->word);
}

std::string hint_for(const Directive& unknown) {
  std::vector<std::string_view> known;
  for (const WordRow& row : goose_words) known.push_back(row.text);
  if (const auto meant = did_you_mean(trim(unknown.text.substr(goose_mark.size())), known))
    return fmt::format("did you mean \"-- +goose {}\"?", *meant);
  return "goose knows Up, Down, StatementBegin, StatementEnd, NO TRANSACTION, ENVSUB ON and ENVSUB OFF";
}

/// Goes through a file's directives in order and collects the lines between them.
class GooseFile {
 public:
  explicit GooseFile(const ParseInput& input) : input_(input) {}

  void read(Migration& migration) {
    const auto directives = find_directives(input_.up, goose_mark);
    const size_t first = directives.empty() ? input_.up.size() : directives.front().begin;
    report_leading_sql(input_.up.substr(0, first), input_.file.path, "-- +goose Up", input_.problems);
    migration.head = input_.up.substr(0, first);
    for (size_t i = 0; i < directives.size(); ++i) {
      const size_t end = i + 1 < directives.size() ? directives[i + 1].begin : input_.up.size();
      follow(directives[i]);
      collect(input_.up.substr(directives[i].end, end - directives[i].end), directives[i].line + 1);
    }
    close_statement(input_.up.empty() ? 1 : 1 + count_lines(input_.up.substr(0, input_.up.size() - 1)));
    if (!has_up_) problem(1, "no \"-- +goose Up\" section", "begin the file with a line \"-- +goose Up\"");
    migration.up = section(up_, has_up_);
    migration.down = section(down_, has_down_);
  }

 private:
  void problem(int line, std::string message, std::string hint) {
    input_.problems.push_back({.message = std::move(message),
                               .where = {.file = input_.file.path, .line = line},
                               .hint = std::move(hint)});
  }

  void follow(const Directive& directive) {
    const auto word = find_word(trim(directive.text.substr(goose_mark.size())));
    if (!word || directive.column != 1) {
      problem(directive.line, fmt::format("unclear directive \"-- {}\"", directive.text),
              word ? "a directive begins at the start of its line" : hint_for(directive));
      return;
    }
    switch (*word) {
      case Word::up:
        begin_up(directive.line);
        break;
      case Word::down:
        begin_down(directive.line);
        break;
      case Word::statement_begin:
        begin_statement(directive.line);
        break;
      case Word::statement_end:
        end_statement(directive.line);
        break;
      case Word::no_transaction:
        no_transaction_ = true;
        break;
      case Word::envsub_on:
        envsub_ = true;
        break;
      case Word::envsub_off:
        envsub_ = false;
        break;
    }
  }

  void begin_up(int line) {
    close_statement(line);
    if (has_up_) problem(line, "second \"-- +goose Up\"", "a file has one up section");
    has_up_ = true;
    current_ = &up_;
  }

  void begin_down(int line) {
    close_statement(line);
    if (!has_up_) problem(line, "\"-- +goose Down\" before \"-- +goose Up\"", "write the up section first");
    if (has_down_) problem(line, "second \"-- +goose Down\"", "a file has one down section");
    has_down_ = true;
    current_ = &down_;
  }

  void begin_statement(int line) {
    if (current_ == nullptr) problem(line, "\"-- +goose StatementBegin\" before \"-- +goose Up\"", {});
    close_statement(line);
    statement_line_ = line;
  }

  void end_statement(int line) {
    if (statement_line_ == 0) problem(line, "\"-- +goose StatementEnd\" without StatementBegin", {});
    statement_line_ = 0;
  }

  void close_statement(int line) {
    if (statement_line_ == 0) return;
    problem(line, fmt::format("\"-- +goose StatementBegin\" of line {} has no StatementEnd", statement_line_),
            {});
    statement_line_ = 0;
  }

  void collect(std::string_view text, int line) {
    if (current_ == nullptr) {
      // Between NO TRANSACTION at the head and Up: comments only, as before the first directive.
      if (!has_up_) report_leading_sql_at(text, line);
      return;
    }
    current_->push_back(
        {.text = envsub_ ? expand_goose(text, input_.file.path, line, input_.source, input_.problems)
                         : std::string(text),
         .line = line});
  }

  void report_leading_sql_at(std::string_view text, int line) {
    const size_t before = input_.problems.size();
    report_leading_sql(text, input_.file.path, "-- +goose Up", input_.problems);
    for (size_t i = before; i < input_.problems.size(); ++i) input_.problems[i].where.line += line - 1;
  }

  std::optional<Section> section(const std::vector<Piece>& pieces, bool exists) const {
    if (!exists) return std::nullopt;
    Section made = join_pieces(pieces, input_.file.path);
    if (no_transaction_) made.options.transaction = false;
    made.tool_takes_lone_commit = true;
    made.without_transaction = "`-- +goose NO TRANSACTION` on a line of its own";
    return made;
  }

  const ParseInput& input_;
  std::vector<Piece> up_;
  std::vector<Piece> down_;
  std::vector<Piece>* current_ = nullptr;
  bool has_up_ = false;
  bool has_down_ = false;
  bool no_transaction_ = false;
  bool envsub_ = false;
  int statement_line_ = 0;  // of an open StatementBegin, or 0
};

}  // namespace

// A misspelt directive makes a goose file too: as a plain one, all of it would run.
bool has_goose_directive(std::string_view contents) {
  return has_directive_line(contents, goose_mark, [](const Directive& line) {
    return line.text.size() > goose_mark.size() && line.text[goose_mark.size()] == ' ';
  });
}

void parse_goose(const ParseInput& input, Migration& migration) { GooseFile(input).read(migration); }

}  // namespace kdb::files
